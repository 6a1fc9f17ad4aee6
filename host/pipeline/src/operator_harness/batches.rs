//! Collects records into batches: of one partition, in the order of arrival.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use sandbar_record::{Batch, BatchLimits, Input};

use super::error::HarnessError;

/// The incomplete batches.
pub(crate) struct Batches {
    limits: BatchLimits,
    /// The topic of records that do not name one.
    topic: Arc<str>,
    /// In the order in which they were started.
    building: Vec<Building>,
    /// The next offset of each partition.
    offsets: BTreeMap<(Arc<str>, i32), i64>,
}

struct Building {
    batch: Batch,
    since: Instant,
}

impl Batches {
    pub(crate) fn new(topic: &str, limits: BatchLimits) -> Self {
        let (building, offsets) = (Vec::new(), BTreeMap::new());
        Batches { limits, topic: topic.into(), building, offsets }
    }

    /// Adds a record to the batch of its partition. A batch that is full, or must go before
    /// it, goes to `ready`.
    pub(crate) fn push(
        &mut self,
        record: &Input,
        ready: &mut impl FnMut(&Batch) -> Result<(), HarnessError>,
    ) -> Result<(), HarnessError> {
        let topic = match &record.topic {
            Some(topic) if **topic != *self.topic => topic.as_str().into(),
            _ => self.topic.clone(),
        };
        let index = self.place(topic, record.partition);
        let size = record.size();
        if self.limits.leaves_no_room(&self.building[index].batch, size) {
            ready(&self.take(index))?;
        }
        let Building { batch, since } = &mut self.building[index];
        let offset = self.offsets.entry((batch.topic.clone(), batch.partition)).or_default();
        if !batch.fits(size) {
            let (topic, partition) = (batch.topic.to_string(), batch.partition);
            return Err(HarnessError::TooLarge { topic, partition, offset: *offset, size });
        }
        if batch.is_empty() {
            *since = Instant::now();
        }
        let headers = record.headers.iter().map(|(name, value)| (name, value.as_deref()));
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        batch.push(*offset, record.timestamp, key, value, headers);
        *offset += 1;
        if self.limits.is_full(batch) {
            ready(&self.take(index))?;
        }
        Ok(())
    }

    /// Passes the incomplete batches to `ready`.
    pub(crate) fn flush(
        &mut self,
        ready: &mut impl FnMut(&Batch) -> Result<(), HarnessError>,
    ) -> Result<(), HarnessError> {
        while !self.building.is_empty() {
            let Building { batch, .. } = self.building.remove(0);
            if !batch.is_empty() {
                ready(&batch)?;
            }
        }
        Ok(())
    }

    /// Since when a record waits; `None` if none does.
    pub(crate) fn waiting_since(&self) -> Option<Instant> {
        let waiting = self.building.iter().filter(|building| !building.batch.is_empty());
        waiting.map(|building| building.since).min()
    }

    /// The index in `building` for the records of a partition.
    fn place(&mut self, topic: Arc<str>, partition: i32) -> usize {
        let here = |Building { batch, .. }: &Building| {
            batch.partition == partition && *batch.topic == *topic
        };
        self.building.iter().position(here).unwrap_or_else(|| {
            let batch = Batch::new(topic, partition, self.limits.records);
            self.building.push(Building { batch, since: Instant::now() });
            self.building.len() - 1
        })
    }

    /// The batch at `index`, which is replaced by an empty one.
    fn take(&mut self, index: usize) -> Batch {
        let batch = &mut self.building[index].batch;
        let next = Batch::new(batch.topic.clone(), batch.partition, self.limits.records);
        std::mem::replace(batch, next)
    }
}
