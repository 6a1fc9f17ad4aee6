//! Records to records: the trait, what it emits into, and what runs it.

use serde::de::DeserializeOwned;

use crate::bindings::transformation::{Emitted, Transformed};
use crate::bindings::types::Batch;
use crate::error::{Error, Failure};
use crate::record::{NO_TIMESTAMP, NULL_KEY, NULL_VALUE, Record, records, write_header};
use crate::setup::Setup;

/// Turns each record into none, one or several. Export it with
/// [`transformer!`](crate::transformer).
pub trait Transformer: Sized + 'static {
    /// The stage's `config` table. Give it `#[serde(deny_unknown_fields)]`, so that
    /// a typo is an error. Without any configuration: [`NoConfig`](crate::NoConfig).
    type Config: DeserializeOwned;

    /// Called once, before anything else.
    ///
    /// # Errors
    /// What is wrong with the configuration, for the pipeline's author.
    fn configure(config: Self::Config, setup: &Setup) -> Result<Self, Error>;

    /// Emits what replaces one record. Emitting nothing filters it out.
    ///
    /// # Errors
    /// Why this record fails. What it emitted already is taken back.
    fn transform(&mut self, record: &Record<'_>, out: &mut Emitter<'_>) -> Result<(), Failure>;
}

/// What [`Transformer::transform`] emits into.
pub struct Emitter<'a> {
    emitted: &'a mut Emitted,
    topics: &'a [String],
    /// Headers of the record that is being built; outlives it to keep its memory.
    headers: &'a mut Vec<u8>,
    /// The record that all of this comes from: its index and its timestamp.
    origin: u32,
    timestamp: i64,
}

impl Emitter<'_> {
    /// Emits a record as it is, to the next stage.
    pub fn forward(&mut self, record: &Record<'_>) {
        let (bytes, [key, value, _]) = record.parts();
        let timestamp = record.timestamp().unwrap_or(NO_TIMESTAMP);
        let start = self.emitted.bytes.len();
        self.emitted.bytes.extend_from_slice(bytes);
        push(
            self.emitted,
            self.origin,
            0,
            timestamp,
            record.nulls(),
            [start + key, start + key + value],
        );
    }

    /// A new record: no key, no value, no headers, the timestamp of the record that
    /// it comes from. Nothing is emitted before [`Emission::send`].
    pub fn emit(&mut self) -> Emission<'_> {
        self.headers.clear();
        Emission {
            emitted: self.emitted,
            topics: self.topics,
            headers: self.headers,
            origin: self.origin,
            timestamp: self.timestamp,
            key: None,
            value: None,
            topic: None,
        }
    }

    /// As [`emit`](Emitter::emit), but starting from the key, value, headers and
    /// timestamp of `record`, any of which can be replaced.
    pub fn derive<'e>(&'e mut self, record: &Record<'e>) -> Emission<'e> {
        let mut emission = self.emit();
        emission.headers.extend_from_slice(record.header_bytes());
        emission.timestamp = record.timestamp().unwrap_or(NO_TIMESTAMP);
        emission.key = record.key();
        emission.value = record.value();
        emission
    }
}

/// A record that is being built.
#[must_use = "nothing is emitted before `send`"]
pub struct Emission<'e> {
    emitted: &'e mut Emitted,
    topics: &'e [String],
    headers: &'e mut Vec<u8>,
    origin: u32,
    timestamp: i64,
    key: Option<&'e [u8]>,
    value: Option<&'e [u8]>,
    topic: Option<&'e str>,
}

impl<'e> Emission<'e> {
    /// With this key.
    pub fn key(mut self, key: &'e [u8]) -> Self {
        self.key = Some(key);
        self
    }

    /// With a null key.
    pub fn no_key(mut self) -> Self {
        self.key = None;
        self
    }

    /// With this value.
    pub fn value(mut self, value: &'e [u8]) -> Self {
        self.value = Some(value);
        self
    }

    /// With a null value: a tombstone.
    pub fn no_value(mut self) -> Self {
        self.value = None;
        self
    }

    /// With one header more. `None` is a null value.
    pub fn header<'v>(self, name: &str, value: impl Into<Option<&'v [u8]>>) -> Self {
        write_header(self.headers, name, value.into());
        self
    }

    /// Without any header so far.
    pub fn no_headers(self) -> Self {
        self.headers.clear();
        self
    }

    /// With this timestamp, in milliseconds since the epoch.
    pub fn timestamp(mut self, milliseconds: i64) -> Self {
        self.timestamp = milliseconds;
        self
    }

    /// To this topic, one of [`Setup::topics`], past the stages that remain; without
    /// it the record goes to the next stage.
    pub fn to(mut self, topic: &'e str) -> Self {
        self.topic = Some(topic);
        self
    }

    /// Emits the record.
    ///
    /// # Errors
    /// Where the topic is none of those that the manifest grants to this stage.
    pub fn send(self) -> Result<(), Failure> {
        let route = match self.topic {
            None => 0,
            Some(topic) => self.route(topic)?,
        };
        let mut nulls = 0;
        if self.key.is_none() {
            nulls |= NULL_KEY;
        }
        if self.value.is_none() {
            nulls |= NULL_VALUE;
        }
        let bytes = &mut self.emitted.bytes;
        bytes.extend_from_slice(self.key.unwrap_or_default());
        let key = bytes.len();
        bytes.extend_from_slice(self.value.unwrap_or_default());
        let value = bytes.len();
        bytes.extend_from_slice(self.headers);
        push(self.emitted, self.origin, route, self.timestamp, nulls, [key, value]);
        Ok(())
    }

    fn route(&self, topic: &str) -> Result<u32, Failure> {
        match self.topics.iter().position(|granted| granted == topic) {
            Some(index) => Ok(index as u32 + 1),
            None => Err(Failure::internal(format!(
                "topic '{topic}' is not granted to this stage, which has {}",
                self.topics.join(", ")
            ))),
        }
    }
}

/// Enters a record whose bytes have just been written: key and value end at `ends`,
/// the headers with all bytes.
fn push(
    emitted: &mut Emitted,
    origin: u32,
    route: u32,
    timestamp: i64,
    nulls: u8,
    [key, value]: [usize; 2],
) {
    emitted.origins.push(origin);
    emitted.routes.push(route);
    emitted.timestamps.push(timestamp);
    emitted.nulls.push(nulls);
    emitted.ends.extend([key as u32, value as u32, emitted.bytes.len() as u32]);
}

/// Drops what lies behind the first `records`.
fn truncate(emitted: &mut Emitted, records: usize) {
    emitted.origins.truncate(records);
    emitted.routes.truncate(records);
    emitted.timestamps.truncate(records);
    emitted.nulls.truncate(records);
    emitted.ends.truncate(3 * records);
    emitted.bytes.truncate(emitted.ends.last().map_or(0, |end| *end as usize));
}

/// A configured transformer.
pub struct Transformation<T> {
    operator: T,
    topics: Vec<String>,
    headers: Vec<u8>,
}

impl<T: Transformer> Transformation<T> {
    pub(crate) fn new(config: T::Config, setup: &Setup) -> Result<Transformation<T>, Error> {
        let operator = T::configure(config, setup)?;
        Ok(Transformation { operator, topics: setup.topics().to_vec(), headers: Vec::new() })
    }

    /// Configures the transformer with what the host says.
    ///
    /// # Errors
    /// Those of its configuration.
    pub fn configure(setup: crate::bindings::types::Setup) -> Result<Transformation<T>, String> {
        Setup::read(setup)
            .and_then(|(config, setup)| Self::new(config, &setup))
            .map_err(Error::into_message)
    }

    /// Transforms one batch.
    pub fn transform(&mut self, batch: &Batch) -> Transformed {
        let count = batch.offsets.len();
        let mut emitted = Emitted {
            origins: Vec::with_capacity(count),
            routes: Vec::with_capacity(count),
            timestamps: Vec::with_capacity(count),
            bytes: Vec::with_capacity(batch.bytes.len()),
            ends: Vec::with_capacity(3 * count),
            nulls: Vec::with_capacity(count),
        };
        let mut failures = Vec::new();
        for record in records(batch) {
            let before = emitted.origins.len();
            let mut out = Emitter {
                emitted: &mut emitted,
                topics: &self.topics,
                headers: &mut self.headers,
                origin: record.index() as u32,
                timestamp: record.timestamp().unwrap_or(NO_TIMESTAMP),
            };
            if let Err(failure) = self.operator.transform(&record, &mut out) {
                truncate(&mut emitted, before);
                failures.push(failure.at(record.index()));
            }
        }
        Transformed { records: emitted, failures }
    }
}
