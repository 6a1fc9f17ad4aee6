//! What can be wrong with a model, with a row or with a value.

/// Why bytes are not a model that this crate can score, or rows do not fit a model.
///
/// Every message names the place in the file: the byte, or the keys that lead to it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are something else, such as a model in XGBoost's old binary format.
    #[error("not an XGBoost model: {reason}")]
    NotXgboost {
        /// What they are, or what they lack, and what to do.
        reason: String,
    },

    /// The bytes are neither JSON nor UBJSON.
    #[error("byte {offset}: {reason}")]
    Syntax {
        /// Where, from 0.
        offset: usize,
        /// What is wrong there.
        reason: &'static str,
    },

    /// A value cannot be what its key says, or contradicts others.
    #[error("{place}: {reason}")]
    Field {
        /// The keys and places in lists that lead to it, such as `learner.objective.name`.
        place: String,
        /// What is wrong with it.
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

/// Why a text is not a value of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The feature is categorical, and this is not one of its categories.
    #[error("unknown category")]
    UnknownCategory,

    /// The feature is a number and the text is none.
    #[error("not a number")]
    NotANumber,
}
