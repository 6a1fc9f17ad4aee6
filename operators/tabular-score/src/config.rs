//! The stage's configuration.

use serde::Deserialize;

/// How to score. Every key has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// A category that the model was not trained with. Default: the row fails.
    pub unknown_category: Treatment,
    /// Text that is no number, for a numeric feature. Default: the row fails.
    pub invalid_number: Treatment,
    /// A feature of the model without a column. Default: what the model's maker does, which is to
    /// take it for missing in every row for H2O, and to refuse for the others.
    pub missing_column: Option<Treatment>,
    /// No offset, for a model that was trained with one. Default: the configuration is
    /// refused where there is no column, the row fails where its value is missing.
    pub missing_offset: MissingOffset,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            unknown_category: Treatment::Fail,
            invalid_number: Treatment::Fail,
            missing_column: None,
            missing_offset: MissingOffset::Fail,
        }
    }
}

/// What to make of a value that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Treatment {
    /// Refuse: the row, or the configuration where it concerns all rows.
    Fail,
    /// Take it for missing.
    Missing,
}

/// What to make of an offset that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MissingOffset {
    /// Refuse: the row, or the configuration where it concerns all rows.
    Fail,
    /// Take it for zero, as H2O's `EasyPredictModelWrapper` does where none is handed over.
    Zero,
}
