//! Schemas of records, for the stages that are granted them.

use std::sync::Arc;
use std::time::Instant;

use sandbar_schemas::{Cause, Key, Language, Schema, SchemaError, Schemas};
use wasmtime::component::HasSelf;

use crate::bindings::schemas;
use crate::capabilities::capability::Capability;
use crate::offer::{ImportSupport, Offer};
use crate::state::State;

/// Schemas, as operators read them.
pub(crate) const CAPABILITY: Capability = Capability {
    offer: Offer {
        name: "schemas",
        behind: ImportSupport::Granted,
        about: "schemas of the manifest's [schemas], if the stage's `grants` has \"schemas\"",
        interfaces: &["sandbar:schemas/schemas@0.1.0"],
    },
    link: |linker| {
        schemas::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
        Ok(())
    },
};

/// What a guest receives.
type Answer = wasmtime::Result<Result<schemas::Schema, schemas::Error>>;

impl State {
    fn granted(&self) -> Result<Arc<Schemas>, SchemaError> {
        self.grants.schemas.clone().ok_or_else(|| {
            let message = "schemas are not granted to this stage; add \"schemas\" to its `grants`";
            SchemaError::new(Cause::Denied, message)
        })
    }

    /// A schema of the registry. The time that it takes is not the guest's.
    fn schema(&mut self, key: &Key) -> Answer {
        let granted = match self.granted() {
            Ok(granted) => granted,
            Err(error) => return Ok(Err(error.into())),
        };
        let start = Instant::now();
        let found = granted.get(key, self.schema_waits.left());
        self.schema_waits.count(start.elapsed());
        Ok(match found {
            Ok(schema) => Ok(schema.as_ref().into()),
            Err(error) => {
                if error.cause == Cause::Unavailable {
                    // The next schema of this call would be waited for as long.
                    self.schema_waits.give_up();
                }
                Err(error.into())
            }
        })
    }
}

impl schemas::Host for State {
    fn by_id(&mut self, id: u32) -> Answer {
        self.schema(&Key::Id(id))
    }

    fn by_guid(&mut self, guid: Vec<u8>) -> Answer {
        match guid.try_into() {
            Ok(guid) => self.schema(&Key::Guid(guid)),
            Err(other) => {
                let message = format!("a guid has 16 bytes, this has {}", other.len());
                Ok(Err(SchemaError::new(Cause::NotFound, message).into()))
            }
        }
    }

    fn by_subject(&mut self, subject: String, version: Option<u32>) -> Answer {
        self.schema(&Key::Subject(subject, version))
    }

    fn by_name(&mut self, name: String) -> Answer {
        let found = self.granted().and_then(|granted| granted.file(&name));
        Ok(found.map(|schema| (&schema).into()).map_err(Into::into))
    }
}

impl From<&Schema> for schemas::Schema {
    fn from(schema: &Schema) -> Self {
        let references = schema.references.iter().map(|reference| schemas::Reference {
            name: reference.name.clone(),
            text: reference.text.clone(),
        });
        schemas::Schema {
            language: match schema.language {
                Language::Avro => schemas::Language::Avro,
                Language::Protobuf => schemas::Language::Protobuf,
                Language::JsonSchema => schemas::Language::JsonSchema,
            },
            text: schema.text.clone(),
            references: references.collect(),
        }
    }
}

impl From<SchemaError> for schemas::Error {
    fn from(SchemaError { cause, message }: SchemaError) -> Self {
        let code = match cause {
            Cause::Denied => schemas::ErrorCode::Denied,
            Cause::NotFound => schemas::ErrorCode::NotFound,
            Cause::TooLarge => schemas::ErrorCode::TooLarge,
            Cause::Invalid => schemas::ErrorCode::Invalid,
            Cause::Unavailable => schemas::ErrorCode::Unavailable,
        };
        schemas::Error { code, message }
    }
}
