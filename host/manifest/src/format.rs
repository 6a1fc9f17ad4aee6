//! How predictions are written: the one list of formats.

use std::num::NonZeroUsize;

use sandbar_schemas::Language;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::sink_schema::SinkSchema;

/// A form of predictions that needs no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormatName {
    /// A JSON object with the label, the probabilities and the model.
    Json,
    /// Avro, in binary.
    Avro,
    /// Protobuf.
    Protobuf,
    /// JSON by a JSON Schema.
    JsonSchema,
}

impl FormatName {
    /// What its schemas are written in; `None`: it has none.
    pub fn language(self) -> Option<Language> {
        match self {
            FormatName::Json => None,
            FormatName::Avro => Some(Language::Avro),
            FormatName::Protobuf => Some(Language::Protobuf),
            FormatName::JsonSchema => Some(Language::JsonSchema),
        }
    }
}

/// How predictions are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A JSON object.
    Json {
        /// How many classes it carries, the most probable first; all in the order of the
        /// model if `None`.
        top: Option<NonZeroUsize>,
    },
    /// Text with placeholders, in Jinja's notation.
    Template(String),
    /// By a schema.
    Schema(Box<SchemaFormat>),
}

/// How predictions are written by a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFormat {
    /// What the schema is written in.
    pub language: Language,
    /// How many classes a prediction carries, as of [`Format::Json`].
    pub top: Option<NonZeroUsize>,
    /// What the schema is called, and where its id goes.
    pub schema: SinkSchema,
    /// The topic that they go to.
    pub topic: String,
}

/// The keys of `[sink]`, or of a route, that say how predictions are written.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// `format`.
    pub name: FormatName,
    /// `top`.
    pub top: Option<NonZeroUsize>,
    /// `template`.
    pub template: Option<&'a str>,
    /// `schema`.
    pub schema: Option<&'a SinkSchema>,
    /// `topic`.
    pub topic: &'a str,
}

impl Format {
    /// What these keys mean.
    pub fn new(form: Form<'_>) -> Self {
        let Form { name, top, template, schema, topic } = form;
        match (template, name.language()) {
            (Some(template), _) => Format::Template(template.to_owned()),
            (None, None) => Format::Json { top },
            (None, Some(language)) => {
                let (schema, topic) = (schema.cloned().unwrap_or_default(), topic.to_owned());
                Format::Schema(Box::new(SchemaFormat { language, top, schema, topic }))
            }
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
        /// Those that there are.
        known: String,
    },
    /// The template uses a variable of one prediction where there are several.
    #[error(
        "the template uses '{name}', but several stages predict ({stages}); use '{instead}', or that of another"
    )]
    Several {
        /// The name.
        name: &'static str,
        /// The stages.
        stages: String,
        /// What the first of them has.
        instead: String,
    },
    /// The template uses a variable of predictions where there are none.
    #[error(
        "the template uses '{name}', but the pipeline makes no predictions; use what a record has: key, value, headers, topic, partition, offset or timestamp"
    )]
    NoPredictions {
        /// The name.
        name: &'static str,
    },
    /// Two stages would be written under the same name.
    #[error(
        "stages '{first}' and '{second}' are both written as '{name}', as {language} takes letters, digits and '_' alone; rename one of them"
    )]
    SameName {
        /// One stage.
        first: String,
        /// The other.
        second: String,
        /// The name of both.
        name: String,
        /// Whose rule it is.
        language: &'static str,
    },
    /// A given schema is not what predictions can be written by.
    #[error("schema '{file}': {place}{problem}")]
    Given {
        /// The name of `[schemas.files]`.
        file: String,
        /// The way of names to what is wrong, with a colon behind it.
        place: String,
        /// What is wrong there, and what to do.
        problem: String,
    },
    /// The registry was asked for other schemas than this one: no id is made up.
    #[error(
        "subject '{subject}': the registry was not asked for the id of its schema; report this"
    )]
    NoId {
        /// The subject.
        subject: String,
    },
    /// The outputs are no predictions.
    #[error(
        "the last stage makes records, which are written as they are; leave out 'format', or let a scorer be the last stage"
    )]
    NotPredictions,
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
