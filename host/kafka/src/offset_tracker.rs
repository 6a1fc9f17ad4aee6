//! The offset tracker of a consumer: which batches of which partition are in flight, and
//! up to which offset everything is delivered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::error::KafkaFailure;
use super::initial_offsets::Placed;
use sandbar_record::Batch;
use sandbar_record::{AckEvent, AckHandle, BatchEnd};

/// Memory that a record occupies besides its bytes: columns, queue entries, headers.
const RECORD_OVERHEAD: u64 = 200;

/// The partitions assigned to this consumer, and what is in flight.
pub struct OffsetTracker {
    partitions: Vec<Partition>,
    /// Bytes of all batches in flight, including those of revoked partitions.
    in_flight: u64,
    next_sequence: u64,
    next_assignment: u64,
    sender: Sender<AckEvent>,
    events: Receiver<AckEvent>,
    /// Why something can never be delivered. The run cannot go on then.
    broken: Option<String>,
}

struct Partition {
    topic: Arc<str>,
    number: i32,
    /// Distinguishes this assignment from an earlier one of the same partition.
    assignment: u64,
    worker: usize,
    /// In order of their offsets.
    pending: VecDeque<Pending>,
    /// The next offset that is not delivered.
    position: Option<i64>,
    /// The offset last committed.
    committed: Option<i64>,
    /// Where the group begins here, if this runner has decided it.
    start: Option<i64>,
    /// The lowest offset of which the first record may be, if that is known.
    floor: Option<i64>,
}

struct Pending {
    sequence: u64,
    next_offset: i64,
    done: bool,
    /// Whether it is left to the next run: then nothing behind it is delivered here either.
    left: bool,
}

impl Default for OffsetTracker {
    /// No partitions.
    fn default() -> Self {
        let (sender, events) = channel();
        OffsetTracker {
            partitions: Vec::new(),
            in_flight: 0,
            next_sequence: 0,
            next_assignment: 0,
            sender,
            events,
            broken: None,
        }
    }
}

impl OffsetTracker {
    /// Whether nothing is in flight.
    fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    /// Takes partitions. Each goes to the one of `workers` that has the fewest.
    pub fn assign(&mut self, added: &TopicPartitionList, workers: usize) {
        for element in added.elements() {
            let load = |worker: &usize| {
                self.partitions.iter().filter(|partition| partition.worker == *worker).count()
            };
            let worker = (0..workers).min_by_key(load).unwrap_or(0);
            let (topic, number) = (element.topic().into(), element.partition());
            self.next_assignment += 1;
            self.partitions.push(Partition {
                topic,
                number,
                assignment: self.next_assignment,
                worker,
                pending: VecDeque::new(),
                position: None,
                committed: None,
                start: None,
                floor: None,
            });
        }
    }

    /// Gives partitions up. What is in flight from them will be delivered, but not
    /// committed.
    pub fn revoke(&mut self, removed: &TopicPartitionList) {
        self.partitions.retain(|partition| !partition.is_in(removed));
    }

    /// Takes over where partitions are to be read: start offsets as if everything before them
    /// were delivered.
    pub(super) fn begin(&mut self, placed: &Placed) {
        for (list, is_start) in [(&placed.floors, false), (&placed.starts, true)] {
            for place in list.elements() {
                let is_it = |found: &&mut Partition| found.is(place.topic(), place.partition());
                let (Offset::Offset(offset), Some(found)) =
                    (place.offset(), self.partitions.iter_mut().find(is_it))
                else {
                    continue;
                };
                found.floor = Some(offset);
                if is_start {
                    found.position = Some(offset);
                    found.start = Some(offset);
                    found.committed = placed.committed.then_some(offset);
                }
            }
        }
    }

    /// Goes back: what the partition has now begins at `offset`, whatever was delivered of what
    /// it had before.
    pub fn restart(&mut self, topic: &str, number: i32, offset: i64) {
        if let Some(found) = self.partitions.iter_mut().find(|found| found.is(topic, number)) {
            (found.position, found.floor) = (Some(offset), Some(offset));
            found.pending.clear();
        }
    }

    /// The lowest offset that the next record of an assigned partition may have: behind all that
    /// were read. `None`: not known.
    pub fn next_offset(&self, topic: &str, number: i32) -> Option<i64> {
        let partition = self.partitions.iter().find(|partition| partition.is(topic, number))?;
        let read = partition.pending.back().map(|pending| pending.next_offset);
        read.or(partition.position).or(partition.floor)
    }

    /// The assignment of each partition.
    pub fn assignments(&self) -> Vec<u64> {
        self.partitions.iter().map(|partition| partition.assignment).collect()
    }

    /// The topic's name and the assignment of a partition, while it is assigned.
    pub fn assignment(&self, topic: &str, number: i32) -> Option<(Arc<str>, u64)> {
        let partition = self.partitions.iter().find(|partition| partition.is(topic, number))?;
        Some((partition.topic.clone(), partition.assignment))
    }

    /// Up to which offset an assigned partition is delivered, if known, and whether nothing of
    /// it is in flight.
    pub fn position(&self, topic: &str, number: i32) -> Option<(Option<i64>, bool)> {
        let partition = self.partitions.iter().find(|partition| partition.is(topic, number))?;
        Some((partition.position, partition.pending.is_empty()))
    }

    /// Tracks a batch. Returns its acknowledgement handle and the worker it goes to;
    /// `None` if its partition was revoked.
    pub fn submit(&mut self, batch: Batch, assignment: u64) -> Option<(usize, Arc<AckHandle>)> {
        let found = self.partitions.iter_mut().find(|partition| partition.assignment == assignment);
        let (partition, last) = (found?, *batch.offsets.last()?);
        let bytes = batch.bytes.len() as u64 + RECORD_OVERHEAD * batch.len() as u64;
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.in_flight += bytes;
        partition.pending.push_back(Pending {
            sequence,
            next_offset: last + 1,
            done: false,
            left: false,
        });
        Some((
            partition.worker,
            AckHandle::new(batch, sequence, assignment, bytes, self.sender.clone()),
        ))
    }

    /// Processes the acknowledgements since the last time, without waiting.
    ///
    /// # Errors
    /// If something can never be delivered.
    pub fn settle(&mut self) -> Result<(), KafkaFailure> {
        while let Ok(event) = self.events.try_recv() {
            self.take(event);
        }
        match &self.broken {
            None => Ok(()),
            Some(reason) => Err(KafkaFailure::Undelivered(reason.clone())),
        }
    }

    /// Waits until no more than `limit` bytes are in flight, for `patience` at the
    /// most. Returns how many are.
    ///
    /// # Errors
    /// As [`OffsetTracker::settle`].
    pub fn await_room(&mut self, limit: u64, patience: Duration) -> Result<u64, KafkaFailure> {
        let end = Instant::now() + patience;
        self.settle()?;
        while self.in_flight > limit {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(event) = self.events.recv_timeout(left) else { break };
            self.take(event);
            self.settle()?;
        }
        Ok(self.in_flight)
    }

    /// Waits until nothing of `partitions` (`None`: of any) is in flight. `false`:
    /// something still was at the end of `patience`.
    ///
    /// # Errors
    /// As [`OffsetTracker::settle`].
    pub fn drain(
        &mut self,
        partitions: Option<&TopicPartitionList>,
        patience: Duration,
    ) -> Result<bool, KafkaFailure> {
        let end = Instant::now() + patience;
        loop {
            self.settle()?;
            let busy = |partition: &Partition| {
                partitions.is_none_or(|list| partition.is_in(list)) && partition.is_busy()
            };
            let all_idle = partitions.is_some() || self.is_idle();
            if all_idle && !self.partitions.iter().any(busy) {
                return Ok(true);
            }
            match self.events.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(event) => self.take(event),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Ok(false);
                }
            }
        }
    }

    fn take(&mut self, event: AckEvent) {
        match event {
            AckEvent::Done { topic, partition, sequence, bytes, end } => {
                self.in_flight -= bytes;
                if end == BatchEnd::Lost {
                    let what = || format!("a batch of {topic}/{partition} was not delivered");
                    self.broken.get_or_insert_with(what);
                    return;
                }
                let found = self.partitions.iter_mut().find(|found| found.is(&topic, partition));
                match found {
                    Some(found) if end == BatchEnd::Left => found.left(sequence),
                    Some(found) => found.done(sequence),
                    None => {}
                }
            }
            AckEvent::Broken { reason } => drop(self.broken.get_or_insert(reason)),
        }
    }

    /// The offsets to commit: of each partition (of those in `only`) that has advanced
    /// since the last time.
    pub fn commit(&mut self, only: Option<&TopicPartitionList>) -> TopicPartitionList {
        self.commit_those(|partition| only.is_none_or(|list| partition.is_in(list)))
    }

    /// The start offsets to commit, of partitions of which nothing has been read yet.
    pub fn commit_starts(&mut self) -> TopicPartitionList {
        self.commit_those(|partition| {
            partition.pending.is_empty() && partition.position == partition.start
        })
    }

    fn commit_those(&mut self, wanted: impl Fn(&Partition) -> bool) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in &mut self.partitions {
            let Some(position) = partition.position else { continue };
            if partition.committed == Some(position) || !wanted(partition) {
                continue;
            }
            let added = list.add_partition_offset(
                &partition.topic,
                partition.number,
                Offset::Offset(position),
            );
            if added.is_ok() {
                partition.committed = Some(position);
            }
        }
        list
    }

    /// Forgets what was committed: after a commit that failed, and before one that must
    /// not rely on an earlier one that is not answered yet.
    pub fn forget_commits(&mut self) {
        self.partitions.iter_mut().for_each(|partition| partition.committed = None);
    }
}

impl Partition {
    fn is(&self, topic: &str, number: i32) -> bool {
        self.number == number && *self.topic == *topic
    }

    fn is_in(&self, list: &TopicPartitionList) -> bool {
        list.find_partition(&self.topic, self.number).is_some()
    }

    /// Whether something is in flight that will be delivered.
    fn is_busy(&self) -> bool {
        self.pending.iter().any(|pending| !pending.done && !pending.left)
    }

    /// Marks a batch as left: the position stays before it.
    fn left(&mut self, sequence: u64) {
        if let Ok(index) = self.find(sequence) {
            self.pending[index].left = true;
        }
    }

    fn find(&self, sequence: u64) -> Result<usize, usize> {
        self.pending.binary_search_by_key(&sequence, |pending| pending.sequence)
    }

    /// Marks a batch as done, and moves the position past everything done at the front.
    fn done(&mut self, sequence: u64) {
        if let Ok(index) = self.find(sequence) {
            self.pending[index].done = true;
        }
        while let Some(front) = self.pending.pop_front_if(|pending| pending.done) {
            self.position = Some(front.next_offset);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    fn places(offset: i64) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset("flights", 0, Offset::Offset(offset)).unwrap();
        list
    }

    fn starts(offset: i64, committed: bool) -> Placed {
        Placed { floors: TopicPartitionList::new(), starts: places(offset), committed }
    }

    #[test]
    fn a_start_that_was_refused_is_committed_until_it_is_taken() {
        let mut tracker = OffsetTracker::default();
        tracker.assign(&places(0), 1);
        tracker.begin(&starts(5, false));
        assert_eq!(tracker.commit_starts(), places(5));
        assert_eq!(tracker.commit_starts().count(), 0);
        tracker.forget_commits();
        assert_eq!(tracker.commit_starts(), places(5));
    }

    #[test]
    fn a_start_that_was_taken_is_not_committed_again() {
        let mut tracker = OffsetTracker::default();
        tracker.assign(&places(0), 1);
        tracker.begin(&starts(5, true));
        assert_eq!(tracker.commit_starts().count(), 0);
        assert_eq!(tracker.commit(None).count(), 0);
    }

    #[test]
    fn a_start_is_never_committed_over_what_was_read_since() {
        let mut tracker = OffsetTracker::default();
        tracker.assign(&places(0), 1);
        tracker.begin(&starts(5, false));
        let partition = &mut tracker.partitions[0];
        partition.pending.push_back(Pending {
            sequence: 0,
            next_offset: 6,
            done: false,
            left: false,
        });
        assert_eq!(tracker.commit_starts().count(), 0);
        tracker.partitions[0].done(0);
        assert_eq!(tracker.commit_starts().count(), 0);
        assert_eq!(tracker.commit(None), places(6));
    }

    #[test]
    fn a_batch_that_is_left_is_waited_for_by_nobody_and_passed_by_no_offset() {
        let mut tracker = OffsetTracker::default();
        tracker.assign(&places(0), 1);
        let assignment = tracker.assignments()[0];
        let mut batch = |offset| {
            let mut batch = Batch::new("flights".into(), 0, 1);
            batch.push(offset, None, None, None, std::iter::empty::<(&str, _)>());
            tracker.submit(batch, assignment).unwrap().1
        };
        let [first, second, third] = [0, 1, 2].map(&mut batch);
        first.processed();
        second.left();
        third.processed();
        drop((first, second, third));
        assert!(tracker.drain(None, Duration::ZERO).unwrap());
        assert_eq!(tracker.commit(None), places(1));
    }
}
