//! How a prediction becomes the value of an output record.
//!
//! An [`Encoder`] is created once for each scorer, when its classes or value names
//! and its model are known; everything that is the same for all records
//! is prepared then. JSON is the default form, a template is the author's own; with a schema
//! (`by_schema`), that `generated` one or a `given` one, values are `avro`, `protobuf` or JSON.

mod avro;
mod avro_types;
mod by_schema;
mod error;
mod generated;
mod given;
mod json;
mod prediction;
mod protobuf;
mod several;
mod template;
mod top;

use sandbar_manifest::{Format, FormatError, Template};
use sandbar_sandbox::OutputSchema;

use by_schema::BySchema;
pub(crate) use by_schema::SchemaContext;
pub use by_schema::TopicSchema;
pub use error::EncodeError;
pub(crate) use prediction::Predicting;
pub use prediction::Prediction;
use prediction::check_shape;
pub(crate) use several::Writer;

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
    Schema(Box<BySchema>),
}

impl Encoder {
    /// Prepares `format` for predictions of `output` that `model` makes, which is
    /// its `name@version`. Where a schema has an id, zeros are in its place, as no registry is
    /// asked; a given schema cannot be had.
    ///
    /// # Errors
    /// If a template does not compile, or uses what these predictions lack.
    pub fn new(format: &Format, output: &OutputSchema, model: &str) -> Result<Self, FormatError> {
        let form = match format {
            Format::Json { top } => Form::Json(json::Json::new(output, *top, model)),
            Format::Schema(format) => {
                let scorers = [Predicting { stage: "score", output, model }];
                let context = SchemaContext::default();
                Form::Schema(Box::new(BySchema::new(format, &scorers, &context)?))
            }
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
        let (prediction, shape) = (Prediction { label, values }, (self.labelled, self.width));
        let label = check_shape(shape.0, shape.1, label, values)?;
        match &self.form {
            Form::Schema(by) => by.encode(std::iter::once(prediction), out),
            Form::Json(json) => {
                json.encode(label, values, out);
                Ok(())
            }
            Form::Template(template) => template.encode(record, label, values, out),
        }
    }
}

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
