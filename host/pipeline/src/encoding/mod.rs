//! How a prediction becomes the value of an output record.
//!
//! An [`Encoder`] is created once for each scorer, when its classes or value names
//! and its model are known; everything that is the same for all records
//! is prepared then. JSON is the default form, a template is the author's own.

mod error;
mod json;
mod template;

use sandbar_manifest::{Format, FormatError, Template};
use sandbar_sandbox::OutputSchema;

pub use error::EncodeError;

use sandbar_record::Record;

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
                let template = Template::compile(text)?;
                Form::Template(Box::new(template::Bound::new(template, output, model)?))
            }
        };
        let labelled = matches!(output, OutputSchema::Classes(_));
        Ok(Encoder { labelled, width: output.names().len(), form })
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
        if values.len() != self.width {
            return Err(EncodeError::Width { expected: self.width, given: values.len() });
        }
        let label = if self.labelled {
            let index = label.map(|label| label as usize).filter(|index| *index < self.width);
            Some(index.ok_or(EncodeError::Label { label, classes: self.width })?)
        } else {
            None
        };
        match &self.form {
            Form::Json(json) => {
                json.encode(label, values, out);
                Ok(())
            }
            Form::Template(template) => template.encode(record, label, values, out),
        }
    }
}

#[cfg(test)]
mod tests;
