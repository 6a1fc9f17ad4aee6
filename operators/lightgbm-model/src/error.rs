//! What can be wrong with a model, with a row or with a value.

/// Why bytes are not a model that this crate can score, or rows do not fit a model.
///
/// Every message names the line, the tree or the column.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are something else.
    #[error("not a LightGBM text model: {reason}")]
    NotModel {
        /// What they lack.
        reason: String,
    },

    /// More than [`Limits`](crate::Limits) allow.
    #[error(
        "{what}: {value} exceeds the limit of {limit}: raise Limits::{name} if the model is trusted"
    )]
    Limit {
        /// What there is too much of, and where.
        what: String,
        /// How much of it.
        value: u64,
        /// How much is allowed.
        limit: u64,
        /// The field of `Limits` that says so.
        name: &'static str,
    },

    /// A line cannot be understood.
    #[error("line {line}: {reason}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },

    /// A part of the file lacks a key.
    #[error("{part}: {key} is missing")]
    MissingKey {
        /// The header, or which tree.
        part: String,
        /// The key.
        key: &'static str,
    },

    /// Values, each well formed, contradict each other.
    #[error("{part}: {key}: {reason}")]
    Contradiction {
        /// The header, or which tree.
        part: String,
        /// The key that does not fit the others.
        key: &'static str,
        /// What it does not fit.
        reason: String,
    },

    /// The file ends too early, or something else stands where a part of it should.
    #[error("{part}: {reason}: the file is damaged, cut off or was edited")]
    Damaged {
        /// Which part.
        part: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A model, but of a kind that this crate does not score.
    #[error("{what} is not supported; supported: {supported}")]
    Unsupported {
        /// The kind.
        what: String,
        /// The kinds that are.
        supported: String,
    },

    /// The rows are not a whole number of the model's rows.
    #[error("expected a multiple of {features} values, one per feature, got {values}")]
    Rows {
        /// How many values were handed over.
        values: usize,
        /// How many make a row.
        features: usize,
    },
}

impl Error {
    /// A [`Contradiction`](Self::Contradiction).
    pub(crate) fn contradiction(
        part: impl Into<String>,
        key: &'static str,
        reason: impl Into<String>,
    ) -> Self {
        Self::Contradiction { part: part.into(), key, reason: reason.into() }
    }

    /// A [`Damaged`](Self::Damaged).
    pub(crate) fn damaged(part: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Damaged { part: part.into(), reason: reason.into() }
    }
}

/// Why a text is not a value of a feature.
///
/// What to do about it is the caller's choice: `f64::NAN` for a missing value, which is what
/// LightGBM makes of a pandas category that it does not know, or an error for that row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The feature is categorical and the model has not seen this category.
    #[error("unknown category")]
    UnknownCategory,

    /// The feature is a number and the text is none.
    #[error("not a number")]
    NotANumber,
}
