//! Curves as a MOJO has them, and cubic regression splines (`GamUtilsCubicRegression` of
//! h2o-genmodel).

use super::basis::{Basis, Kind};
use super::{contradiction, list, refused};
use crate::algorithms::engine::Source;
use crate::error::Error;

/// A curve.
#[derive(Debug)]
pub(super) struct Spline {
    shape: Shape,
    /// From the shape's parts to those of the curve, which are one fewer; `None` where they are
    /// the same.
    centering: Option<Vec<Vec<f64>>>,
}

#[derive(Debug)]
enum Shape {
    Cubic(Cubic),
    Basis(Basis),
}

/// A cubic regression spline.
#[derive(Debug)]
struct Cubic {
    /// Ascending, three or more.
    knots: Vec<f64>,
    /// From a number's place among the inner knots to the curve's values at all of them.
    curvature: Vec<Vec<f64>>,
}

/// The curves, each of so many knots.
pub(super) fn read(source: &mut Source<'_, '_>, counts: &[usize]) -> Result<Vec<Spline>, Error> {
    let kinds: Vec<i32> = list(source.info, "bs_sorted")?;
    if kinds.len() != counts.len() {
        let reason = format!("expected {}, one for each curve", counts.len());
        return Err(contradiction("bs_sorted", reason));
    }
    if let Some(count) = counts.iter().find(|count| **count < 3) {
        return Err(contradiction("num_knots_sorted", format!("{count} are too few")));
    }
    let is_cubic = |kind: &i32| *kind == CUBIC;
    if kinds.len() > 1 && !kinds.iter().all(is_cubic) {
        return Err(refused(
            "an additive model with I-splines or M-splines beside another curve, which H2O's \
             wrapper puts into each other's places",
            "one of them, or cubic regression splines (bs = 0)",
        ));
    }
    let mut knots = Numbers::open(source, "knots")?;
    let mut curvature = match kinds.first() {
        Some(&CUBIC) => Some(Numbers::open(source, "_binvD")?),
        _ => None,
    };
    let mut centering = Numbers::open(source, "zTranspose")?;
    let mut splines = vec![];
    for (count, kind) in counts.iter().zip(&kinds) {
        let knots = knots.take(*count)?;
        if !knots.is_sorted_by(|one, next| one < next) {
            return Err(Error::Entry {
                entry: "knots".into(),
                reason: "expected numbers that rise".into(),
            });
        }
        let shape = match (kind, &mut curvature) {
            (&CUBIC, Some(numbers)) => {
                Shape::Cubic(Cubic { knots, curvature: numbers.rows(count - 2, *count)? })
            }
            (&RISING | &BELLS, _) => {
                let orders: Vec<usize> = list(source.info, "spline_orders_sorted")?;
                let kind = if *kind == RISING { Kind::I } else { Kind::M };
                let basis = match orders[..] {
                    [order] => Basis::new(kind, &knots, order),
                    _ => None,
                };
                let wrong = || contradiction("spline_orders_sorted", "expected one, to 12".into());
                Shape::Basis(basis.ok_or_else(wrong)?)
            }
            _ => return Err(contradiction("bs_sorted", format!("{kind} is no kind of curve"))),
        };
        let parts = shape.parts();
        let centering = match kind {
            &RISING => None,
            _ => Some(centering.rows(parts - 1, parts)?),
        };
        splines.push(Spline { shape, centering });
    }
    let mut all = [Some(knots), curvature, Some(centering)].into_iter().flatten();
    all.try_for_each(Numbers::close)?;
    Ok(splines)
}

/// What `bs` says of cubic regression splines, of I-splines, of M-splines.
const CUBIC: i32 = 0;
const RISING: i32 = 2;
const BELLS: i32 = 3;

/// Doubles of an entry, big-endian, taken one after the other.
struct Numbers {
    entry: &'static str,
    numbers: std::vec::IntoIter<f64>,
}

impl Numbers {
    fn open(source: &mut Source<'_, '_>, entry: &'static str) -> Result<Self, Error> {
        let bytes = source.archive.get(entry)?;
        let (doubles, rest) = bytes.as_chunks::<8>();
        let numbers: Vec<f64> = doubles.iter().map(|bytes| f64::from_be_bytes(*bytes)).collect();
        let numbers = Self { entry, numbers: numbers.into_iter() };
        if rest.is_empty() { Ok(numbers) } else { Err(numbers.fault()) }
    }

    fn take(&mut self, count: usize) -> Result<Vec<f64>, Error> {
        if self.numbers.len() < count {
            return Err(self.fault());
        }
        Ok(self.numbers.by_ref().take(count).collect())
    }

    fn rows(&mut self, rows: usize, width: usize) -> Result<Vec<Vec<f64>>, Error> {
        if rows.checked_mul(width).is_none_or(|count| count > self.numbers.len()) {
            return Err(self.fault());
        }
        (0..rows).map(|_| self.take(width)).collect()
    }

    fn close(self) -> Result<(), Error> {
        if self.numbers.len() == 0 { Ok(()) } else { Err(self.fault()) }
    }

    fn fault(&self) -> Error {
        let reason = "it has not as many numbers as num_knots_sorted wants";
        Error::Entry { entry: self.entry.into(), reason: reason.into() }
    }
}

impl Spline {
    /// How many parts the curve has.
    pub(super) fn parts(&self) -> usize {
        self.centering.as_ref().map_or(self.shape.parts(), Vec::len)
    }

    /// Adds the parts of the curve at `x` to `terms`: NaN where it is missing.
    pub(super) fn expand(&self, x: f64, terms: &mut Vec<f64>) {
        if x.is_nan() {
            terms.extend(std::iter::repeat_n(f64::NAN, self.parts()));
            return;
        }
        let values: Vec<f64> = match &self.shape {
            Shape::Cubic(cubic) => cubic.at(x),
            Shape::Basis(basis) => (0..basis.parts()).map(|part| basis.at(part, x)).collect(),
        };
        let Some(centering) = &self.centering else {
            terms.extend(values);
            return;
        };
        terms.extend(centering.iter().map(|weights| {
            let mut sum = 0.0;
            for (value, weight) in values.iter().zip(weights) {
                sum += value * weight;
            }
            sum
        }));
    }
}

impl Shape {
    /// How many parts there are before they are centred: one or more.
    fn parts(&self) -> usize {
        match self {
            Self::Cubic(cubic) => cubic.knots.len(),
            Self::Basis(basis) => basis.parts(),
        }
    }
}

impl Cubic {
    /// The parts at `x`.
    fn at(&self, x: f64) -> Vec<f64> {
        let bin = self.bin(x);
        let (low, high) = (self.knots[bin], self.knots[bin + 1]);
        let width = high - low;
        let cubic = |distance: f64| {
            let cube = distance * distance * distance;
            (cube / width - distance * width) / 6.0
        };
        let (before, behind) = (cubic(high - x), cubic(x - low));
        let value = |place: usize| {
            let mut value = if bin == 0 {
                self.curvature[bin][place] * behind
            } else if bin >= self.curvature.len() {
                self.curvature[bin - 1][place] * before
            } else {
                self.curvature[bin - 1][place] * before + self.curvature[bin][place] * behind
            };
            if place == bin {
                value += (high - x) / width;
            } else if place == bin + 1 {
                value += (x - low) / width;
            }
            value
        };
        (0..self.knots.len()).map(value).collect()
    }

    /// Between which knots `x` is, or which are the nearest.
    fn bin(&self, x: f64) -> usize {
        let after = self.knots.partition_point(|knot| *knot <= x);
        after.saturating_sub(1).min(self.knots.len() - 2)
    }
}
