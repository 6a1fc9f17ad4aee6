//! The predictions of several scorers for one record: a JSON object with that of each under the
//! name of its stage, or a template that has them by these names.

use std::sync::Arc;

use minijinja::value::Value;
use sandbar_manifest::template::Variable;
use sandbar_manifest::{Format, FormatError, Template};
use sandbar_record::{Record, SchemaHeader};
use sandbar_sandbox::OutputSchema;

use super::Encoder;
use super::by_schema::{BySchema, SchemaContext, TopicSchema};
use super::error::EncodeError;
use super::json::quote;
use super::prediction::{Predicting, Prediction, check_shape};
use super::template::{Names, of_record, render};

/// Writes what leaves a pipeline of a record: one prediction as it is, several together.
#[derive(Debug)]
pub(crate) enum Writer {
    /// Of one scorer.
    One(Box<Encoder>),
    /// Of several, as JSON: what stands before each, and its encoder.
    Json(Vec<(String, Encoder)>),
    /// Of one or several, by a schema.
    Schema(Box<BySchema>),
    /// Of several, by a template.
    Template(Box<Template>, Vec<Named>),
}

/// A scorer as a template has it.
#[derive(Debug)]
pub(crate) struct Named {
    stage: Arc<str>,
    names: Arc<Names>,
    labelled: bool,
    width: usize,
    model: Value,
}

impl Writer {
    /// Prepares `format` for predictions of these scorers.
    ///
    /// # Errors
    /// If a template does not compile, or uses what these predictions lack; if a schema does not
    /// fit them.
    pub(crate) fn new(
        format: &Format,
        scorers: &[Predicting<'_>],
        context: &SchemaContext,
    ) -> Result<Self, FormatError> {
        match format {
            Format::Schema(schema) => {
                let writer = BySchema::new(schema, scorers, context)?;
                match context.readable {
                    true => Self::new(&Format::Json { top: schema.top }, scorers, context),
                    false => Ok(Writer::Schema(Box::new(writer))),
                }
            }
            Format::Template(text) => Self::of_template(Template::compile(text)?, scorers),
            format if scorers.len() == 1 => {
                let Predicting { output, model, .. } = scorers[0];
                Ok(Writer::One(Box::new(Encoder::new(format, output, model)?)))
            }
            format => {
                let encoders = scorers.iter().enumerate().map(|(at, scorer)| {
                    let open = if at == 0 { '{' } else { ',' };
                    let name = quote(scorer.stage);
                    let encoder = Encoder::new(format, scorer.output, scorer.model)?;
                    Ok((format!("{open}{name}:"), encoder))
                });
                Ok(Writer::Json(encoders.collect::<Result<_, _>>()?))
            }
        }
    }

    /// Prepares a template for a key or a header, where nothing may be null. Without scorers it may
    /// use what a record has.
    ///
    /// # Errors
    /// As those of [`Writer::new`].
    pub(crate) fn text(text: &str, scorers: &[Predicting<'_>]) -> Result<Self, FormatError> {
        let template = Template { is_strict: true, ..Template::compile(text)? };
        Self::of_template(template, scorers)
    }

    fn of_template(template: Template, scorers: &[Predicting<'_>]) -> Result<Self, FormatError> {
        if let [Predicting { output, model, .. }] = scorers {
            return Ok(Writer::One(Box::new(Encoder::of_template(template, output, model)?)));
        }
        for (name, variable) in &template.uses {
            require(name, *variable, scorers)?;
        }
        Ok(Writer::Template(Box::new(template), scorers.iter().map(Named::of).collect()))
    }

    /// Appends the value of the output record: `predictions` has one of each scorer, in their
    /// order. `record` is the one that they are of.
    ///
    /// # Errors
    /// As those of [`Encoder::encode`].
    #[inline]
    pub(crate) fn encode<'a>(
        &self,
        record: &Record<'_>,
        mut predictions: impl Iterator<Item = Prediction<'a>> + Clone,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        match self {
            Writer::One(encoder) => {
                let Prediction { label, values } = predictions.next().unwrap_or(Prediction::NONE);
                encoder.encode(record, label, values, out)
            }
            Writer::Json(encoders) => {
                for ((before, encoder), Prediction { label, values }) in
                    encoders.iter().zip(predictions)
                {
                    out.extend_from_slice(before.as_bytes());
                    encoder.encode(record, label, values, out)?;
                }
                out.push(b'}');
                Ok(())
            }
            Writer::Schema(by) => by.encode(predictions, out),
            Writer::Template(template, scorers) => {
                let pairs = scorers.iter().zip(predictions);
                let pairs = pairs.map(|(scorer, it)| Ok((&*scorer.stage, scorer.value(it)?)));
                let predicted = Value::from_pairs(pairs.collect::<Result<Vec<_>, EncodeError>>()?);
                let context = template.uses.iter().map(|(name, variable)| {
                    let value = match variable {
                        Variable::Predictions => predicted.clone(),
                        variable => of_record(template, *variable, record),
                    };
                    (*name, value)
                });
                render(template, Value::from_pairs(context), out)
            }
        }
    }
}

impl Writer {
    /// What the headers of an output say of the schema of its value.
    #[inline]
    pub(crate) fn header(&self) -> &SchemaHeader {
        static KEPT: SchemaHeader = SchemaHeader::Kept;
        if let Writer::Schema(by) = self { &by.header } else { &KEPT }
    }

    /// The schema by which it writes, if it has one.
    pub(crate) fn schema(&self) -> Option<&TopicSchema> {
        if let Writer::Schema(by) = self { Some(&by.schema) } else { None }
    }
}

impl Named {
    fn of(scorer: &Predicting<'_>) -> Self {
        Named {
            stage: scorer.stage.into(),
            names: Names::of(scorer.output),
            labelled: matches!(scorer.output, OutputSchema::Classes(_)),
            width: scorer.output.names().len(),
            model: Value::from(scorer.model),
        }
    }

    /// A prediction by the names that a template has for its parts.
    fn value(&self, Prediction { label, values }: Prediction<'_>) -> Result<Value, EncodeError> {
        let label = check_shape(self.labelled, self.width, label, values)?;
        let numbers = self.names.numbers(values);
        Ok(match label {
            Some(index) => Value::from_pairs([
                ("label", self.names.label(label)),
                ("probability", values[index].into()),
                ("probabilities", numbers),
                ("model", self.model.clone()),
            ]),
            None => Value::from_pairs([("values", numbers), ("model", self.model.clone())]),
        })
    }
}

/// What is of one prediction has no meaning where there are several.
fn require(
    name: &'static str,
    variable: Variable,
    scorers: &[Predicting<'_>],
) -> Result<(), FormatError> {
    match variable {
        Variable::Label
        | Variable::Probability
        | Variable::Probabilities
        | Variable::Values
        | Variable::Model
        | Variable::Predictions
            if scorers.is_empty() =>
        {
            Err(FormatError::NoPredictions { name })
        }
        Variable::Label
        | Variable::Probability
        | Variable::Probabilities
        | Variable::Values
        | Variable::Model => {
            let stages: Vec<&str> = scorers.iter().map(|scorer| scorer.stage).collect();
            let first = stages.first().copied().unwrap_or_default();
            let instead = match first.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                true => format!("predictions.{first}.{name}"),
                false => format!("predictions[\"{first}\"].{name}"),
            };
            Err(FormatError::Several { name, stages: stages.join(", "), instead })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
mod tests {
    use sandbar_record::Batch;

    use super::*;

    fn written(format: &Format) -> Result<String, FormatError> {
        let classes = OutputSchema::Classes(vec!["NO".into(), "YES".into()]);
        let values = OutputSchema::Values(vec!["predict".into()]);
        let scorers = [
            Predicting { stage: "late", output: &classes, model: "gbm@1" },
            Predicting { stage: "by-how-much", output: &values, model: "none" },
        ];
        let writer = Writer::new(format, &scorers, &SchemaContext::default())?;
        let predictions = [
            Prediction { label: Some(1), values: &[0.25, 0.75] },
            Prediction { label: None, values: &[12.5] },
        ];
        let mut batch = Batch::new("flights".into(), 0, 1);
        batch.push(7, None, Some(b"PS1451"), None, std::iter::empty::<(&str, _)>());
        let mut out = Vec::new();
        writer.encode(&batch.record(0), predictions.into_iter(), &mut out).unwrap();
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn each_is_under_the_name_of_its_stage() {
        let expected = r#"{"late":{"label":"YES","probabilities":{"NO":0.25,"YES":0.75},"model":"gbm@1"},"by-how-much":{"values":{"predict":12.5},"model":"none"}}"#;
        assert_eq!(written(&Format::Json { top: None }).unwrap(), expected);
    }

    #[test]
    fn a_template_has_them_by_stage() {
        let text = "{{ key }} {{ predictions.late.label }} {{ predictions.late.probability }} \
                    {{ predictions[\"by-how-much\"].values.predict }} {{ predictions.late.model }}";
        let written = |text: &str| written(&Format::Template(text.to_owned()));
        assert_eq!(written(text).unwrap(), "PS1451 YES 0.75 12.5 gbm@1");
        let error = written("{{ label }}").unwrap_err().to_string();
        let expected = "the template uses 'label', but several stages predict (late, by-how-much); \
                        use 'predictions.late.label', or that of another";
        assert_eq!(error, expected);
    }
}
