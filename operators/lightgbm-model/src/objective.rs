//! What a model was trained for, and what its sums become.

use crate::error::Error;
use crate::exp::exp;
use crate::header::{Header, PART};
use crate::text::{Value, excerpt};

/// What a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Category {
    /// One of two classes; the label is the more probable one.
    Binomial,
    /// One of many classes; the label is the first of the most probable.
    Multinomial,
    /// A number.
    Regression,
    /// A number that ranks rows of one query.
    Ranking,
    /// The sums of the trees as they are: the model was trained with an objective that is not
    /// LightGBM's own, and the file does not say what becomes of them.
    Raw,
}

/// What the sums of a row become.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Link {
    Identity,
    /// The square, with the sign of the sum.
    SignedSquare,
    Exponential,
    /// `1 / (1 + exp(-factor x))`, of every sum.
    Sigmoid {
        factor: f64,
    },
    /// `ln(1 + exp x)`
    SoftPlus,
    /// Shares of a whole.
    Softmax,
}

/// An objective of LightGBM's, and what it means for scoring.
#[derive(Debug)]
pub(crate) struct Objective {
    /// LightGBM's name for it, `custom` where it is not one of its own.
    pub(crate) name: &'static str,
    pub(crate) category: Category,
    pub(crate) link: Link,
}

/// The parameters that stand behind a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parameters {
    None,
    /// `sqrt`, or not.
    Root,
    /// `sigmoid:` and a factor.
    Sigmoid,
    /// `num_class:` and a number.
    Classes,
    /// Both.
    ClassesAndSigmoid,
}

/// All objectives: the name, others that LightGBM reads, what is predicted, the link.
#[rustfmt::skip]
const TABLE: [(&str, &[&str], Parameters, Category, Link); 17] = {
    use Category::{Binomial, Multinomial, Ranking, Raw, Regression};
    use Link::{Exponential, Identity, Sigmoid, SoftPlus, Softmax};
    use Parameters::{Classes, ClassesAndSigmoid, None, Root};
    [
        ("regression", &["regression_l2", "mean_squared_error", "mse", "l2", "l2_root", "root_mean_squared_error", "rmse"], Root, Regression, Identity),
        ("regression_l1", &["mean_absolute_error", "l1", "mae"], Root, Regression, Identity),
        ("huber", &[], None, Regression, Identity),
        ("fair", &[], Root, Regression, Identity),
        ("poisson", &[], None, Regression, Exponential),
        ("quantile", &[], Root, Regression, Identity),
        ("mape", &["mean_absolute_percentage_error"], Root, Regression, Identity),
        ("gamma", &[], None, Regression, Exponential),
        ("tweedie", &[], None, Regression, Exponential),
        ("binary", &[], Parameters::Sigmoid, Binomial, Sigmoid { factor: 1.0 }),
        ("multiclass", &["softmax"], Classes, Multinomial, Softmax),
        ("multiclassova", &["multiclass_ova", "ova", "ovr"], ClassesAndSigmoid, Multinomial, Sigmoid { factor: 1.0 }),
        ("cross_entropy", &["xentropy"], None, Regression, Sigmoid { factor: 1.0 }),
        ("cross_entropy_lambda", &["xentlambda"], None, Regression, SoftPlus),
        ("lambdarank", &[], None, Ranking, Identity),
        ("rank_xendcg", &["xendcg", "xe_ndcg", "xe_ndcg_mart", "xendcg_mart"], None, Ranking, Identity),
        ("custom", &["none", "null", "na"], None, Raw, Identity),
    ]
};

impl Objective {
    /// The objective of a header.
    pub(crate) fn read(header: &Header<'_>) -> Result<Self, Error> {
        let Some(value) = header.objective else {
            return Ok(Self { name: "custom", category: Category::Raw, link: Link::Identity });
        };
        let mut words = value.words();
        let first = words.next().unwrap_or_default();
        let row = TABLE.iter().find(|row| row.0 == first || row.1.contains(&first));
        let Some(&(name, _, parameters, category, link)) = row else {
            return Err(Error::Unsupported {
                what: format!("objective {}", excerpt(first)),
                supported: TABLE.map(|row| row.0).join(", "),
            });
        };
        let mut objective = Self { name, category, link };
        let (mut classes, mut has_factor) = (None, false);
        for word in words {
            use Parameters::{Classes, ClassesAndSigmoid, Root, Sigmoid};
            match (parameters, word.split_once(':')) {
                (Root, None) if word == "sqrt" => objective.link = Link::SignedSquare,
                (Sigmoid | ClassesAndSigmoid, Some(("sigmoid", factor))) => {
                    let factor = decimal(factor).filter(|factor| *factor > 0.0);
                    let factor = factor.ok_or_else(|| wrong(&value, word))?;
                    objective.link = Link::Sigmoid { factor };
                    has_factor = true;
                }
                (Classes | ClassesAndSigmoid, Some(("num_class", count))) => {
                    classes = Some(count.parse::<usize>().map_err(|_| wrong(&value, word))?);
                }
                _ => return Err(wrong(&value, word)),
            }
        }
        let wants_factor =
            matches!(parameters, Parameters::Sigmoid | Parameters::ClassesAndSigmoid);
        if wants_factor && !has_factor {
            return Err(value.error("'sigmoid:' is missing"));
        }
        let expected = match category {
            Category::Multinomial => {
                classes.ok_or_else(|| value.error("'num_class:' is missing"))?
            }
            Category::Raw => header.groups,
            _ => 1,
        };
        if expected != header.groups || category == Category::Multinomial && expected < 2 {
            let reason = format!("{} does not fit num_class {}", value.text, header.groups);
            return Err(Error::contradiction(PART, "objective", reason));
        }
        Ok(objective)
    }
}

fn wrong(value: &Value<'_>, word: &str) -> Error {
    value.error(format!("unknown parameter {}", excerpt(word)))
}

impl Link {
    /// Makes what is predicted of the sums of one row.
    #[inline]
    pub(crate) fn apply(self, sums: &mut [f64]) {
        match self {
            Self::Identity => {}
            Self::SignedSquare => {
                for x in sums {
                    let sign = f64::from(i8::from(*x > 0.0) - i8::from(*x < 0.0));
                    *x = sign * *x * *x;
                }
            }
            Self::Exponential => sums.iter_mut().for_each(|x| *x = exp(*x)),
            Self::Sigmoid { factor } => {
                sums.iter_mut().for_each(|x| *x = 1.0 / (1.0 + exp(-factor * *x)));
            }
            // The one function that is the platform's: no label and no other value needs it.
            Self::SoftPlus => sums.iter_mut().for_each(|x| *x = exp(*x).ln_1p()),
            Self::Softmax => softmax(sums),
        }
    }
}

fn softmax(sums: &mut [f64]) {
    // NaN, once met, stays, as it does in LightGBM.
    let largest = |largest: f64, x: f64| if x < largest { largest } else { x };
    let largest = sums.iter().copied().reduce(largest).unwrap_or(0.0);
    let mut whole = 0.0;
    for x in &mut *sums {
        *x = exp(*x - largest);
        whole += *x;
    }
    sums.iter_mut().for_each(|x| *x /= whole);
}

/// A factor as LightGBM reads it: the digits behind the point as a whole number, divided by a
/// power of ten, whose sum with those before it has another last bit than the nearest double
/// now and then. LightGBM writes six digits.
fn decimal(text: &str) -> Option<f64> {
    const DIGITS: usize = 15;
    const LARGEST: u32 = 308;
    const POWERS: [(u32, f64); 3] = [(50, 1e50), (8, 1e8), (1, 10.0)];
    let (digits, exponent) = match text.split_once('e') {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number =
        !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|c| c.is_ascii_digit());
    if !is_number || whole.len() > DIGITS || fraction.len() > DIGITS {
        return None;
    }
    let number = |digits: &str| {
        digits.bytes().fold(0.0, |number, digit| number * 10.0 + f64::from(digit - b'0'))
    };
    let power = (0..fraction.len()).fold(1.0, |power, _| power * 10.0);
    let value = number(whole) + number(fraction) / power;
    let (mut scale, mut left) = (1.0, exponent.unsigned_abs());
    if left > LARGEST {
        return None;
    }
    for (step, factor) in POWERS {
        while left >= step {
            scale *= factor;
            left -= step;
        }
    }
    let value = if exponent < 0 { value / scale } else { value * scale };
    Some(value).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{Link, decimal};

    #[test]
    fn factors_are_read_as_by_lightgbm() {
        assert_eq!(decimal("1"), Some(1.0));
        assert_eq!(decimal("0.7"), Some(0.7));
        assert_eq!(decimal("2.5e-05"), Some(2.5 / 1e5));
        assert_eq!(decimal("1e+10"), Some(1e10));
        for other in ["", "-1", "nan", "inf", ".5", "1.2.3", "1e", "0x1", "1e999", "1 "] {
            assert_eq!(decimal(other), None, "{other:?}");
        }
    }

    #[test]
    fn links_hold_at_the_ends_of_numbers() {
        let linked = |link: Link, mut sums: Vec<f64>| {
            link.apply(&mut sums);
            sums
        };
        assert_eq!(linked(Link::SignedSquare, vec![-3.0, 2.0, 0.0]), [-9.0, 4.0, 0.0]);
        assert_eq!(linked(Link::Exponential, vec![1e300, -1e300]), [f64::INFINITY, 0.0]);
        assert_eq!(
            linked(Link::Sigmoid { factor: 2.0 }, vec![1e300, -1e300, 0.0]),
            [1.0, 0.0, 0.5]
        );
        assert_eq!(linked(Link::Softmax, vec![1e300, -1e300]), [1.0, 0.0]);
        assert!(linked(Link::Softmax, vec![f64::INFINITY, 0.0])[0].is_nan());
        assert!(linked(Link::SignedSquare, vec![f64::NAN])[0].is_nan());
    }
}
