//! Generalised linear models: sums of coefficients, linked to a number or to classes.
//!
//! - `input`: from a row to the coefficients that count and by what they are multiplied.
//! - `link`: from a sum to a number.
//! - this file: what `model.ini` says of the whole, and from sums to a row's values.

mod input;
pub(super) mod link;

use std::sync::Arc;

use super::engine::{Engine, EngineScorer, Source};
use crate::category::Category;
use crate::error::Error;
use crate::exp::exp;
use crate::info::Info;
use crate::limits;

use input::{Input, Terms};
use link::{Link, logistic};

/// A model.
#[derive(Debug)]
struct Glm {
    input: Input,
    /// Of each sum: one per level, one per number, the intercept.
    coefficients: Vec<f64>,
    outcome: Outcome,
}

/// What the sums of a row become.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    /// One sum, linked to a number.
    Number(Link),
    /// One sum: the log of the odds of the second class.
    TwoClasses,
    /// One sum per class, the logs of what the probabilities are shares of.
    Shares,
    /// One sum per class but the last: the log of the odds of this class or one before it.
    Ordered,
}

/// A model and the memory for one row.
#[derive(Debug)]
struct Scorer {
    glm: Arc<Glm>,
    terms: Terms,
}

/// What a MOJO of a linear model does not have in H2O 3.46: its reader would pass over it.
const UNKNOWN: [&str; 7] = [
    "_genmodel_encoding",
    "_n_orig_names",
    "calib_method",
    "control_variables",
    "interaction_pairs",
    "num_interactions",
    "remove_offset_effects",
];

/// Reads the coefficients and what belongs to them.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    source.format(1.0, "glm 1.00")?;
    let Source { info, features, classes, limits, .. } = *source;
    if let Some(key) = UNKNOWN.iter().find(|key| info.text(key).is_some()) {
        return Err(Error::Unsupported {
            what: format!("a linear model with '{key}' in model.ini"),
            supported: "linear models as H2O 3.46 writes them".into(),
        });
    }
    let outcome = Outcome::read(info, classes.count())?;
    let input = Input::read(info, features)?;
    let sums = match outcome {
        Outcome::Number(_) | Outcome::TwoClasses => 1,
        // The last of ordered classes has coefficients, too, which do not count.
        Outcome::Shares | Outcome::Ordered => classes.count(),
    };
    let expected = input.width().saturating_mul(sums);
    limits::check(|| "beta: coefficients".into(), expected as u64, limits.weights, "weights")?;
    let found = info.items("beta");
    if found != expected {
        return Err(Error::contradiction(
            "beta",
            format!("expected {expected} items, got {found}"),
        ));
    }
    let coefficients = info.list("beta")?.unwrap_or_default();
    Ok(Arc::new(Glm { input, coefficients, outcome }))
}

impl Outcome {
    /// What family and link say; `classes` is how many the response has, 0 for a number.
    fn read(info: &Info<'_>, classes: usize) -> Result<Self, Error> {
        let (family, link) = (info.required("family")?, info.required("link")?);
        let category = Category::read(info)?;
        let (outcome, expected, fits) = match family {
            "gaussian" | "poisson" | "gamma" | "tweedie" | "negativebinomial" => {
                let link = Link::read(info, family)?;
                (Self::Number(link), Category::Regression, classes == 0)
            }
            "binomial" | "quasibinomial" | "fractionalbinomial" => {
                (Self::TwoClasses, Category::Binomial, classes == 2)
            }
            "multinomial" => (Self::Shares, Category::Multinomial, classes > 2),
            "ordinal" => (Self::Ordered, Category::Ordinal, classes > 2),
            other => {
                return Err(Error::Unsupported {
                    what: format!("family '{other}'"),
                    supported: FAMILIES.into(),
                });
            }
        };
        let its_own = match outcome {
            Self::Number(_) => link,
            Self::TwoClasses => "logit",
            Self::Shares => "multinomial",
            Self::Ordered => "ologit",
        };
        if link != its_own {
            return Err(Error::Unsupported {
                what: format!("link '{link}' of family '{family}'"),
                supported: its_own.into(),
            });
        }
        if matches!(outcome, Self::Shares | Self::Ordered) && info.text("offset_column").is_some() {
            // H2O trains none.
            return Err(Error::Unsupported {
                what: format!("an offset column of family '{family}'"),
                supported: "an offset of other families".into(),
            });
        }
        if category != expected || !fits {
            let reason = format!("{family} does not fit {category:?} of {classes} classes");
            return Err(Error::contradiction("family", reason));
        }
        Ok(outcome)
    }
}

/// The families that are scored.
const FAMILIES: &str = "gaussian, binomial, quasibinomial, fractionalbinomial, poisson, \
                        gamma, tweedie, negativebinomial, multinomial, ordinal";

impl Glm {
    /// Scores one row into `values`.
    fn score(&self, row: &[f64], offset: f64, terms: &mut Terms, values: &mut [f64]) {
        if !self.input.terms(row, terms) {
            // H2O's scorer throws.
            values.fill(f64::NAN);
            return;
        }
        let width = self.input.width();
        let sum = |class: usize| terms.sum(&self.coefficients[class * width..][..width]);
        match (self.outcome, values) {
            (Outcome::Number(link), [number]) => {
                *number = link.invert(sum(0) + offset);
            }
            (Outcome::TwoClasses, [first, second]) => {
                *second = logistic(sum(0) + offset);
                *first = 1.0 - *second;
            }
            (Outcome::Shares, values) => {
                // H2O leaves the offset out here.
                values.iter_mut().enumerate().for_each(|(class, value)| *value = sum(class));
                shares(values);
            }
            (Outcome::Ordered, [before @ .., last]) => {
                let mut reached = 0.0;
                for (class, value) in before.iter_mut().enumerate() {
                    let next = logistic(sum(class) + offset);
                    *value = next - reached;
                    reached = next;
                }
                *last = 1.0 - reached;
            }
            // There are as many values as classes, or one.
            _ => {}
        }
    }
}

/// Turns logarithms into shares of one.
pub(super) fn shares(values: &mut [f64]) {
    // H2O begins with zero, so that sums below it stay as they are.
    let most = values.iter().fold(0.0, |most, &sum| if sum > most { sum } else { most });
    let mut total = 0.0;
    for value in &mut *values {
        *value = exp(*value - most);
        total += *value;
    }
    let factor = 1.0 / total;
    values.iter_mut().for_each(|value| *value *= factor);
}

impl Engine for Glm {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        Box::new(Scorer { glm: self, terms: Terms::default() })
    }
}

impl EngineScorer for Scorer {
    fn score(
        &mut self,
        rows: &[f64],
        offsets: Option<&[f64]>,
        values: &mut [f64],
        width: usize,
        _: &mut Vec<f64>,
    ) {
        let rows = rows.chunks_exact(self.glm.input.features());
        for (index, (row, values)) in rows.zip(values.chunks_exact_mut(width)).enumerate() {
            let offset = offsets.and_then(|offsets| offsets.get(index)).copied().unwrap_or(0.0);
            self.glm.score(row, offset, &mut self.terms, values);
        }
    }
}
