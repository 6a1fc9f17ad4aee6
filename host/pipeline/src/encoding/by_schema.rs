//! Predictions by a schema: which schema that is, its id, and what is written by it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use sandbar_manifest::{FormatError, IdPlace, SchemaFormat};
use sandbar_record::SchemaHeader;
use sandbar_sandbox::OutputSchema;
use sandbar_schemas::{Language, SchemaId, Schemas, SubjectSchema};

use super::avro::Avro;
use super::error::EncodeError;
use super::generated::{full_name, generate};
use super::given::{Misfit, fit};
use super::json::Members;
use super::prediction::{Predicting, Prediction, check_shape};
use super::protobuf::Protobuf;

/// What writers by a schema are made with.
#[derive(Debug, Clone, Default)]
pub(crate) struct SchemaContext {
    /// The ids, once the registry has been asked for them; until then zeros are in their place.
    pub(crate) ids: Option<Arc<HashMap<SubjectSchema, SchemaId>>>,
    /// The schemas of files.
    pub(crate) files: Option<Arc<Schemas>>,
    /// Whether JSON is written in place of any schema, for people.
    pub(crate) readable: bool,
}

/// The schema of what goes to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSchema {
    /// The topic.
    pub topic: String,
    /// The schema under its subject.
    pub schema: SubjectSchema,
    /// Where its id goes.
    pub id: IdPlace,
    /// Whether it is put into the registry.
    pub register: bool,
}

impl fmt::Display for TopicSchema {
    /// `out: Avro, subject out-value`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TopicSchema { topic, schema, id, .. } = self;
        write!(f, "{topic}: {}, ", name(schema.language))?;
        match id {
            IdPlace::None => f.write_str("no id"),
            IdPlace::Prefix | IdPlace::Header => write!(f, "subject {}", schema.subject),
        }
    }
}

fn name(language: Language) -> &'static str {
    match language {
        Language::Avro => "Avro",
        Language::Protobuf => "Protobuf",
        Language::JsonSchema => "JSON Schema",
    }
}

/// Writes predictions by a schema.
#[derive(Debug)]
pub(crate) struct BySchema {
    pub(crate) schema: TopicSchema,
    /// What is in front of each value.
    front: Vec<u8>,
    pub(crate) header: SchemaHeader,
    /// What the scorers predict: whether labels, and how many numbers.
    shapes: Vec<(bool, usize)>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Avro(Avro),
    Protobuf(Protobuf),
    Json(Members),
}

impl BySchema {
    /// # Errors
    /// If stages cannot be told by their names, or a given schema does not fit.
    pub(super) fn new(
        format: &SchemaFormat,
        scorers: &[Predicting<'_>],
        context: &SchemaContext,
    ) -> Result<Self, FormatError> {
        let SchemaFormat { language, top, schema: settings, topic } = format;
        let (text, name, avro) = match &settings.file {
            Some(file) => {
                let text = given(file, context)?;
                let fitted = fit(&text, scorers).map_err(|misfit| wrong(file, misfit))?;
                (text, fitted.name, Some(fitted.parts))
            }
            None => {
                let text = generate(*language, settings, scorers)?;
                let parts = match language {
                    Language::Avro => {
                        let fitted = fit(&text, scorers);
                        Some(fitted.map_err(|misfit| wrong("generated", misfit))?.parts)
                    }
                    Language::Protobuf | Language::JsonSchema => None,
                };
                (text, full_name(settings), parts)
            }
        };
        let body = match (language, avro) {
            (_, Some(parts)) => Body::Avro(Avro::new(parts, scorers, *top)),
            (Language::Protobuf, None) => Body::Protobuf(Protobuf::new(scorers, *top)),
            (Language::Avro | Language::JsonSchema, None) => {
                Body::Json(Members::new(scorers, *top))
            }
        };
        let subject = settings.subject(topic, &name);
        let schema = SubjectSchema { subject, language: *language, text };
        let id = match (&context.ids, settings.id) {
            (Some(ids), IdPlace::Prefix | IdPlace::Header) => {
                let none = || FormatError::NoId { subject: schema.subject.clone() };
                ids.get(&schema).copied().ok_or_else(none)?
            }
            (None, _) | (_, IdPlace::None) => SchemaId { id: 0, guid: None },
        };
        let (front, header) = match settings.id {
            IdPlace::Prefix => (bytes(SchemaId { guid: None, ..id }, *language), None),
            IdPlace::Header => (Vec::new(), Some(bytes(id, *language))),
            IdPlace::None => (Vec::new(), None),
        };
        let shape = |it: &Predicting<'_>| {
            (matches!(it.output, OutputSchema::Classes(_)), it.output.names().len())
        };
        Ok(BySchema {
            schema: TopicSchema {
                topic: topic.clone(),
                schema,
                id: settings.id,
                register: settings.register,
            },
            front,
            // That of the input says nothing of what is written.
            header: header.map_or(SchemaHeader::Removed, |it| SchemaHeader::Set(it.into())),
            shapes: scorers.iter().map(shape).collect(),
            body,
        })
    }

    /// Appends the value for these predictions, of which there is one of each scorer.
    ///
    /// # Errors
    /// If one is not of the shape that its scorer declared, or does not fit a given schema.
    pub(super) fn encode<'a>(
        &self,
        predictions: impl Iterator<Item = Prediction<'a>> + Clone,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.front);
        let mut given = predictions.clone();
        for (labelled, width) in &self.shapes {
            let Prediction { label, values } = given.next().unwrap_or(Prediction::NONE);
            check_shape(*labelled, *width, label, values)?;
        }
        match &self.body {
            Body::Avro(avro) => avro.encode(predictions, out)?,
            Body::Protobuf(protobuf) => protobuf.encode(predictions, out),
            Body::Json(json) => json.encode(predictions, out),
        }
        Ok(())
    }
}

/// The text of a schema in a file.
fn given(file: &str, context: &SchemaContext) -> Result<String, FormatError> {
    let missing = |problem: String| FormatError::Given {
        file: file.to_owned(),
        place: String::new(),
        problem,
    };
    let schemas = context.files.as_ref();
    let schemas =
        schemas.ok_or_else(|| missing("the manifest has no [schemas.files]".to_owned()))?;
    let schema = schemas.file(file).map_err(|error| missing(error.to_string()))?;
    Ok(schema.text)
}

fn wrong(file: &str, Misfit { place, problem }: Misfit) -> FormatError {
    FormatError::Given { file: file.to_owned(), place, problem }
}

/// An id as readers expect it: the number behind the byte 0, or the globally unique id behind the
/// byte 1; then, of Protobuf, that the message is the first of its file.
fn bytes(SchemaId { id, guid }: SchemaId, language: Language) -> Vec<u8> {
    let mut bytes = match guid {
        None => [&[0], id.to_be_bytes().as_slice()].concat(),
        Some(guid) => [&[1], guid.as_slice()].concat(),
    };
    if language == Language::Protobuf {
        bytes.push(0);
    }
    bytes
}
