//! What scorers predict.

use sandbar_sandbox::OutputSchema;

use super::error::EncodeError;

/// A prediction of a scorer.
#[derive(Debug, Clone, Copy)]
pub struct Prediction<'a> {
    /// The index of its class; `None` for values.
    pub label: Option<u32>,
    /// The probabilities by class, or the values.
    pub values: &'a [f64],
}

impl Prediction<'_> {
    /// What is there in place of a prediction that a scorer has not made.
    pub(super) const NONE: Self = Prediction { label: None, values: &[] };
}

/// A scorer whose predictions are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Predicting<'a> {
    /// The name of its stage.
    pub(crate) stage: &'a str,
    /// What its predictions are made of.
    pub(crate) output: &'a OutputSchema,
    /// Its model, `name@version`.
    pub(crate) model: &'a str,
}

/// Whether label and values are of the shape that the scorer declared; the label as an index.
#[inline]
pub(super) fn check_shape(
    labelled: bool,
    width: usize,
    label: Option<u32>,
    values: &[f64],
) -> Result<Option<usize>, EncodeError> {
    if values.len() != width {
        return Err(EncodeError::Width { expected: width, given: values.len() });
    }
    if !labelled {
        return Ok(None);
    }
    let index = label.map(|label| label as usize).filter(|index| *index < width);
    Ok(Some(index.ok_or(EncodeError::Label { label, classes: width })?))
}
