//! Cubic regression splines: from a number to the parts of a curve (`GamUtilsCubicRegression`
//! of h2o-genmodel).

use super::{contradiction, list};
use crate::algorithms::engine::Source;
use crate::error::Error;

/// A curve.
#[derive(Debug)]
pub(super) struct Spline {
    /// Ascending, three or more.
    knots: Vec<f64>,
    /// From a number's place among the inner knots to the curve's values at all of them.
    curvature: Vec<Vec<f64>>,
    /// From the curve's values to its parts, which are one fewer.
    centering: Vec<Vec<f64>>,
}

/// The curves, each of so many knots.
pub(super) fn read(source: &mut Source<'_, '_>, counts: &[usize]) -> Result<Vec<Spline>, Error> {
    let kinds: Vec<i32> = list(source.info, "bs_sorted")?;
    if kinds.len() != counts.len() || kinds.iter().any(|kind| *kind != 0) {
        return Err(contradiction("bs_sorted", "expected 0 for each curve".into()));
    }
    if let Some(count) = counts.iter().find(|count| **count < 3) {
        return Err(contradiction("num_knots_sorted", format!("{count} are too few")));
    }
    let mut knots = Numbers::open(source, "knots")?;
    let mut curvature = Numbers::open(source, "_binvD")?;
    let mut centering = Numbers::open(source, "zTranspose")?;
    let mut splines = vec![];
    for count in counts {
        let spline = Spline {
            knots: knots.take(*count)?,
            curvature: curvature.rows(count - 2, *count)?,
            centering: centering.rows(count - 1, *count)?,
        };
        if !spline.knots.is_sorted_by(|one, next| one < next) {
            return Err(Error::Entry {
                entry: "knots".into(),
                reason: "expected numbers that rise".into(),
            });
        }
        splines.push(spline);
    }
    [knots, curvature, centering].into_iter().try_for_each(Numbers::close)?;
    Ok(splines)
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
    /// Adds the parts of the curve at `x` to `terms`: NaN where it is missing.
    pub(super) fn expand(&self, x: f64, terms: &mut Vec<f64>) {
        if x.is_nan() {
            terms.extend(self.centering.iter().map(|_| f64::NAN));
            return;
        }
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
        let values: Vec<f64> = (0..self.knots.len()).map(value).collect();
        terms.extend(self.centering.iter().map(|weights| {
            let mut sum = 0.0;
            for (value, weight) in values.iter().zip(weights) {
                sum += value * weight;
            }
            sum
        }));
    }

    /// Between which knots `x` is, or which are the nearest.
    fn bin(&self, x: f64) -> usize {
        let after = self.knots.partition_point(|knot| *knot <= x);
        after.saturating_sub(1).min(self.knots.len() - 2)
    }
}
