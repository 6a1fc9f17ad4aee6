//! Curves as a MOJO has them, and cubic regression splines (`GamUtilsCubicRegression` of
//! h2o-genmodel).

use super::basis::{Basis, Kind};
use super::plate::{self, Plate};

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
    Plate(Plate),
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
    let kinds: Vec<i32> = source.info.required_list("bs_sorted")?;
    if kinds.len() != counts.len() {
        let reason = format!("expected {}, one for each curve", counts.len());
        return Err(Error::contradiction("bs_sorted", reason));
    }
    if let Some(count) = counts.iter().find(|count| **count < 3) {
        return Err(Error::contradiction("num_knots_sorted", format!("{count} are too few")));
    }
    let may_share = |kind: &i32| *kind == CUBIC || *kind == PLATE;
    if kinds.len() > 1 && !kinds.iter().all(may_share) {
        return Err(Error::refused(
            "an additive model with I-splines or M-splines beside another curve, which H2O's \
             wrapper puts into each other's places",
            "one of them, or cubic regression splines and thin plates",
        ));
    }
    let mut knots = Numbers::open(source, "knots")?;
    let mut curvature = match kinds.first() {
        Some(&CUBIC) => Some(Numbers::open(source, "_binvD")?),
        _ => None,
    };
    let mut centering = Numbers::open(source, "zTranspose")?;
    let dimensions: Vec<usize> = source.info.required_list("_d")?;
    if dimensions.len() != counts.len() {
        return Err(Error::contradiction(
            "_d",
            format!("expected {}, one for each curve", counts.len()),
        ));
    }
    let mut plates = if kinds.contains(&PLATE) {
        Some(Plates::open(source, &kinds, &dimensions)?)
    } else {
        None
    };
    let mut splines = vec![];
    for ((count, kind), dimension) in counts.iter().zip(&kinds).zip(dimensions) {
        if let (&PLATE, Some(plates)) = (kind, &mut plates) {
            let plate = plates.next(knots.rows(dimension, *count)?, *count)?;
            let centering = Some(centering.rows(count - 1, *count)?);
            splines.push(Spline { shape: Shape::Plate(plate), centering });
            continue;
        }
        let knots = knots.take(*count)?;
        if dimension != 1 {
            return Err(Error::contradiction("_d", "expected 1 for a curve"));
        }
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
                let orders: Vec<usize> = source.info.required_list("spline_orders_sorted")?;
                let kind = if *kind == RISING { Kind::I } else { Kind::M };
                let basis = match orders[..] {
                    [order] => Basis::new(kind, &knots, order),
                    _ => None,
                };
                let wrong = || Error::contradiction("spline_orders_sorted", "expected one, to 12");
                Shape::Basis(basis.ok_or_else(wrong)?)
            }
            _ => {
                return Err(Error::contradiction(
                    "bs_sorted",
                    format!("{kind} is no kind of curve"),
                ));
            }
        };
        let parts = shape.parts();
        let centering = match kind {
            &RISING => None,
            _ => Some(centering.rows(parts - 1, parts)?),
        };
        splines.push(Spline { shape, centering });
    }
    let weights = plates.map(|plates| plates.weights);
    let mut all = [Some(knots), curvature, Some(centering), weights].into_iter().flatten();
    all.try_for_each(Numbers::close)?;
    Ok(splines)
}

/// What `bs` says of cubic regression splines, of thin plates, of I-splines, of M-splines.
const CUBIC: i32 = 0;
const PLATE: i32 = 1;
const RISING: i32 = 2;
const BELLS: i32 = 3;

/// What thin plates are made of, one after the other.
struct Plates {
    weights: Numbers,
    /// Powers of all plates' polynomials, big-endian.
    powers: std::vec::IntoIter<u32>,
    /// How many polynomials each plate has.
    polynomials: std::vec::IntoIter<usize>,
}

impl Plates {
    fn open(
        source: &mut Source<'_, '_>,
        kinds: &[i32],
        dimensions: &[usize],
    ) -> Result<Self, Error> {
        const POWERS: &str = "polynomialBasisList";
        if source.info.flag("standardize")? {
            // It looks for the deviations among none.
            return Err(Error::refused(
                "an additive model with standardised thin plates, which H2O's own scorer fails on",
                "thin plates that are not standardised",
            ));
        }
        let plates = kinds.iter().zip(dimensions).filter(|(kind, _)| **kind == PLATE);
        let expected: Option<Vec<u32>> =
            plates.map(|(_, dimension)| plate::smoothness(*dimension)).collect();
        let Some(expected) = expected else {
            return Err(Error::refused("a thin plate over more than three columns", "up to three"));
        };
        let found: Vec<u32> = source.info.required_list("_m")?;
        let polynomials: Vec<usize> = source.info.required_list("_M")?;
        if found != expected || polynomials.len() != expected.len() {
            return Err(Error::contradiction(
                "_m",
                format!("expected {expected:?}, and as many of _M"),
            ));
        }
        let bytes = source.archive.get(POWERS)?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        let powers: Vec<u32> = numbers.iter().map(|number| u32::from_be_bytes(*number)).collect();
        if !rest.is_empty() || powers.iter().any(|power| *power > 9) {
            let reason = "expected powers of four bytes".into();
            return Err(Error::Entry { entry: POWERS.into(), reason });
        }
        Ok(Self {
            weights: Numbers::open(source, "zTransposeCS")?,
            powers: powers.into_iter(),
            polynomials: polynomials.into_iter(),
        })
    }

    /// The next plate, of so many knots.
    fn next(&mut self, knots: Vec<Vec<f64>>, count: usize) -> Result<Plate, Error> {
        let wrong = || Error::contradiction("_M", "it does not fit the knots and columns");
        let polynomials = self.polynomials.next().filter(|it| *it < count).ok_or_else(wrong)?;
        let columns = knots.len();
        let weights = self.weights.rows(count - polynomials, count)?;
        let mut powers = vec![];
        for _ in 0..polynomials {
            let mine: Vec<u32> = self.powers.by_ref().take(columns).collect();
            if mine.len() != columns {
                return Err(wrong());
            }
            powers.push(mine);
        }
        Plate::new(knots, weights, powers).ok_or_else(wrong)
    }
}

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

    /// Adds the parts of the curve at `x`, a number for each of its columns, to `terms`: NaN
    /// where one is missing.
    pub(super) fn expand(&self, x: &[f64], terms: &mut Vec<f64>) {
        if x.iter().any(|x| x.is_nan()) {
            terms.extend(std::iter::repeat_n(f64::NAN, self.parts()));
            return;
        }
        let values: Vec<f64> = match &self.shape {
            Shape::Cubic(cubic) => cubic.at(x[0]),
            Shape::Basis(basis) => (0..basis.parts()).map(|part| basis.at(part, x[0])).collect(),
            Shape::Plate(plate) => {
                let mut parts = vec![];
                plate.at(x, &mut parts);
                parts
            }
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
            Self::Plate(plate) => plate.parts(),
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
