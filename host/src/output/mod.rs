//! How a prediction becomes the value of an output record.
//!
//! An [`Encoder`] is created once for each scorer, when its classes or value names
//! and its model are known; everything that is the same for all records
//! is prepared then. JSON is the default form, a template is the author's own.

mod json;
mod template;

use std::num::NonZeroUsize;

use thiserror::Error;

pub use template::Template;

use crate::records::Record;

/// How predictions are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A JSON object.
    Json {
        /// How many classes it carries, the most probable first; all in the order
        /// of the model where it is `None`.
        top: Option<NonZeroUsize>,
    },
    /// Text with placeholders, in Jinja's notation.
    Template(String),
}

/// The content of a scorer's predictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A label, and a probability for each of these classes.
    Classes(Vec<String>),
    /// A number for each of these names.
    Values(Vec<String>),
}

impl Output {
    /// The names of the classes or values.
    pub fn names(&self) -> &[String] {
        match self {
            Output::Classes(names) | Output::Values(names) => names,
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
        /// The known names.
        known: String,
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
    /// The template fails for this record.
    #[error("[sink] template: {0}")]
    Template(String),
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
    pub fn new(format: &Format, output: &Output, model: &str) -> Result<Self, FormatError> {
        let form = match format {
            Format::Json { top } => Form::Json(json::Json::new(output, *top, model)),
            Format::Template(text) => {
                Form::Template(Box::new(Template::compile(text)?.bind(output, model)?))
            }
        };
        let labelled = matches!(output, Output::Classes(_));
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
