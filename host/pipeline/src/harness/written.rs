//! What comes out of a harness.

use std::borrow::Cow;

use sandbar_record::{
    self as records, Batch, Code, Failure, Output, OutputHeaders, OwnedHeaders, Sink,
};

use crate::operator_harness::Origin;

/// All outputs of a pipeline.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Written {
    /// Predictions and transformed records, in the order of writing.
    pub outputs: Vec<Record>,
    /// Records that failed, in the order of writing.
    pub dead_letters: Vec<DeadLetter>,
}

/// A record as the pipeline would write it to Kafka.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The topic.
    pub topic: String,
    /// The key; `None` where it is null.
    pub key: Option<Vec<u8>>,
    /// The value; `None` where it is null.
    pub value: Option<Vec<u8>>,
    /// Headers in order: those of its input record, then the pipeline's own.
    pub headers: OwnedHeaders,
    /// Milliseconds since the epoch; for `None` Kafka would use the time of writing.
    pub timestamp: Option<i64>,
    /// Its input record.
    pub origin: Origin,
}

/// A record that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// As it would be written to the dead-letter topic: the input record, with headers that
    /// say where it came from and why it failed.
    pub record: Record,
    /// The stage that it failed in.
    pub stage: String,
    /// The cause.
    pub code: Code,
    /// The cause for a person.
    pub message: String,
}

impl Record {
    /// The value as text, with U+FFFD for what is not UTF-8; empty where it is null.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.value.as_deref().unwrap_or_default())
    }

    /// The last header of a name as text; `None` if there is none, or it is null.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.headers.iter().rfind(|(own, _)| own == name)?;
        value.as_deref().map(String::from_utf8_lossy)
    }

    fn new<'a, V: AsRef<[u8]>>(
        topic: &str,
        record: &records::Record<'a>,
        value: Option<&[u8]>,
        headers: impl Iterator<Item = (&'a str, Option<V>)>,
        origin: &records::Record<'_>,
    ) -> Self {
        let bytes = |bytes: V| bytes.as_ref().to_vec();
        Record {
            topic: topic.to_owned(),
            key: record.key().map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            headers: headers.map(|(name, value)| (name.to_owned(), value.map(bytes))).collect(),
            timestamp: record.timestamp(),
            origin: Origin::of(origin),
        }
    }
}

/// Collects all outputs.
pub(super) struct Collector {
    labels: OutputHeaders,
    pub(super) written: Written,
}

impl Collector {
    pub(super) fn new(labels: OutputHeaders) -> Self {
        Collector { labels, written: Written::default() }
    }
}

impl Sink for Collector {
    fn output(&mut self, batch: &Batch, output: &Output<'_>) {
        let Collector { labels, written } = self;
        let origin = batch.record(output.origin);
        let (topic, headers) = (labels.topic(output), labels.output(output));
        written.outputs.push(Record::new(topic, &output.record, output.value, headers, &origin));
    }

    fn dead_letter(&mut self, batch: &Batch, failure: &Failure) {
        let Collector { labels, written } = self;
        let record = batch.record(failure.record);
        let headers = labels.letter(&record, failure);
        let value = record.value();
        written.dead_letters.push(DeadLetter {
            record: Record::new(&labels.dead_letters, &record, value, headers, &record),
            stage: failure.stage.to_string(),
            code: failure.code,
            message: failure.message.clone(),
        });
    }
}
