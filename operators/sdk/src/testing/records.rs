//! Batches of records.

use super::outcomes::own;
use crate::bindings::transformation;
use crate::bindings::types::Batch;
use crate::error::Failure;
use crate::record::{NO_TIMESTAMP, NULL_KEY, NULL_VALUE, Record, records, write_header};

/// A record to give to an operator.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TestRecord {
    /// The key, if it is not null.
    pub key: Option<Vec<u8>>,
    /// The value, if it is not null.
    pub value: Option<Vec<u8>>,
    /// Headers: name and value.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
}

/// A batch of records of one partition, with offsets from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Records {
    batch: Batch,
}

impl Default for Records {
    fn default() -> Records {
        Records::new("test", 0)
    }
}

impl Records {
    /// A batch of no records.
    pub fn new(topic: &str, partition: i32) -> Records {
        Records {
            batch: Batch {
                topic: topic.into(),
                partition,
                offsets: Vec::new(),
                timestamps: Vec::new(),
                bytes: Vec::new(),
                ends: Vec::new(),
                nulls: Vec::new(),
            },
        }
    }

    /// Records of these values, with neither key nor headers.
    pub fn of_values<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Records {
        let record =
            |value: V| TestRecord { value: Some(value.as_ref().to_vec()), ..TestRecord::default() };
        values.into_iter().map(record).fold(Records::default(), Records::record)
    }

    /// With one record more.
    #[must_use]
    pub fn record(mut self, record: TestRecord) -> Records {
        let Batch { offsets, timestamps, bytes, ends, nulls, .. } = &mut self.batch;
        let mut null = 0;
        if record.key.is_none() {
            null |= NULL_KEY;
        }
        if record.value.is_none() {
            null |= NULL_VALUE;
        }
        offsets.push(offsets.len() as i64);
        timestamps.push(record.timestamp.unwrap_or(NO_TIMESTAMP));
        nulls.push(null);
        bytes.extend(record.key.unwrap_or_default());
        ends.push(bytes.len() as u32);
        bytes.extend(record.value.unwrap_or_default());
        ends.push(bytes.len() as u32);
        for (name, value) in &record.headers {
            write_header(bytes, name, value.as_deref());
        }
        ends.push(bytes.len() as u32);
        self
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.batch.offsets.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn batch(&self) -> &Batch {
        &self.batch
    }
}

/// A record that a transformer emitted.
#[derive(Debug, Clone, PartialEq)]
pub struct EmittedRecord {
    /// The index in the batch of the record that it comes from.
    pub origin: usize,
    /// The topic that it goes to; `None` is the next stage.
    pub topic: Option<String>,
    /// What it is.
    pub record: TestRecord,
}

/// What a transformer made of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Transformed {
    /// What was emitted.
    pub records: Vec<EmittedRecord>,
    /// Which records failed, by their index.
    pub failures: Vec<(usize, Failure)>,
}

impl Transformed {
    pub(super) fn new(it: transformation::Transformed, topics: &[String]) -> Transformed {
        let transformation::Emitted { origins, routes, timestamps, bytes, ends, nulls } =
            it.records;
        // The emitted columns are those of a batch, so its views read them.
        let (topic, offsets) = (String::new(), vec![0; origins.len()]);
        let batch = Batch { topic, partition: 0, offsets, timestamps, bytes, ends, nulls };
        let emitted = |((record, origin), route): ((Record<'_>, u32), u32)| EmittedRecord {
            origin: origin as usize,
            topic: route.checked_sub(1).map(|index| topics[index as usize].clone()),
            record: TestRecord {
                key: record.key().map(<[u8]>::to_vec),
                value: record.value().map(<[u8]>::to_vec),
                headers: record
                    .headers()
                    .map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec)))
                    .collect(),
                timestamp: record.timestamp(),
            },
        };
        let records = records(&batch).zip(origins).zip(routes).map(emitted).collect();
        let failed = |failure| (own(failure), failure.index as usize);
        let failures = it.failures.iter().map(failed).map(|(failure, index)| (index, failure));
        Transformed { records, failures: failures.collect() }
    }
}
