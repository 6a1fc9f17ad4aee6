//! Why one prediction cannot be written.

use thiserror::Error;

/// Why one prediction cannot be written. The others can.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// The prediction is not of the shape that the scorer announced.
    #[error("the scorer announced {expected} values for each prediction and gave {given}")]
    Width {
        /// The number of classes or value names.
        expected: usize,
        /// The number of values.
        given: usize,
    },
    /// The label is absent, or is not the index of a class.
    #[error("the scorer gave {label:?} as index of the label, of {classes} classes")]
    Label {
        /// The index.
        label: Option<u32>,
        /// The number of classes.
        classes: usize,
    },
    /// The template cannot be filled for this record.
    #[error("[sink] template: {0}")]
    Template(String),
}
