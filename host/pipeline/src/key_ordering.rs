//! `[dead-letter] order = "key"`, key ordering: records behind a dead letter of their key follow it
//! to the dead-letter topic, so that nobody sees a key's later state before its earlier one.
//!
//! A key's records follow until one that `sandbar dlq replay` has replayed is processed
//! without failure, or until the partition is revoked. Keys are remembered by their hash.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use sandbar_record::{Batch, REPLAYED_HEADER, Record};

use crate::partition::{Partition, PartitionLifecycle};

/// Keys of one partition that are remembered, 2 MiB or so. With more dead letters
/// than that, every record with a key follows.
const MOST_KEYS: usize = 1 << 16;

/// The key ordering of a worker's partitions.
#[derive(Default)]
pub(crate) struct KeyOrdering {
    hasher: RandomState,
    partitions: HashMap<Partition, Keys>,
    /// What has changed since [`PartitionLifecycle::settled`], and how it was.
    changes: Vec<KeyChange>,
}

/// Those of one partition.
#[derive(Default)]
struct Keys {
    keys: HashMap<u64, Cause>,
    /// Where there were more keys than are remembered.
    all: Option<i64>,
}

/// The dead letter that a key's records follow.
#[derive(Clone, Copy)]
struct Cause {
    offset: i64,
    /// How often it had been replayed.
    replays: u64,
}

struct KeyChange {
    partition: Partition,
    key: u64,
    before: Option<Cause>,
}

impl KeyOrdering {
    /// Whether no record of the batch's partition follows another.
    pub(crate) fn none(&self, batch: &Batch) -> bool {
        self.partitions.get(&place(batch)).is_none_or(|it| it.keys.is_empty() && it.all.is_none())
    }

    /// From now on the records of this record's key follow it.
    pub(crate) fn lead(&mut self, batch: &Batch, record: &Record<'_>) {
        let Some(key) = record.key() else { return };
        let (key, offset) = (self.hasher.hash_one(key), record.offset());
        let place = place(batch);
        let partition = self.partitions.entry(place.clone()).or_default();
        if partition.keys.len() >= MOST_KEYS && !partition.keys.contains_key(&key) {
            if partition.all.is_none() {
                tracing::error!(topic = %place.0, partition = place.1, offset, keys = MOST_KEYS, "too many keys have dead letters: from this offset on all records with a key become dead letters");
                partition.all = Some(offset);
            }
            return;
        }
        let before = partition.keys.get(&key).copied();
        // A record that was not replayed says nothing about those that were.
        let replays = replays(record).max(before.map_or(0, |cause| cause.replays));
        partition.keys.insert(key, Cause { offset, replays });
        self.changes.push(KeyChange { partition: place, key, before });
    }

    /// The offset that a record follows although it has not failed. A record that was replayed,
    /// later than that, ends it.
    pub(crate) fn follows(&mut self, batch: &Batch, record: &Record<'_>) -> Option<i64> {
        let key = self.hasher.hash_one(record.key()?);
        let place = place(batch);
        let partition = self.partitions.get_mut(&place)?;
        let Some(cause) = partition.keys.get(&key).copied() else { return partition.all };
        if replays(record) <= cause.replays {
            return Some(cause.offset);
        }
        partition.keys.remove(&key);
        self.changes.push(KeyChange { partition: place, key, before: Some(cause) });
        None
    }
}

impl PartitionLifecycle for KeyOrdering {
    fn settled(&mut self) {
        self.changes.clear();
    }

    fn undone(&mut self) {
        for KeyChange { partition, key, before } in self.changes.drain(..).rev() {
            let Some(partition) = self.partitions.get_mut(&partition) else { continue };
            match before {
                Some(cause) => partition.keys.insert(key, cause),
                None => partition.keys.remove(&key),
            };
        }
    }

    fn revoked(&mut self, partition: &Partition) {
        self.partitions.remove(partition);
        self.changes.retain(|change| change.partition != *partition);
    }
}

fn place(batch: &Batch) -> Partition {
    (batch.topic.clone(), batch.partition)
}

/// How often a record was replayed.
fn replays(record: &Record<'_>) -> u64 {
    let replayed = record.headers().filter(|(name, _)| *name == REPLAYED_HEADER).last();
    let count = replayed.and_then(|(_, value)| std::str::from_utf8(value?).ok()?.parse().ok());
    count.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(records: &[(&str, Option<&str>)]) -> Batch {
        let mut batch = Batch::new("t".into(), 0, records.len());
        for (offset, (key, replayed)) in records.iter().enumerate() {
            let headers = replayed.map(|count| (REPLAYED_HEADER, Some(count.as_bytes())));
            let key = Some(key.as_bytes()).filter(|key| !key.is_empty());
            batch.push(offset as i64, None, key, None, headers.into_iter());
        }
        batch
    }

    #[test]
    fn records_follow_until_one_is_fed_in_again() {
        let batch = batch(&[
            ("a", None),
            ("a", None),
            ("b", None),
            ("", None),
            ("a", Some("1")),
            ("a", None),
        ]);
        let mut ordering = KeyOrdering::default();
        assert!(ordering.none(&batch));
        ordering.lead(&batch, &batch.record(0));
        let follows =
            |ordering: &mut KeyOrdering, index| ordering.follows(&batch, &batch.record(index));
        assert_eq!([1, 2, 3].map(|index| follows(&mut ordering, index)), [Some(0), None, None]);
        assert_eq!(follows(&mut ordering, 4), None);
        assert_eq!(follows(&mut ordering, 5), None);
    }

    #[test]
    fn what_fails_again_leads_again() {
        let batch = batch(&[("a", None), ("a", Some("1")), ("a", Some("1")), ("a", Some("2"))]);
        let mut ordering = KeyOrdering::default();
        ordering.lead(&batch, &batch.record(0));
        ordering.lead(&batch, &batch.record(1));
        assert_eq!(ordering.follows(&batch, &batch.record(2)), Some(1));
        assert_eq!(ordering.follows(&batch, &batch.record(3)), None);
    }

    #[test]
    fn what_comes_again_is_forgotten() {
        let batch = batch(&[("a", None), ("a", Some("1")), ("b", None), ("a", None)]);
        let mut ordering = KeyOrdering::default();
        ordering.lead(&batch, &batch.record(0));
        ordering.settled();
        assert_eq!(ordering.follows(&batch, &batch.record(1)), None);
        ordering.lead(&batch, &batch.record(2));
        ordering.undone();
        assert_eq!(ordering.follows(&batch, &batch.record(3)), Some(0));
        assert_eq!(ordering.follows(&batch, &batch.record(2)), None);
    }

    #[test]
    fn another_assignment_begins_anew() {
        let batch = batch(&[("a", None), ("a", None)]);
        let mut ordering = KeyOrdering::default();
        ordering.lead(&batch, &batch.record(0));
        ordering.before_batch(&batch);
        assert!(!ordering.none(&batch));
        ordering.revoked(&place(&batch));
        assert!(ordering.none(&batch));
    }
}
