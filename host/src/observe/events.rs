//! The events of a running pipeline. Each type writes its log line and moves its
//! counters in `emit`, so that no caller can do one without the other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Stats, resident_bytes};
use crate::failure::{Code, Failure};
use crate::inference::Graph;
use crate::kafka::transactions::Trouble;
use crate::pipeline::chain::Outcome;
use crate::pipeline::deployment::{Swap, SwapError};
use crate::pipeline::rollout::{End, Ended, Rollout};
use crate::records::{Batch, Record};
use crate::sandbox::CallError;

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
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
        tracing::trace!(%topic, partition, records = self.batch.len(), "batch");
        add(&stats.batches, 1);
        add(&stats.records, self.batch.len());
        add(&stats.bytes, self.batch.bytes.len());
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
        add(&stats.outputs, self.outputs);
        add(&stats.filtered, self.outcome.filtered);
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
            tracing::warn!(%stage, %code, %topic, partition, first_offset = first, attempts, "retrying a batch after a transient failure: {message}");
        }
        add(&stats.retried, 1);
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
        tracing::debug!(%stage, %code, topic, partition, offset, "record failed: {message}");
        stats.failed(stage, *code);
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
        let skipped = stats.skipped.fetch_add(1, Ordering::Relaxed) + 1;
        if skipped.is_power_of_two() {
            tracing::warn!(%stage, %code, topic, partition, offset, skipped, "record skipped: {message}");
        } else {
            tracing::debug!(%stage, %code, topic, partition, offset, skipped, "record skipped: {message}");
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
        tracing::error!(%stage, %code, calls = self.calls, "{} consecutive calls failed, backing off: {message}", self.calls);
        stats.now.slowed.fetch_add(1, Ordering::Relaxed);
    }
}

/// A worker that backed off works again.
pub struct WorkerRecovered;

impl WorkerRecovered {
    /// Logs it and no longer counts the worker.
    pub fn emit(self, stats: &Stats) {
        tracing::info!("worker recovered, backing off no longer");
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
        tracing::warn!(%stage, %code, %topic, partition, first_offset = first, records = offsets.len(), "a call failed for a whole batch, retrying record by record: {message}");
        add(&stats.isolated, 1);
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
        add(&stats.rebalances, 1);
        stats.now.assigned(self.left);
    }
}

/// A transaction was committed.
pub struct TransactionCommitted;

impl TransactionCommitted {
    /// Counts it.
    pub fn emit(self, stats: &Stats) {
        add(&stats.committed, 1);
    }
}

/// A transaction was aborted: its batches are processed again.
pub struct TransactionAborted<'a> {
    /// Why.
    pub trouble: &'a Trouble,
    /// How many batches it held.
    pub batches: usize,
}

impl TransactionAborted<'_> {
    /// Logs the cause and counts.
    pub fn emit(self, stats: &Stats) {
        let TransactionAborted { trouble, batches } = self;
        tracing::warn!(batches, "transaction aborted, its batches are processed again: {trouble}");
        add(&stats.aborted, 1);
    }
}

/// Other models or components were swapped in.
pub struct Swapped<'a> {
    /// The swap or roll-out.
    pub swap: &'a Swap,
}

impl Swapped<'_> {
    /// Logs and counts it.
    pub fn emit(self, stats: &Stats) {
        let Swap { revision, samples, trial, prepared, switched } = self.swap;
        let (number, model) = (revision.number, revision.model.as_deref());
        tracing::info!(
            revision = number,
            model,
            models = shown(&revision.models),
            samples,
            trial_records = trial.map(|it| it.records),
            trial_failed_before = trial.map(|it| it.failed_before),
            trial_failed = trial.map(|it| it.failed),
            prepared_seconds = prepared.as_secs_f64(),
            switched_seconds = switched.as_secs_f64(),
            "swapped"
        );
        add(&stats.swaps, 1);
    }
}

/// The models of a revision as one plain value: `flights=flights@4, weather=weather@1`.
fn shown(models: &BTreeMap<String, String>) -> String {
    let each = models.iter().map(|(name, version)| format!("{name}={version}"));
    each.collect::<Vec<_>>().join(", ")
}

/// A swap was refused; the serving revision stays.
pub struct SwapRefused<'a> {
    /// Why.
    pub error: &'a SwapError,
}

impl SwapRefused<'_> {
    /// Logs the cause and counts.
    pub fn emit(self, stats: &Stats) {
        tracing::warn!("swap refused, the serving revision stays: {}", self.error);
        add(&stats.refused_swaps, 1);
    }
}

/// A candidate runs beside the serving stages.
pub struct RolloutStarted<'a> {
    /// The swap or roll-out.
    pub rollout: &'a Rollout,
}

impl RolloutStarted<'_> {
    /// Logs and counts it.
    pub fn emit(self, stats: &Stats) {
        let Rollout { terms, candidate, samples, trial, .. } = self.rollout;
        let (mode, model) = (terms.mode, candidate.model.as_deref());
        tracing::info!(%mode, model, models = shown(&candidate.models), samples, trial_records = trial.map(|it| it.records), trial_failed_before = trial.map(|it| it.failed_before), trial_failed = trial.map(|it| it.failed), "roll-out started");
        add(&stats.rollouts_started, 1);
    }
}

/// A roll-out is over.
pub struct RolloutEnded<'a> {
    /// The swap or roll-out.
    pub ended: &'a Ended,
}

impl RolloutEnded<'_> {
    /// Logs why, and counts it by how it ended.
    pub fn emit(self, stats: &Stats) {
        let Ended { rollout, report, end, reason, .. } = self.ended;
        let (mode, model) = (rollout.terms.mode, rollout.candidate.model.as_deref());
        let (records, agreement) = (report.candidate.records, report.agreement);
        let how = end.as_str();
        match end {
            End::Promoted | End::Aborted => {
                tracing::info!(%mode, model, records, agreement, "roll-out ended, {how}: {reason}");
            }
            End::RolledBack => {
                tracing::warn!(%mode, model, records, agreement, "roll-out ended, {how}, the serving revision stays: {reason}");
            }
        }
        let counter = match end {
            End::Promoted => &stats.rollouts_promoted,
            End::Aborted => &stats.rollouts_aborted,
            End::RolledBack => &stats.rollouts_rolled_back,
        };
        add(counter, 1);
    }
}

/// A request to start or end a roll-out was refused.
pub struct RolloutRefused<'a> {
    /// Why.
    pub error: &'a SwapError,
}

impl RolloutRefused<'_> {
    /// Logs the cause and counts.
    pub fn emit(self, stats: &Stats) {
        tracing::warn!("roll-out request refused, nothing was changed: {}", self.error);
        add(&stats.rollouts_refused, 1);
    }
}

/// A graph was optimised for inputs of some shapes.
pub struct GraphOptimised<'a> {
    /// The graph.
    pub graph: &'a Graph,
    /// The shape of each of its inputs.
    pub shapes: &'a [Vec<usize>],
    /// How long it took.
    pub took: Duration,
    /// [`resident_bytes`] before.
    pub before: Option<u64>,
}

impl GraphOptimised<'_> {
    /// Logs it, with what the process has in memory before and after.
    pub fn emit(self) {
        let GraphOptimised { graph, shapes, took, before } = self;
        let mebibytes = |bytes: Option<u64>| bytes.map(|bytes| bytes >> 20);
        let (before, after) = (mebibytes(before), mebibytes(resident_bytes()));
        tracing::info!(
            model = graph.id(),
            ?shapes,
            took_seconds = took.as_secs_f64(),
            resident_mib_before = before,
            resident_mib_after = after,
            "graph optimised"
        );
    }
}

/// A computation exceeded its deadline: its caller has been answered, its thread
/// has not ended yet.
pub struct InferenceLate<'a> {
    /// The stage that asked for it.
    pub stage: &'a str,
    /// The deadline.
    pub deadline: Duration,
    /// The number of late threads now, including this one.
    pub late: usize,
}

impl InferenceLate<'_> {
    /// Logs it.
    pub fn emit(self) {
        let InferenceLate { stage, deadline, late } = self;
        tracing::warn!(%stage, deadline_seconds = deadline.as_secs_f64(), late, "computation exceeded its deadline; its thread is left to end by itself");
    }
}

/// A thread that was late has ended.
pub struct InferenceEnded<'a> {
    /// The stage that asked for it.
    pub stage: &'a str,
    /// How many late threads are left.
    pub late: usize,
}

impl InferenceEnded<'_> {
    /// Logs it.
    pub fn emit(self) {
        let InferenceEnded { stage, late } = self;
        tracing::info!(%stage, late, "late computation ended");
    }
}
