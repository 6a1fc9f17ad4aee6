//! Output headers: the topic of a record that leaves the pipeline, and the headers that say
//! where it comes from. The same whether it goes to Kafka or comes out of a harness.

use std::borrow::Cow;

use crate::batch::Record;
use crate::failure::Failure;
use crate::output::{Output, SchemaHeader};

/// Header of a prediction: the model that made it, `name@version`.
pub const MODEL_HEADER: &str = "sandbar-model";
/// Header of an output while a candidate makes some too: `serving` or `candidate`.
pub const VARIANT_HEADER: &str = "sandbar-variant";
/// Header of a record that was fed in again after it had been a dead letter: how often.
pub const REPLAYED_HEADER: &str = "sandbar-replayed";
/// Header of a record: the id of the schema of its value, as Confluent's serializers write it.
pub const SCHEMA_HEADER: &str = "__value_schema_id";
/// How many headers [`OutputHeaders::output`] adds to those of the record, at most.
pub const OUTPUT_HEADERS: usize = 3;
/// How many headers [`OutputHeaders::letter`] adds to those of the record.
pub const DEAD_LETTER_HEADERS: usize = 7;

/// The topics and headers of everything that leaves the pipeline.
#[derive(Debug, Clone)]
pub struct OutputHeaders {
    /// The pipeline's name.
    pub pipeline: String,
    /// The sink's topic, if it has one, then those that transformers and routes lead to.
    pub topics: Vec<String>,
    /// The key of the manifest that names each of them first.
    pub named_by: Vec<&'static str>,
    /// The topic of records that failed.
    pub dead_letters: String,
}

impl OutputHeaders {
    /// The topic of an output.
    pub fn topic(&self, output: &Output<'_>) -> &str {
        &self.topics[output.topic]
    }

    /// The headers of an output: those of its record, and what made it.
    pub fn output<'a>(
        &'a self,
        output: &Output<'a>,
    ) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> {
        let model = output.model.map(|model| (MODEL_HEADER, Some(model.as_bytes())));
        let variant =
            output.variant.map(|variant| (VARIANT_HEADER, Some(variant.as_str().as_bytes())));
        let keeps = *output.schema == SchemaHeader::Kept;
        let own = output.record.headers().filter(move |(name, _)| keeps || *name != SCHEMA_HEADER);
        let schema = match output.schema {
            SchemaHeader::Set(id) => Some((SCHEMA_HEADER, Some(&**id))),
            SchemaHeader::Kept | SchemaHeader::Removed => None,
        };
        own.chain(schema).chain(model).chain(variant)
    }

    /// The headers of a record that failed: its own, then where it came from and why it
    /// failed.
    pub fn letter<'a>(
        &'a self,
        record: &Record<'a>,
        failure: &'a Failure,
    ) -> impl Iterator<Item = (&'a str, Option<Cow<'a, [u8]>>)> {
        let own = record.headers().map(|(name, value)| (name, value.map(Cow::Borrowed)));
        own.chain(self.notice(record, failure))
    }

    /// The same without the record's own, for a letter that carries nothing of it.
    pub fn notice<'a>(
        &'a self,
        record: &Record<'a>,
        failure: &'a Failure,
    ) -> impl Iterator<Item = (&'a str, Option<Cow<'a, [u8]>>)> {
        let text = |text: &'a str| Some(Cow::Borrowed(text.as_bytes()));
        let number = |number: i64| Some(Cow::Owned(number.to_string().into_bytes()));
        let headers: [_; DEAD_LETTER_HEADERS] = [
            ("sandbar-pipeline", text(&self.pipeline)),
            ("sandbar-stage", text(&failure.stage)),
            ("sandbar-code", text(failure.code.as_str())),
            ("sandbar-message", text(&failure.message)),
            ("sandbar-topic", text(record.topic())),
            ("sandbar-partition", number(record.partition().into())),
            ("sandbar-offset", number(record.offset())),
        ];
        headers.into_iter()
    }
}
