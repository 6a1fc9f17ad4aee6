//! How the source learns that a batch is done: all its outputs have
//! been acknowledged by the broker.
//!
//! The worker and each message in flight hold the batch's acknowledgement handle. When the
//! last of them is dropped, the source is told; so there is nothing to count, and no
//! lock per record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use crate::batch::Batch;

/// The acknowledgement handle of a batch in flight.
pub struct AckHandle {
    batch: Batch,
    sequence: u64,
    /// Which assignment of its partition the batch was read in.
    assignment: u64,
    bytes: u64,
    /// Set by the worker when it has handed over all outputs of the batch.
    processed: AtomicBool,
    /// Set when an output of the batch cannot be delivered.
    lost: AtomicBool,
    /// Set when the batch is left to the next run.
    left: AtomicBool,
    events: Sender<AckEvent>,
}

/// What the source is told.
pub enum AckEvent {
    /// A batch left the pipeline.
    Done {
        /// The topic of the batch.
        topic: Arc<str>,
        /// The partition of the batch.
        partition: i32,
        /// Which batch it is.
        sequence: u64,
        /// The bytes that it kept in memory.
        bytes: u64,
        /// How.
        end: BatchEnd,
    },
    /// The sink cannot go on.
    Broken {
        /// What is wrong.
        reason: String,
    },
}

/// How a batch left the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchEnd {
    /// All its outputs are delivered.
    Delivered,
    /// It was not finished, though nothing is wrong with it: the next run reads it again.
    Left,
    /// Something of it was not delivered.
    Lost,
}

impl AckHandle {
    /// A handle for a batch; `events` receives its end.
    pub fn new(
        batch: Batch,
        sequence: u64,
        assignment: u64,
        bytes: u64,
        events: Sender<AckEvent>,
    ) -> Arc<Self> {
        let [processed, lost, left] = [false; 3].map(AtomicBool::new);
        Arc::new(AckHandle { batch, sequence, assignment, bytes, processed, lost, left, events })
    }

    /// Tells this batch from all others of this runner.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Which assignment of its partition the batch was read in.
    pub fn assignment(&self) -> u64 {
        self.assignment
    }

    /// The records.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Says that all outputs of the batch are handed over. Without it the
    /// batch counts as lost: its worker ended before it was finished.
    pub fn processed(&self) {
        self.processed.store(true, Ordering::Release);
    }

    /// Leaves the batch, and those of its partition after it, to the next run.
    pub fn left(&self) {
        self.left.store(true, Ordering::Release);
    }

    /// Says that an output of this batch cannot be delivered, and why.
    pub fn broken(&self, reason: String) {
        self.lost.store(true, Ordering::Release);
        self.tell(AckEvent::Broken { reason });
    }

    fn tell(&self, event: AckEvent) {
        // The source is gone only when the runner has given up on this batch.
        let _ = self.events.send(event);
    }
}

impl Drop for AckHandle {
    fn drop(&mut self) {
        let end = if *self.lost.get_mut() {
            BatchEnd::Lost
        } else if *self.left.get_mut() {
            BatchEnd::Left
        } else if *self.processed.get_mut() {
            BatchEnd::Delivered
        } else {
            BatchEnd::Lost
        };
        self.tell(AckEvent::Done {
            topic: self.batch.topic.clone(),
            partition: self.batch.partition,
            sequence: self.sequence,
            bytes: self.bytes,
            end,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{TryRecvError, channel};

    fn ack() -> (Arc<AckHandle>, std::sync::mpsc::Receiver<AckEvent>) {
        let (events, received) = channel();
        (AckHandle::new(Batch::new("t".into(), 0, 0), 7, 1, 10, events), received)
    }

    #[test]
    fn a_batch_is_done_when_its_last_message_is() {
        let (ack, events) = ack();
        let message = ack.clone();
        ack.processed();
        drop(ack);
        assert!(matches!(events.try_recv(), Err(TryRecvError::Empty)));
        drop(message);
        assert!(matches!(
            events.try_recv(),
            Ok(AckEvent::Done { end: BatchEnd::Delivered, sequence: 7, .. })
        ));
    }

    #[test]
    fn a_batch_that_its_worker_left_is_not_delivered() {
        let (ack, events) = ack();
        drop(ack);
        assert!(matches!(events.try_recv(), Ok(AckEvent::Done { end: BatchEnd::Lost, .. })));
    }

    #[test]
    fn a_batch_that_is_left_is_not_lost() {
        let (ack, events) = ack();
        ack.left();
        drop(ack);
        assert!(matches!(events.try_recv(), Ok(AckEvent::Done { end: BatchEnd::Left, .. })));
    }

    #[test]
    fn a_batch_with_a_lost_output_is_not_delivered() {
        let (ack, events) = ack();
        ack.processed();
        ack.broken("gone".into());
        drop(ack);
        assert!(matches!(events.try_recv(), Ok(AckEvent::Broken { .. })));
        assert!(matches!(events.try_recv(), Ok(AckEvent::Done { end: BatchEnd::Lost, .. })));
    }
}
