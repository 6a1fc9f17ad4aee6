//! The events at Kafka's side of a pipeline. Each type writes its log line and moves its
//! counters in `emit`, so that no caller can do one without the other.

use sandbar_record::{Failure, Record};
use sandbar_telemetry::Stats;

use crate::transaction_error::TransactionError;

/// A record failed, since a topic rejected what became of it, and becomes a dead letter.
pub struct RecordRejected<'a> {
    /// The record.
    pub record: Record<'a>,
    /// Why.
    pub failure: &'a Failure,
}

impl RecordRejected<'_> {
    /// Counts the failure. Logged at debug level only: the dead letter says
    /// the same, and a topic full of garbage must not fill the disk with log lines.
    pub fn emit(self, stats: &Stats) {
        let Failure { stage, code, message, .. } = self.failure;
        let (topic, partition, offset) =
            (self.record.topic(), self.record.partition(), self.record.offset());
        tracing::debug!(%stage, %code, topic, partition, offset, error = %message, "record failed, it becomes a dead letter");
        stats.failed(stage, code.as_str());
    }
}

/// The group has rebalanced.
pub struct PartitionsChanged {
    /// How many partitions this runner has now.
    pub left: usize,
}

impl PartitionsChanged {
    /// Counts it. Which partitions were assigned or revoked is logged elsewhere.
    pub fn emit(self, stats: &Stats) {
        stats.rebalances.add(1);
        stats.now.assigned(self.left);
    }
}

/// A transaction was committed.
pub struct TransactionCommitted;

impl TransactionCommitted {
    /// Counts it.
    pub fn emit(self, stats: &Stats) {
        stats.committed.add(1);
    }
}

/// A transaction was aborted: its batches are processed again.
pub struct TransactionAborted<'a> {
    /// Why.
    pub trouble: &'a TransactionError,
    /// How many batches it held.
    pub batches: usize,
}

impl TransactionAborted<'_> {
    /// Logs the cause and counts.
    pub fn emit(self, stats: &Stats) {
        let TransactionAborted { trouble, batches } = self;
        tracing::warn!(batches, error = %trouble, "transaction aborted, its batches are processed again");
        stats.aborted.add(1);
    }
}
