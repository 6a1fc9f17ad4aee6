//! How a prediction becomes the value of an output record.
//!
//! An [`Encoder`] is created once for each scorer, when its classes or value names
//! and its model are known; everything that is the same for all records
//! is prepared then. JSON is the default form, a template is the author's own.

mod error;
mod json;
mod several;
mod template;

use sandbar_manifest::{Format, FormatError, Template};
use sandbar_sandbox::OutputSchema;

pub use error::EncodeError;
pub(crate) use several::{Predicting, Writer};

use sandbar_record::Record;

/// A prediction of a scorer.
#[derive(Debug, Clone, Copy)]
pub struct Prediction<'a> {
    /// The index of its class; `None` for values.
    pub label: Option<u32>,
    /// The probabilities by class, or the values.
    pub values: &'a [f64],
}

/// Writes predictions of one scorer. It may be sent to another thread, but is for
/// one at a time: each worker has its own.
#[derive(Debug)]
pub struct Encoder {
    labelled: bool,
    width: usize,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Json(json::Json),
    Template(Box<template::Bound>),
}

impl Encoder {
    /// Prepares `format` for predictions of `output` that `model` makes, which is
    /// its `name@version`.
    ///
    /// # Errors
    /// If a template does not compile, or uses what these predictions lack.
    pub fn new(format: &Format, output: &OutputSchema, model: &str) -> Result<Self, FormatError> {
        let form = match format {
            Format::Json { top } => Form::Json(json::Json::new(output, *top, model)),
            Format::Template(text) => {
                return Self::of_template(Template::compile(text)?, output, model);
            }
        };
        Ok(Self::of_form(form, output))
    }

    /// The same for a template that is compiled.
    pub(crate) fn of_template(
        template: Template,
        output: &OutputSchema,
        model: &str,
    ) -> Result<Self, FormatError> {
        let form = Form::Template(Box::new(template::Bound::new(template, output, model)?));
        Ok(Self::of_form(form, output))
    }

    fn of_form(form: Form, output: &OutputSchema) -> Self {
        let labelled = matches!(output, OutputSchema::Classes(_));
        Encoder { labelled, width: output.names().len(), form }
    }

    /// Appends to `out` the value of the output record for a prediction: `label`
    /// is the index of its class (ignored for an output of values), `values` are
    /// the probabilities by class, or the values, of which there are as many as
    /// names. `record` is the one that the prediction is of.
    ///
    /// # Errors
    /// If label or values are not of that shape, or a template fails. Part of
    /// the text may have been appended then.
    pub fn encode(
        &self,
        record: &Record<'_>,
        label: Option<u32>,
        values: &[f64],
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let label = check_shape(self.labelled, self.width, label, values)?;
        match &self.form {
            Form::Json(json) => {
                json.encode(label, values, out);
                Ok(())
            }
            Form::Template(template) => template.encode(record, label, values, out),
        }
    }
}

/// Whether label and values are of the shape that the scorer declared; the label as an index.
#[inline]
fn check_shape(
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

#[cfg(test)]
mod tests;
