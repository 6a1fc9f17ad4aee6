//! What a model says of its release, and of how many numbers it is made.

use crate::document::Document;
use crate::error::Error;
use crate::limits::{self, Limits};
use crate::objective::{Objective, Outcome};

/// The newest release whose models were compared.
const NEWEST: (u32, u32) = (3, 4);

/// Models of releases that were not compared may mean something else.
pub(crate) fn check_version(version: Option<(u32, u32)>) -> Result<(), Error> {
    match version {
        Some(version) if ((1, 0)..=NEWEST).contains(&version) => Ok(()),
        other => Err(Error::Unsupported {
            what: match other {
                Some((major, minor)) => format!("a model of XGBoost {major}.{minor}"),
                None => "a model without the version of XGBoost".into(),
            },
            supported: format!("1.0 to {}.{}", NEWEST.0, NEWEST.1),
        }),
    }
}

/// The error in a parameter of the learner.
fn parameter(key: &str, reason: impl Into<String>) -> Error {
    Error::Field { place: format!("learner.learner_model_param.{key}"), reason: reason.into() }
}

/// How many features the model has.
pub(crate) fn feature_count(document: &Document, limits: &Limits) -> Result<usize, Error> {
    let count = document.parameters.features.unwrap_or(0);
    if count == 0 {
        return Err(parameter("num_feature", "the model has no features"));
    }
    limits::check(|| "features".into(), count, limits.features, "features")?;
    usize::try_from(count).map_err(|_| parameter("num_feature", "is out of range"))
}

/// How many sums a row has.
pub(crate) fn output_count(
    document: &Document,
    objective: &Objective,
    limits: &Limits,
) -> Result<usize, Error> {
    let classes = document.parameters.classes.unwrap_or(0);
    let targets = document.parameters.targets.unwrap_or(1);
    let count = classes.max(targets).max(1);
    limits::check(|| "outputs".into(), count, limits.outputs, "outputs")?;
    match objective.outcome {
        _ if classes > 1 && targets > 1 => {
            return Err(parameter("num_target", "several targets of several classes"));
        }
        Outcome::Shares if classes < 2 => {
            return Err(parameter("num_class", format!("expected several classes, got {classes}")));
        }
        Outcome::Probability if classes > 1 => {
            return Err(parameter("num_class", "several classes of an objective for two"));
        }
        Outcome::Sign if count > 1 => {
            return Err(Error::Unsupported {
                what: "binary:hinge of several outputs".into(),
                supported: "binary:hinge of one".into(),
            });
        }
        _ => {}
    }
    usize::try_from(count).map_err(|_| parameter("num_class", "is out of range"))
}

/// What the sums of a row begin with.
pub(crate) fn margins(
    document: &Document,
    objective: &Objective,
    outputs: usize,
) -> Result<Vec<f32>, Error> {
    let text = document.parameters.base_score.as_deref().unwrap_or_default();
    let scores: Option<Vec<f32>> = list(text).map(|it| it.parse().ok()).collect();
    let margins: Vec<f32> = match scores.as_deref() {
        // Releases before 3.1 had one for all outputs.
        Some([score]) => vec![objective.margin(*score); outputs],
        Some(scores) if scores.len() == outputs => {
            scores.iter().map(|score| objective.margin(*score)).collect()
        }
        Some(scores) => {
            let reason = format!("expected 1 or {outputs} numbers, got {}", scores.len());
            return Err(parameter("base_score", reason));
        }
        None => return Err(parameter("base_score", format!("expected numbers, got '{text}'"))),
    };
    if margins.iter().any(|margin| margin.is_nan()) {
        return Err(parameter("base_score", "is not one that the objective can have"));
    }
    Ok(margins)
}

/// The names of outputs that are not classes.
pub(crate) fn output_names(
    document: &Document,
    objective: &Objective,
    outputs: usize,
) -> Result<Vec<String>, Error> {
    let quantiles = document.objective.quantiles.as_deref().filter(|_| objective.has_quantiles);
    match quantiles {
        _ if outputs == 1 => Ok(vec!["predict".into()]),
        Some(text) => {
            // Written in whichever way the release writes numbers.
            let numbers: Option<Vec<f32>> = list(text).map(|it| it.parse().ok()).collect();
            if let Some(numbers) = numbers.filter(|numbers| numbers.len() == outputs) {
                return Ok(numbers.iter().map(|it| format!("quantile_{it}")).collect());
            }
            Err(Error::Field {
                place: "learner.objective.quantile_loss_param.quantile_alpha".into(),
                reason: format!("expected {outputs} numbers, got '{text}'"),
            })
        }
        None => Ok((0..outputs).map(|output| format!("output_{output}")).collect()),
    }
}

/// The items of a list in a text, which stand in brackets, or one item without.
fn list(text: &str) -> impl Iterator<Item = &str> {
    let inner = text.trim_matches(|c| matches!(c, '[' | ']' | '(' | ')' | ' '));
    inner.split(',').map(str::trim)
}
