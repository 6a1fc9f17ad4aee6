//! What can be wrong with a MOJO, with a row or with a value.

/// Why bytes are not a model that this crate can score, or rows do not fit a model.
///
/// Every message names the entry of the archive and the line, key or byte in it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a zip archive that can be read.
    #[error("not an H2O MOJO: not a zip archive: {reason}")]
    NotZip {
        /// What the archive lacks.
        reason: String,
    },

    /// The archive holds something else.
    #[error("not an H2O MOJO: model.ini is missing")]
    NotMojo,

    /// `model.ini` names an entry that the archive does not have.
    #[error("{entry}: missing from the archive")]
    MissingEntry {
        /// The entry's name.
        entry: String,
    },

    /// An entry cannot be unpacked, or not to what the archive declares.
    #[error("{entry}: {reason}")]
    Entry {
        /// The entry's name.
        entry: String,
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

    /// A line of a text entry cannot be understood.
    #[error("{entry}: line {line}: {reason}")]
    Line {
        /// The entry's name.
        entry: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },

    /// `model.ini` lacks a key that the algorithm needs.
    #[error("model.ini: {key} is missing")]
    MissingKey {
        /// The key.
        key: String,
    },

    /// Values of `model.ini`, each well formed, contradict each other.
    #[error("model.ini: {key}: {reason}")]
    Contradiction {
        /// The key that does not fit the others.
        key: String,
        /// What it does not fit.
        reason: String,
    },

    /// A tree's bytes are not a tree.
    #[error("{entry}: node at byte {offset}: {reason}")]
    Tree {
        /// The entry's name.
        entry: String,
        /// Where the node begins.
        offset: usize,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// A model inside of another cannot be read.
    #[error("{folder}: {error}")]
    Submodel {
        /// Its folder in the archive.
        folder: String,
        /// What is wrong with it.
        error: Box<Error>,
    },

    /// A MOJO, but of a kind that this crate does not score.
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

    /// There is not one offset per row.
    #[error("expected {rows} offsets, one per row, got {offsets}")]
    Offsets {
        /// How many offsets were handed over.
        offsets: usize,
        /// How many rows.
        rows: usize,
    },
}

impl Error {
    /// A value of `model.ini` that contradicts another.
    pub(crate) fn contradiction(key: &str, reason: impl Into<String>) -> Self {
        Self::Contradiction { key: key.into(), reason: reason.into() }
    }

    /// A kind of model that is not scored.
    pub(crate) fn refused(what: &str, supported: &str) -> Self {
        Self::Unsupported { what: what.into(), supported: supported.into() }
    }
}

/// Why a text is not a value of a feature.
///
/// What to do about it is the caller's choice: `f64::NAN` for a missing value, as H2O does
/// with `convertUnknownCategoricalLevelsToNa` and `convertInvalidNumbersToNa`, or an error
/// for that row, which is H2O's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The feature is categorical and the model has not seen this category.
    #[error("unknown category")]
    UnknownCategory,

    /// The feature is a number and the text is none.
    #[error("not a number")]
    NotANumber,
}
