//! Why one prediction cannot be written.

use thiserror::Error;

/// Why one prediction cannot be encoded. The others can.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// The prediction does not have the shape that the scorer declared.
    #[error("expected {expected} values for each prediction, the scorer gave {given}")]
    Width {
        /// The number of classes or value names.
        expected: usize,
        /// The number of values.
        given: usize,
    },
    /// The label is absent, or is not the index of a class.
    #[error("the scorer gave the index {label:?} for the label, of {classes} classes")]
    Label {
        /// The index.
        label: Option<u32>,
        /// The number of classes.
        classes: usize,
    },
    /// A schema wants a number with fewer bits.
    #[error("{0} is more than a float takes; make the field a double in the schema")]
    Float(f64),
    /// The template fails for this record.
    #[error("[sink] template: {0}")]
    Template(String),
}

impl EncodeError {
    /// The cause, with the key of the manifest where a template stands.
    pub(crate) fn at(&self, place: &str) -> String {
        match self {
            EncodeError::Template(reason) => format!("{place}: {reason}"),
            other => other.to_string(),
        }
    }
}
