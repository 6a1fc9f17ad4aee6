//! Records of a stage, with the schemas that they name.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use sandbar_operator::schemas::{Key, Language, Schema, Schemas};
use sandbar_operator::{Failure, FailureCode};

use crate::fault::Fault;
use crate::found::Found;
use crate::place::Place;
use crate::wire::{self, SchemaId};
use crate::{avro, protobuf};

/// Plans that are kept; records of more schemas have these planned again.
const PLANS: usize = 256;

/// What records are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Avro's binary form.
    Avro,
    /// Protobuf.
    Protobuf,
}

/// With which schema records are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// That of a registry whose id is in front of each, or in its header.
    Named,
    /// All with this one; nothing is in front of them.
    With(Key),
}

/// Reads records of one format.
#[derive(Debug)]
pub struct Records {
    format: Format,
    written: Written,
    /// The schema as which records are wanted, of Avro.
    reader: Option<Key>,
    /// The message that records are, of Protobuf; otherwise what a record says, or the first.
    message: Option<String>,
    places: Vec<Place>,
    schemas: Schemas,
    plans: HashMap<Name, Rc<Result<Plan, Failure>>>,
    /// The plan of the record that was opened last.
    current: Option<(Name, Rc<Result<Plan, Failure>>)>,
    reading: Option<avro::Schema>,
}

/// What plans are told apart by: a schema, if records name theirs, and a message in it.
type Name = (Option<SchemaId>, Vec<u32>);

#[derive(Debug)]
enum Plan {
    Avro(avro::Plan),
    Protobuf(protobuf::Plan),
}

impl Records {
    /// Reads records of which places are wanted.
    pub fn new(format: Format, written: Written, schemas: Schemas, places: Vec<Place>) -> Records {
        Records {
            format,
            written,
            reader: None,
            message: None,
            places,
            schemas,
            plans: HashMap::new(),
            current: None,
            reading: None,
        }
    }

    /// The same, as another schema of Avro has them.
    #[must_use]
    pub fn read_as(self, reader: Option<Key>) -> Records {
        Records { reader, ..self }
    }

    /// The same, which are this message of Protobuf.
    #[must_use]
    pub fn of_message(self, message: Option<String>) -> Records {
        Records { message, ..self }
    }

    /// Room for what is found.
    pub fn found(&self) -> Found {
        Found::new(self.places.len())
    }

    /// Finds out with which schema a record was written, by its value and the header
    /// [`wire::VALUE_HEADER`], and makes a plan of it if there is none. What is returned is the part
    /// of the value that [`Records::read`] reads next.
    ///
    /// # Errors
    /// If it is not known, or the schema cannot be had.
    pub fn open(&mut self, value: &[u8], header: Option<&[u8]>) -> Result<Range<usize>, Failure> {
        let (name, body) = match &self.written {
            Written::With(_) => ((None, Vec::new()), 0..value.len()),
            Written::Named => {
                let protobuf = self.format == Format::Protobuf;
                let envelope = wire::open(value, header, protobuf)
                    .map_err(|fault| Failure::malformed(fault.to_string()))?;
                ((Some(envelope.id), envelope.message), envelope.body)
            }
        };
        if self.current.as_ref().is_none_or(|(current, _)| *current != name) {
            self.current = None;
            let plan = match self.plans.get(&name) {
                Some(plan) => plan.clone(),
                None => self.make(&name)?,
            };
            self.current = Some((name, plan));
        }
        Ok(body)
    }

    /// Finds what is wanted in the record that was opened last.
    ///
    /// # Errors
    /// If it is none of its schema.
    pub fn read(&self, record: &[u8], found: &mut Found) -> Result<(), Failure> {
        let Some((_, plan)) = &self.current else {
            return Err(Failure::internal("no record was opened"));
        };
        let read = match plan.as_ref() {
            Ok(Plan::Avro(plan)) => plan.read(record, found),
            Ok(Plan::Protobuf(plan)) => plan.read(record, found),
            Err(failure) => return Err(failure.clone()),
        };
        read.map_err(|fault| Failure {
            code: match &fault {
                Fault::Unresolved(_) => FailureCode::Invalid,
                Fault::Deep => FailureCode::TooLarge,
                Fault::Truncated | Fault::Trailing(_) | Fault::Malformed(_) => {
                    FailureCode::Malformed
                }
            },
            message: fault.to_string().into(),
        })
    }

    /// Makes the plan of a schema.
    fn make(&mut self, name: &Name) -> Result<Rc<Result<Plan, Failure>>, Failure> {
        let schema = self.schema(name.0)?;
        if self.reading.is_none() && self.reader.is_some() {
            self.reading = self.reader()?;
        }
        if self.plans.len() == PLANS {
            self.plans.clear();
        }
        let plan = self.plan(&schema, &name.1).map_err(|(code, problem)| Failure {
            code,
            message: match name.0 {
                Some(id) => format!("the schema with id {id}: {problem}").into(),
                None => problem.into(),
            },
        });
        let plan = Rc::new(plan);
        self.plans.insert(name.clone(), plan.clone());
        Ok(plan)
    }

    fn schema(&self, id: Option<SchemaId>) -> Result<Schema, Failure> {
        let key = match (id, &self.written) {
            (Some(SchemaId::Id(id)), _) => Key::Id(id),
            (Some(SchemaId::Guid(guid)), _) => Key::Guid(guid),
            (None, Written::With(key)) => key.clone(),
            (None, Written::Named) => return Err(Failure::internal("a record without an id")),
        };
        Ok(self.schemas.get(&key)?)
    }

    fn reader(&self) -> Result<Option<avro::Schema>, Failure> {
        let Some(key) = &self.reader else { return Ok(None) };
        let schema = self.schemas.get(key)?;
        let read = match schema.language {
            Language::Avro => read_avro(&schema),
            other => Err(format!("is in {}", name(other))),
        };
        read.map(Some).map_err(|problem| {
            Failure::unsupported(format!("the schema that records are read as: {problem}"))
        })
    }

    fn plan(&self, schema: &Schema, message: &[u32]) -> Result<Plan, (FailureCode, String)> {
        let unsupported = |problem| (FailureCode::Unsupported, problem);
        match (self.format, schema.language) {
            (Format::Avro, Language::Avro) => {
                let writer = read_avro(schema).map_err(unsupported)?;
                let plan = avro::Plan::new(&writer, self.reading.as_ref(), &self.places);
                Ok(Plan::Avro(plan.map_err(|problem| (FailureCode::Invalid, problem))?))
            }
            (Format::Protobuf, Language::Protobuf) => {
                let imports = schema.references.iter();
                let imports = imports.map(|it| (it.name.as_str(), it.text.as_str()));
                let read = protobuf::Schema::read(&schema.text, imports).map_err(unsupported)?;
                let said = match (&self.message, message) {
                    (Some(name), []) => read.message_named(name),
                    (None, []) => read.message(&[0]),
                    (_, indices) => read.message(indices),
                };
                let said = said.map_err(unsupported)?;
                // What a record says it is must be what is wanted.
                if let Some(name) = &self.message
                    && said.full_name() != name
                    && said.name() != name
                {
                    let problem = format!("a record is '{}', not '{name}'", said.full_name());
                    return Err((FailureCode::Unsupported, problem));
                }
                Ok(Plan::Protobuf(protobuf::Plan::new(&said, &self.places).map_err(unsupported)?))
            }
            (Format::Avro, other) => Err(unsupported(format!("is in {}, not Avro", name(other)))),
            (Format::Protobuf, other) => {
                Err(unsupported(format!("is in {}, not Protobuf", name(other))))
            }
        }
    }
}

fn read_avro(schema: &Schema) -> Result<avro::Schema, String> {
    avro::Schema::read(&schema.text, schema.references.iter().map(|it| it.text.as_str()))
}

fn name(language: Language) -> &'static str {
    match language {
        Language::Avro => "Avro",
        Language::Protobuf => "Protobuf",
        Language::JsonSchema => "JSON Schema",
    }
}
