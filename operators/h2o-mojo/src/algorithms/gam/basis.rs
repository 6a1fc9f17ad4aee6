//! I-splines and M-splines: from a number to the parts of a curve (`ISplines`, `MSplines` and
//! `NBSplinesType*` of h2o-genmodel). M-splines are bells over some knots; an I-spline rises from
//! 0 to 1 over them, as a sum of B-splines.

/// The highest order: what is computed doubles with each.
const HIGHEST: usize = 12;

/// A curve's parts over its knots.
#[derive(Debug)]
pub(super) struct Basis {
    kind: Kind,
    /// With the first and the last one repeated.
    knots: Vec<f64>,
    order: usize,
    parts: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    I,
    M,
}

impl Basis {
    /// Over knots that rise; `None` for an order that is none, or too high.
    pub(super) fn new(kind: Kind, knots: &[f64], order: usize) -> Option<Self> {
        let (first, last) = (knots.first()?, knots.last()?);
        if order == 0 || order > HIGHEST {
            return None;
        }
        let parts = (knots.len() + order).checked_sub(2)?;
        // B-splines below I-splines are of one order more.
        let repeated = match kind {
            Kind::I => order,
            Kind::M => order - 1,
        };
        let ends = |knot: &f64| std::iter::repeat_n(*knot, repeated);
        let knots = ends(first).chain(knots.iter().copied()).chain(ends(last)).collect();
        Some(Self { kind, knots, order, parts })
    }

    /// How many parts there are.
    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    /// A part's value at `x`, which is a number.
    pub(super) fn at(&self, part: usize, x: f64) -> f64 {
        match self.kind {
            Kind::M => self.bell(part, self.order, x),
            Kind::I => {
                // Its own knots are those of the next B-spline, without the last.
                if x < self.knots[part + 1] {
                    return 0.0;
                }
                if x >= self.knots[part + 1 + self.order] {
                    return 1.0;
                }
                let mut sum = 0.0;
                for part in part + 1..=self.parts {
                    if x < self.knots[part] {
                        break;
                    }
                    let whole = x >= self.knots[part + self.order + 1];
                    sum += if whole { 1.0 } else { self.spline(part, self.order + 1, x) };
                }
                sum
            }
        }
    }

    /// A B-spline.
    fn spline(&self, first: usize, order: usize, x: f64) -> f64 {
        let knots = &self.knots[first..=first + order];
        if x < knots[0] || x >= knots[order] {
            return 0.0;
        }
        if order == 1 {
            return 1.0;
        }
        let (left, right) =
            (inverse(knots[order - 1] - knots[0]), inverse(knots[order] - knots[1]));
        (x - knots[0]) * left * self.spline(first, order - 1, x)
            + (knots[order] - x) * right * self.spline(first + 1, order - 1, x)
    }

    /// An M-spline.
    fn bell(&self, first: usize, order: usize, x: f64) -> f64 {
        let knots = &self.knots[first..=first + order];
        let width = inverse(knots[order] - knots[0]);
        if x < knots[0] || x >= knots[order] {
            return 0.0;
        }
        if order == 1 {
            return width;
        }
        let factor = order as f64 / (order as f64 - 1.0);
        factor
            * ((x - knots[0]) * width * self.bell(first, order - 1, x)
                + (knots[order] - x) * width * self.bell(first + 1, order - 1, x))
    }
}

/// The reciprocal, or 0 of 0.
fn inverse(width: f64) -> f64 {
    if width == 0.0 { 0.0 } else { 1.0 / width }
}
