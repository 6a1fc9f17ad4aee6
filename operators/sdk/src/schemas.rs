//! Schemas of records: those of the pipeline's registry, and files of its manifest.
//!
//! For a stage whose `grants` have `"schemas"`. An operator that uses this module imports
//! `sandbar:schemas` besides its world.

use std::fmt;

use crate::error::{Failure, FailureCode};

/// What a schema is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Avro, in JSON.
    Avro,
    /// Protobuf: a `.proto` file.
    Protobuf,
    /// JSON Schema.
    JsonSchema,
}

/// A schema that another refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What the other calls it.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// A schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// What it is written in.
    pub language: Language,
    /// What it says.
    pub text: String,
    /// All that it refers to, directly or not, each once. Of a registry, what one refers to itself
    /// is before it.
    pub references: Vec<Reference>,
}

/// What a schema is asked for by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// Its id, which a record has in front of it.
    Id(u32),
    /// Its globally unique id, which a record has in a header.
    Guid([u8; 16]),
    /// A subject, which `subjects` of `[schemas]` must name, and its version; without one, the
    /// latest.
    Subject(String, Option<u32>),
    /// A name of `[schemas.files]`.
    File(String),
}

/// Why there is no schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    /// The code with which a record fails that needs it: `unavailable` where the registry did not
    /// answer, so that its batch is tried again, and `unsupported` where the stage may not ask.
    pub code: FailureCode,
    /// For a person.
    pub message: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SchemaError {}

impl From<SchemaError> for Failure {
    fn from(error: SchemaError) -> Failure {
        Failure { code: error.code, message: error.message.into() }
    }
}

/// The schemas that a stage may ask for. The runner keeps what it has found, but a schema is
/// copied with each answer: keep what you make of it.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    /// Outside of the sandbox there is no host to ask.
    #[cfg(not(target_arch = "wasm32"))]
    known: std::rc::Rc<
        std::cell::RefCell<std::collections::HashMap<Key, Result<Schema, SchemaError>>>,
    >,
}

impl Schemas {
    /// The schemas of the runner.
    pub(crate) fn of_host() -> Schemas {
        Schemas::default()
    }

    /// A schema.
    ///
    /// # Errors
    /// If it may not be asked for, there is none, or the registry does not answer.
    #[cfg(target_arch = "wasm32")]
    pub fn get(&self, key: &Key) -> Result<Schema, SchemaError> {
        use crate::bindings::schemas as host;
        let found = match key {
            Key::Id(id) => host::by_id(*id),
            Key::Guid(guid) => host::by_guid(guid),
            Key::Subject(subject, version) => host::by_subject(subject, *version),
            Key::File(name) => host::by_name(name),
        };
        let schema = found.map_err(|error| SchemaError {
            code: match error.code {
                host::ErrorCode::Denied => FailureCode::Unsupported,
                host::ErrorCode::NotFound | host::ErrorCode::Invalid => FailureCode::Invalid,
                host::ErrorCode::TooLarge => FailureCode::TooLarge,
                host::ErrorCode::Unavailable => FailureCode::Unavailable,
            },
            message: error.message,
        })?;
        let reference = |it: host::Reference| Reference { name: it.name, text: it.text };
        Ok(Schema {
            language: match schema.language {
                host::Language::Avro => Language::Avro,
                host::Language::Protobuf => Language::Protobuf,
                host::Language::JsonSchema => Language::JsonSchema,
            },
            text: schema.text,
            references: schema.references.into_iter().map(reference).collect(),
        })
    }

    /// A schema. In a native test it comes from `testing::Stage::schema`.
    ///
    /// # Errors
    /// If there is none.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn get(&self, key: &Key) -> Result<Schema, SchemaError> {
        let known = self.known.borrow();
        known.get(key).cloned().unwrap_or_else(|| {
            Err(SchemaError {
                code: FailureCode::Unsupported,
                message: format!("{key:?}: not granted: call Stage::schema in the test"),
            })
        })
    }

    /// Adds a schema for a test.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn add(&self, key: Key, schema: Result<Schema, SchemaError>) {
        self.known.borrow_mut().insert(key, schema);
    }
}
