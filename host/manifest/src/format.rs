//! How predictions are written: the one list of formats.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A form of predictions that needs no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormatName {
    /// A JSON object with the label, the probabilities and the model.
    Json,
}

/// How predictions are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A JSON object.
    Json {
        /// How many classes it carries, the most probable first; all in the order of the
        /// model if `None`.
        top: Option<NonZeroUsize>,
    },
    /// Text with placeholders, in Jinja's notation.
    Template(String),
}

impl Format {
    /// What the keys `format`, `top` and `template` of `[sink]` mean.
    pub fn new(name: FormatName, top: Option<NonZeroUsize>, template: Option<&str>) -> Self {
        match (template, name) {
            (Some(template), _) => Format::Template(template.to_owned()),
            (None, FormatName::Json) => Format::Json { top },
        }
    }
}

/// Why predictions cannot be encoded in a format.
#[derive(Debug, Error)]
pub enum FormatError {
    /// The template is invalid.
    #[error("the template does not compile: {reason}")]
    Template {
        /// What is wrong, in which line of the template.
        reason: String,
    },
    /// The template uses a name that no prediction has.
    #[error("the template uses the unknown variable '{name}'; known variables are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// The template uses a variable of one prediction where there are several.
    #[error(
        "the template uses '{name}', but several stages predict ({stages}); use '{instead}', or that of another"
    )]
    Several {
        /// The name.
        name: &'static str,
        /// The stages.
        stages: String,
        /// What the first of them has.
        instead: String,
    },
    /// The template uses a variable of predictions where there are none.
    #[error(
        "the template uses '{name}', but the pipeline makes no predictions; use what a record has: key, value, headers, topic, partition, offset or timestamp"
    )]
    NoPredictions {
        /// The name.
        name: &'static str,
    },
    /// The template uses a variable that this model's predictions lack.
    #[error("the template uses '{name}', but the model predicts {predicts}; use {instead}")]
    Absent {
        /// The name.
        name: &'static str,
        /// `classes` or `values`.
        predicts: &'static str,
        /// What its predictions have instead.
        instead: &'static str,
    },
}
