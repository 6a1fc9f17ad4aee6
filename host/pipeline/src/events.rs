//! The events of a running pipeline. Each type writes its log line and moves its
//! counters in `emit`, so that no caller can do one without the other.

use std::path::Path;
use std::sync::atomic::Ordering;

use sandbar_record::{Batch, Code, Failure, Record};
use sandbar_sandbox::CallError;
use sandbar_telemetry::Stats;

use crate::outcome::Outcome;

/// A model has samples that the pipeline cannot try.
pub struct SamplesNotTried<'a> {
    /// `name@version` of the model.
    pub model: &'a str,
    /// The file of the samples.
    pub file: &'a Path,
}

impl SamplesNotTried<'_> {
    /// Logs it.
    pub fn emit(self) {
        let (model, path) = (self.model, self.file.display());
        tracing::warn!(model, %path, "samples not tried, no scorer can try them alone");
    }
}

/// What is loaded was prepared before.
pub struct PreparedBefore {
    /// How many samples were reproduced then.
    pub samples: usize,
}

impl PreparedBefore {
    /// Logs it.
    pub fn emit(self) {
        tracing::debug!(
            samples = self.samples,
            "prepared before with the same files, samples are not tried again"
        );
    }
}

/// The registry has given the schema of outputs an id.
pub struct SchemaKnown<'a> {
    /// The subject that has it.
    pub subject: &'a str,
    /// The topic of the outputs.
    pub topic: &'a str,
    /// The id.
    pub schema_id: u32,
}

impl SchemaKnown<'_> {
    /// Logs it.
    pub fn emit(self) {
        let SchemaKnown { subject, topic, schema_id } = self;
        tracing::info!(subject, topic, schema_id, "schema of predictions is registered");
    }
}

/// A batch reached a worker.
pub struct BatchReceived<'a> {
    /// The batch.
    pub batch: &'a Batch,
}

impl BatchReceived<'_> {
    /// Counts the batch.
    pub fn emit(self, stats: &Stats) {
        let Batch { topic, partition, .. } = self.batch;
        tracing::trace!(%topic, partition, records = self.batch.len(), "batch received");
        stats.batches.add(1);
        stats.records.add(self.batch.len());
        stats.bytes.add(self.batch.bytes.len());
    }
}

/// A batch, or one record of it, went through the stages.
pub struct BatchProcessed<'a> {
    /// Its result.
    pub outcome: &'a Outcome,
    /// The number of output records.
    pub outputs: usize,
}

impl BatchProcessed<'_> {
    /// Counts the result of the batch.
    pub fn emit(self, stats: &Stats) {
        stats.outputs.add(self.outputs);
        stats.filtered.add(self.outcome.filtered);
        stats.unrouted.add(self.outcome.unrouted);
    }
}

/// Records of a batch failed for a transient cause: the batch is retried.
pub struct BatchRetried<'a> {
    /// The batch.
    pub batch: &'a Batch,
    /// The failures.
    pub failures: &'a [Failure],
    /// How often the batch was processed.
    pub attempts: u32,
}

impl BatchRetried<'_> {
    /// Logs the first cause and counts.
    pub fn emit(self, stats: &Stats) {
        let Batch { topic, partition, offsets, .. } = self.batch;
        let (first, attempts) = (offsets.first(), self.attempts);
        let cause = self.failures.iter().find(|failure| failure.code == Code::Unavailable);
        if let Some(Failure { stage, code, message, .. }) = cause {
            tracing::warn!(%stage, %code, %topic, partition, offset = first, attempts, error = %message, "retrying a batch after a transient failure");
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

/// A record failed in a stage that skips failed records.
pub struct RecordSkipped<'a> {
    /// The record.
    pub record: Record<'a>,
    /// Why it failed.
    pub failure: &'a Failure,
}

impl RecordSkipped<'_> {
    /// Counts it. Nothing else reports it, so some are logged: the first, the second, the
    /// fourth, and so on.
    pub fn emit(self, stats: &Stats) {
        let Failure { stage, code, message, .. } = self.failure;
        let (topic, partition, offset) =
            (self.record.topic(), self.record.partition(), self.record.offset());
        let skipped = stats.skipped.add(1);
        if skipped.is_power_of_two() {
            tracing::warn!(%stage, %code, topic, partition, offset, skipped, error = %message, "record failed and is skipped, as on-failure says");
        } else {
            tracing::debug!(%stage, %code, topic, partition, offset, skipped, error = %message, "record failed and is skipped, as on-failure says");
        }
    }
}

/// A worker's consecutive calls failed: it backs off.
pub struct WorkerSlowed<'a> {
    /// What ended the last call.
    pub error: &'a CallError,
    /// How many consecutive calls failed.
    pub calls: u32,
}

impl WorkerSlowed<'_> {
    /// Logs it and counts the worker.
    pub fn emit(self, stats: &Stats) {
        let CallError { stage, code, message, .. } = self.error;
        tracing::error!(%stage, %code, calls = self.calls, error = %message, "consecutive calls failed, the worker backs off");
        stats.now.slowed.fetch_add(1, Ordering::Relaxed);
    }
}

/// A worker that backed off works again.
pub struct WorkerRecovered;

impl WorkerRecovered {
    /// Logs it and no longer counts the worker.
    pub fn emit(self, stats: &Stats) {
        tracing::info!("worker recovered, it backs off no longer");
        stats.now.slowed.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call failed for a batch, which is processed again record by record.
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
        tracing::warn!(%stage, %code, %topic, partition, offset = first, records = offsets.len(), error = %message, "a call failed for a whole batch, retrying record by record");
        stats.isolated.add(1);
    }
}
