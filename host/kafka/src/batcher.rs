//! Collects records into batches of one partition.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use rdkafka::message::{BorrowedMessage, Message};

use super::group::Member;
use super::headers::RawHeaders;
use super::position_check::Misplaced;
use sandbar_record::AckHandle;
use sandbar_record::Batch;
use sandbar_record::{BatchLimits, LINGER};

/// The batches that are not full yet, one for each partition that has any.
pub struct Batcher {
    limits: BatchLimits,
    workers: Vec<Sender<Arc<AckHandle>>>,
    building: Vec<Building>,
    /// The entry of `building` that got the last record: the next one often goes there too.
    last: usize,
    /// [`Member::rebalances`] when `building` was last brought up to date.
    rebalances: u64,
}

struct Building {
    batch: Batch,
    assignment: u64,
    since: Instant,
    /// The lowest offset that the next record may have; `None`: not known.
    next: Option<i64>,
}

impl Batcher {
    /// Full batches go to `workers`.
    pub fn new(limits: BatchLimits, workers: Vec<Sender<Arc<AckHandle>>>) -> Self {
        Batcher { limits, workers, building: Vec::new(), last: 0, rebalances: 0 }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If it is before the one that has to be next, or that is not known.
    pub fn push(
        &mut self,
        message: &BorrowedMessage<'_>,
        member: &Member,
    ) -> Result<(), Misplaced> {
        self.forget_revoked(member);
        let size = size(message);
        let Some(index) = self.place(message, member) else { return Ok(()) };
        if !self.follows(index, message, member) {
            let (topic, partition) = (message.topic().to_owned(), message.partition());
            return Err(Misplaced { topic, partition, offset: message.offset() });
        }
        self.building[index].next = Some(message.offset() + 1);
        if self.limits.leaves_no_room(&self.building[index].batch, size) {
            self.submit(index, member);
        }
        let building = &mut self.building[index];
        if building.batch.is_empty() {
            building.since = Instant::now();
        }
        building.batch.push(
            message.offset(),
            message.timestamp().to_millis(),
            message.key(),
            message.payload(),
            RawHeaders::of(message),
        );
        if self.limits.is_full(&building.batch) {
            self.submit(index, member);
        }
        Ok(())
    }

    /// Sends on batches that have waited long enough, or all.
    pub fn flush(&mut self, all: bool, member: &Member) {
        self.forget_revoked(member);
        let expected = |building: &Building| {
            !building.batch.is_empty() && (all || building.since.elapsed() >= LINGER)
        };
        for index in 0..self.building.len() {
            if expected(&self.building[index]) {
                self.submit(index, member);
            }
        }
    }

    /// Whether a record is not before the one that has to be next.
    fn follows(&mut self, index: usize, message: &BorrowedMessage<'_>, member: &Member) -> bool {
        let is_behind = |next: Option<i64>| next.is_some_and(|next| message.offset() >= next);
        if is_behind(self.building[index].next) {
            return true;
        }
        // The tracker may know more by now, of this partition too once it has all of it.
        if !self.building[index].batch.is_empty() {
            self.submit(index, member);
        }
        is_behind(member.progress().next_offset(message.topic(), message.partition()))
    }

    /// The entry of `building` for a message; `None` if its partition was revoked since it
    /// was fetched.
    fn place(&mut self, message: &BorrowedMessage<'_>, member: &Member) -> Option<usize> {
        let (topic, partition) = (message.topic(), message.partition());
        let here = |building: &Building| {
            building.batch.partition == partition && *building.batch.topic == *topic
        };
        if self.building.get(self.last).is_some_and(here) {
            return Some(self.last);
        }
        self.last = match self.building.iter().position(here) {
            Some(index) => index,
            None => {
                let (topic, assignment) = member.progress().assignment(topic, partition)?;
                let batch = Batch::new(topic, partition, self.limits.records);
                self.building.push(Building {
                    batch,
                    assignment,
                    since: Instant::now(),
                    next: None,
                });
                self.building.len() - 1
            }
        };
        Some(self.last)
    }

    fn submit(&mut self, index: usize, member: &Member) {
        let Building { batch, assignment, .. } = &mut self.building[index];
        let next = Batch::new(batch.topic.clone(), batch.partition, self.limits.records);
        let batch = std::mem::replace(batch, next);
        if let Some((worker, ack)) = member.progress().submit(batch, *assignment) {
            // A worker that is gone drops the handle, which reports the batch as lost.
            let _ = self.workers[worker].send(ack);
        }
    }

    /// Drops what was collected from revoked partitions: their new owner reads it again.
    fn forget_revoked(&mut self, member: &Member) {
        if self.rebalances == member.rebalances() {
            return;
        }
        self.rebalances = member.rebalances();
        let progress = member.progress();
        self.building.retain(|Building { batch, assignment, .. }| {
            progress
                .assignment(&batch.topic, batch.partition)
                .is_some_and(|(_, current)| current == *assignment)
        });
    }
}

/// Bytes that a message occupies in a batch.
fn size(message: &BorrowedMessage<'_>) -> usize {
    let headers = RawHeaders::of(message);
    let headers: usize =
        headers.map(|(name, value)| 8 + name.len() + value.map_or(0, <[u8]>::len)).sum();
    message.key_len() + message.payload_len() + headers
}
