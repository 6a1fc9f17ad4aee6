//! Calibrated probabilities of two classes, beside those that the model gives.
//!
//! H2O's tree models may be calibrated on data held back: by Platt's scaling, a logistic
//! regression on the first class's probability, or by isotonic regression, a rising line of
//! points over the second's (`CalibrationMojoHelper` and `IsotonicRegressionUtils` of
//! h2o-genmodel). The label does not follow from them.

use std::cmp::Ordering;

use crate::archive::Archive;
use crate::error::Error;
use crate::exp::exp;
use crate::info::Info;

/// How a model's probabilities are calibrated.
#[derive(Debug)]
pub(crate) enum Calibration {
    Platt { slope: f64, intercept: f64 },
    Isotonic(Isotonic),
}

/// A rising line of points. Between two of them it is straight; outside of `least..=most` it is
/// level.
#[derive(Debug)]
pub(crate) struct Isotonic {
    least: f64,
    most: f64,
    points: Vec<(f64, f64)>,
}

const METHOD: &str = "calib_method";
const ABSCISSAE: &str = "calib/thresholds_x";
const ORDINATES: &str = "calib/thresholds_y";

impl Calibration {
    /// What the MOJO has; `None` where it has none.
    pub(crate) fn read(archive: &mut Archive<'_>, info: &Info<'_>) -> Result<Option<Self>, Error> {
        match info.text(METHOD) {
            None => Ok(None),
            Some("platt") => {
                const KEY: &str = "calib_glm_beta";
                match info.list(KEY)?.as_deref() {
                    Some([slope, intercept]) => {
                        Ok(Some(Self::Platt { slope: *slope, intercept: *intercept }))
                    }
                    _ => Err(Error::contradiction(KEY, "expected two numbers")),
                }
            }
            Some("isotonic") => Ok(Some(Self::Isotonic(Isotonic::read(archive, info)?))),
            Some(other) => Err(Error::Unsupported {
                what: format!("calibration '{other}'"),
                supported: "platt, isotonic".into(),
            }),
        }
    }

    /// The calibrated probabilities of a row.
    pub(crate) fn apply(&self, [first, second]: &[f64; 2]) -> [f64; 2] {
        let second = match self {
            Self::Platt { slope, intercept } => 1.0 / (exp(-(first * slope + intercept)) + 1.0),
            Self::Isotonic(line) => line.at(*second),
        };
        [1.0 - second, second]
    }
}

impl Isotonic {
    /// Reads the line.
    pub(crate) fn read(archive: &mut Archive<'_>, info: &Info<'_>) -> Result<Self, Error> {
        let (least, most) = (info.number("calib_min_x")?, info.number("calib_max_x")?);
        let (x, y) = (doubles(archive, ABSCISSAE)?, doubles(archive, ORDINATES)?);
        let (Some(first), Some(last)) = (x.first(), x.last()) else {
            return Err(fault(ABSCISSAE, "it has no points"));
        };
        if x.len() != y.len() {
            return Err(fault(ORDINATES, "it has not as many numbers as calib/thresholds_x"));
        }
        // Where the line jumps, two points have one abscissa.
        if !x.is_sorted() {
            return Err(fault(ABSCISSAE, "its numbers fall"));
        }
        if !(*first <= least && least <= most && most <= *last) {
            return Err(Error::contradiction(
                "calib_min_x",
                "it and calib_max_x are not among the points",
            ));
        }
        Ok(Self { least, most, points: x.into_iter().zip(y).collect() })
    }

    /// The ordinate of the line at `x`.
    pub(crate) fn at(&self, x: f64) -> f64 {
        if x.is_nan() {
            return x;
        }
        let points = &self.points;
        let x = if x < self.least { self.least } else { x.min(self.most) };
        match java_search(points, x) {
            Ok(found) => points[found].1,
            // Within the points, as the reader has checked.
            Err(after) => {
                let ((x0, y0), (x1, y1)) = (points[after - 1], points[after]);
                let slope = (y1 - y0) / (x1 - x0);
                y0 + slope * (x - x0)
            }
        }
    }
}

/// Where `x` is among the points, or after how many of them, as `Arrays.binarySearch` of Java
/// finds it: of two points at one place the one that it comes to first.
fn java_search(points: &[(f64, f64)], x: f64) -> Result<usize, usize> {
    let (mut low, mut high) = (0, points.len());
    while low < high {
        let middle = (low + high - 1) / 2;
        match points[middle].0.total_cmp(&x) {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
            Ordering::Equal => return Ok(middle),
        }
    }
    Err(low)
}

/// Big-endian: how many, and the numbers.
fn doubles(archive: &mut Archive<'_>, entry: &str) -> Result<Vec<f64>, Error> {
    let bytes = archive.get(entry)?;
    let read = || {
        let (count, rest) = bytes.split_first_chunk::<4>()?;
        let (numbers, rest) = rest.as_chunks::<8>();
        let complete = numbers.len() == u32::from_be_bytes(*count) as usize && rest.is_empty();
        complete.then(|| numbers.iter().map(|number| f64::from_be_bytes(*number)).collect())
    };
    read().ok_or_else(|| fault(entry, "expected a count and as many doubles"))
}

fn fault(entry: &str, reason: &str) -> Error {
    Error::Entry { entry: entry.into(), reason: reason.into() }
}
