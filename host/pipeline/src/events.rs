//! The events of a running pipeline. Each type writes its log line and moves its
//! counters in `emit`, so that no caller can do one without the other.

use std::sync::atomic::Ordering;

use sandbar_record::{Batch, Code, Failure, Record};
use sandbar_sandbox::CallError;
use sandbar_telemetry::Stats;

use crate::chain::Outcome;
use crate::swap::{Swap, SwapError};

/// A batch reached a worker.
pub struct BatchReceived<'a> {
    /// The batch.
    pub batch: &'a Batch,
}

impl BatchReceived<'_> {
    /// Counts the batch.
    pub fn emit(self, stats: &Stats) {
        let Batch { topic, partition, .. } = self.batch;
        tracing::trace!(%topic, partition, records = self.batch.len(), "batch");
        stats.batches.add(1);
        stats.records.add(self.batch.len());
        stats.bytes.add(self.batch.bytes.len());
    }
}

/// A batch, or one record of it, went through the stages.
pub struct BatchProcessed<'a> {
    /// What came of it.
    pub outcome: &'a Outcome,
    /// How many output records.
    pub outputs: usize,
}

impl BatchProcessed<'_> {
    /// Counts what came of the batch.
    pub fn emit(self, stats: &Stats) {
        stats.outputs.add(self.outputs);
        stats.filtered.add(self.outcome.filtered);
    }
}

/// Records of a batch failed for a cause that may pass: they are run again.
pub struct BatchRetried<'a> {
    /// The batch.
    pub batch: &'a Batch,
    /// The failures.
    pub failures: &'a [Failure],
    /// How often the batch was run.
    pub attempts: u32,
}

impl BatchRetried<'_> {
    /// Logs the first cause and counts.
    pub fn emit(self, stats: &Stats) {
        let Batch { topic, partition, offsets, .. } = self.batch;
        let (first, attempts) = (offsets.first(), self.attempts);
        let cause = self.failures.iter().find(|failure| failure.code == Code::Unavailable);
        if let Some(Failure { stage, code, message, .. }) = cause {
            tracing::warn!(%stage, %code, %topic, partition, first, attempts, "a batch is run again, as what it lacks may come: {message}");
        }
        stats.retried.add(1);
    }
}

/// A record failed and becomes a dead letter.
pub struct RecordFailed<'a> {
    /// The record.
    pub record: Record<'a>,
    /// Why.
    pub failure: &'a Failure,
}

impl RecordFailed<'_> {
    /// Counts the failure. Logged for whoever asks for it: the dead letter tells
    /// the same, and a topic full of garbage must not fill the disk with log lines.
    pub fn emit(self, stats: &Stats) {
        let Failure { stage, code, message, .. } = self.failure;
        let (topic, partition, offset) =
            (self.record.topic(), self.record.partition(), self.record.offset());
        tracing::debug!(%stage, %code, topic, partition, offset, "record failed: {message}");
        stats.failed(stage, code.as_str());
    }
}

/// A record failed in a stage that skips such.
pub struct RecordSkipped<'a> {
    /// The record.
    pub record: Record<'a>,
    /// Why it failed.
    pub failure: &'a Failure,
}

impl RecordSkipped<'_> {
    /// Counts it. Nothing else tells of it, so some are logged: the first, the second, the
    /// fourth, and so on.
    pub fn emit(self, stats: &Stats) {
        let Failure { stage, code, message, .. } = self.failure;
        let (topic, partition, offset) =
            (self.record.topic(), self.record.partition(), self.record.offset());
        let skipped = stats.skipped.add(1);
        if skipped.is_power_of_two() {
            tracing::warn!(%stage, %code, topic, partition, offset, skipped, "record skipped: {message}");
        } else {
            tracing::debug!(%stage, %code, topic, partition, offset, skipped, "record skipped: {message}");
        }
    }
}

/// A worker's calls give nothing any more: it pauses between them.
pub struct WorkerSlowed<'a> {
    /// What ended the last call.
    pub error: &'a CallError,
    /// How many gave nothing, one after the other.
    pub calls: u32,
}

impl WorkerSlowed<'_> {
    /// Logs it and counts the worker.
    pub fn emit(self, stats: &Stats) {
        let CallError { stage, code, message, .. } = self.error;
        tracing::error!(%stage, %code, calls = self.calls, "a worker's calls give nothing any more, it is slowed down: {message}");
        stats.now.slowed.fetch_add(1, Ordering::Relaxed);
    }
}

/// A worker that was slowed down works again.
pub struct WorkerRecovered;

impl WorkerRecovered {
    /// Logs it and counts the worker no more.
    pub fn emit(self, stats: &Stats) {
        tracing::info!("a worker that was slowed down works again");
        stats.now.slowed.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call gave nothing for a batch, which is run again record by record.
pub struct BatchIsolated<'a> {
    /// The batch.
    pub batch: &'a Batch,
    /// What ended the call.
    pub error: &'a CallError,
}

impl BatchIsolated<'_> {
    /// Logs the cause and counts.
    pub fn emit(self, stats: &Stats) {
        let Batch { topic, partition, offsets, .. } = self.batch;
        let CallError { stage, code, message, .. } = self.error;
        let first = offsets.first();
        tracing::warn!(%stage, %code, %topic, partition, first, records = offsets.len(), "a batch is run again record by record: {message}");
        stats.isolated.add(1);
    }
}

/// Other models or components took the place of those that served.
pub struct Swapped<'a> {
    /// What there is to say of it.
    pub swap: &'a Swap,
}

impl Swapped<'_> {
    /// Logs and counts it.
    pub fn emit(self, stats: &Stats) {
        let Swap { revision, samples, trial, prepared, switched } = self.swap;
        let (number, model) = (revision.number, revision.model.as_deref());
        tracing::info!(revision = number, model, models = ?revision.models, samples, ?trial, ?prepared, ?switched, "swapped");
        stats.swaps.add(1);
    }
}

/// A swap did not take place; what served before goes on.
pub struct SwapRefused<'a> {
    /// Why.
    pub error: &'a SwapError,
}

impl SwapRefused<'_> {
    /// Logs the cause and counts.
    pub fn emit(self, stats: &Stats) {
        tracing::warn!("a swap did not take place, what served before goes on: {}", self.error);
        stats.refused_swaps.add(1);
    }
}
