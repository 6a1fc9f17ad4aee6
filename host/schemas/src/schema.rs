//! A schema with all that it refers to, and why there is none.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a schema is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Language {
    /// Avro, in JSON.
    Avro,
    /// Protobuf: a `.proto` file.
    Protobuf,
    /// JSON Schema.
    JsonSchema,
}

impl Language {
    /// The language of a file with this extension; `None` if there is none.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "avsc" => Some(Language::Avro),
            "proto" => Some(Language::Protobuf),
            "json" => Some(Language::JsonSchema),
            _ => None,
        }
    }
}

/// A schema that another refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// What the other calls it.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// A schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// What it is written in.
    pub language: Language,
    /// What it says.
    pub text: String,
    /// All that it refers to, directly or not, each once, and before what refers to it.
    pub references: Vec<Reference>,
}

impl Schema {
    /// The bytes that it takes.
    pub(crate) fn size(&self) -> usize {
        let reference = |it: &Reference| it.name.len() + it.text.len() + size_of::<Reference>();
        self.text.len() + self.references.iter().map(reference).sum::<usize>() + size_of::<Schema>()
    }
}

/// What kept a schema from being found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It may not be asked for.
    Denied,
    /// There is none.
    NotFound,
    /// It is larger than is accepted.
    TooLarge,
    /// The answer is none.
    Invalid,
    /// No answer, or one that another attempt may mend.
    Unavailable,
}

/// Why there is no schema.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct SchemaError {
    /// What kept it from being found.
    pub cause: Cause,
    /// For a person, with what was asked for.
    pub message: String,
}

impl SchemaError {
    /// An error.
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        SchemaError { cause, message: message.into() }
    }

    /// The same, said of `what`.
    pub(crate) fn about(self, what: &str) -> Self {
        SchemaError { message: format!("{what}: {}", self.message), ..self }
    }
}
