//! The schemas of what a pipeline writes, and their ids in a registry.

use std::collections::HashMap;
use std::sync::Arc;

use sandbar_manifest::IdPlace;
use sandbar_schemas::{Cause, SchemaError};

use crate::definition::Definition;
use crate::encoding::TopicSchema;
use crate::events::SchemaKnown;
use crate::plan::Plan;
use crate::plan_error::{PlanError, Reason, error};

impl Plan {
    /// Asks the registry for the ids of the schemas by which outputs are written, and registers
    /// those that the manifest says are to be; nothing, if that was done. For whoever is about to
    /// write outputs: until then zeros are in the places of ids.
    ///
    /// # Errors
    /// If the registry lacks or refuses a schema, or does not answer.
    pub fn register_schemas(&mut self, definition: &Definition) -> Result<(), PlanError> {
        let wanted = || self.schemas.iter().filter(|(_, schema)| schema.id != IdPlace::None);
        if self.context.ids.is_some() || wanted().next().is_none() {
            return Ok(());
        }
        let schemas = definition.schemas();
        let schemas = schemas.map_err(|it| error(definition, Reason::Schemas(it.to_owned())))?;
        let mut ids = HashMap::new();
        // Several routes may have the same, of which some register it.
        let registered = wanted().filter(|(_, it)| it.register);
        let found = wanted().filter(|(_, it)| !it.register);
        for (place, TopicSchema { schema, register, topic, .. }) in registered.chain(found) {
            if ids.contains_key(schema) {
                continue;
            }
            let none = || SchemaError::new(Cause::Unavailable, "the manifest has no [schemas]");
            let found = schemas.ok_or_else(none).and_then(|it| it.id(schema, *register));
            let id = found.map_err(|it| {
                let advice = advice(it.cause, *register);
                let reason = Reason::Registration { place: place.clone(), error: it, advice };
                error(definition, reason)
            })?;
            SchemaKnown { subject: &schema.subject, topic, schema_id: id.id }.emit();
            ids.insert(schema.clone(), id);
        }
        self.context.ids = Some(Arc::new(ids));
        Ok(())
    }

    /// The same plan, whose outputs are JSON where they are by a schema: for people to read, and
    /// for nobody who reads topics. No registry is asked.
    #[must_use]
    pub fn readable(mut self) -> Self {
        self.context.readable = true;
        self
    }

    /// The schemas by which outputs are written.
    pub fn topic_schemas(&self) -> impl Iterator<Item = &TopicSchema> {
        self.schemas.iter().map(|(_, schema)| schema)
    }
}

/// What to do about it.
fn advice(cause: Cause, register: bool) -> &'static str {
    match (cause, register) {
        (Cause::NotFound, false) => {
            ": register the schema that `sandbar check --schemas` prints, or set `register = true`"
        }
        (Cause::Invalid, true) => {
            ": the registry does not take it; change what it requires of this subject, or choose another subject"
        }
        _ => "",
    }
}
