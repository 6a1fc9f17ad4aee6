//! The counters of one pipeline.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::now::Now;
use crate::failure::Code;
use crate::pipeline::rollout::Comparison;

/// Counters since the pipeline started. Shared by its threads.
#[derive(Debug, Default)]
pub struct Stats {
    pub(super) records: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) batches: AtomicU64,
    pub(super) outputs: AtomicU64,
    pub(super) filtered: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) isolated: AtomicU64,
    pub(super) retried: AtomicU64,
    pub(super) rebalances: AtomicU64,
    pub(super) committed: AtomicU64,
    pub(super) aborted: AtomicU64,
    pub(super) swaps: AtomicU64,
    pub(super) refused_swaps: AtomicU64,
    pub(super) rollouts_started: AtomicU64,
    pub(super) rollouts_promoted: AtomicU64,
    pub(super) rollouts_rolled_back: AtomicU64,
    pub(super) rollouts_aborted: AtomicU64,
    pub(super) rollouts_refused: AtomicU64,
    /// The comparison of the current roll-out.
    comparison: Mutex<Option<Arc<Comparison>>>,
    failures: Mutex<BTreeMap<(Arc<str>, Code), u64>>,
    /// The current state of the source.
    pub now: Now,
}

/// The counters at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Records taken in.
    pub records: u64,
    /// Their bytes: keys, values and headers.
    pub bytes: u64,
    /// Batches they came in.
    pub batches: u64,
    /// Predictions and transformed records sent on.
    pub outputs: u64,
    /// Records that a transformer dropped.
    pub filtered: u64,
    /// Records that failed and were dropped, as their stage says.
    pub skipped: u64,
    /// Batches that were processed again record by record, since a call failed.
    pub isolated: u64,
    /// Times that a batch was retried after a transient failure.
    pub retried: u64,
    /// The number of rebalances.
    pub rebalances: u64,
    /// Transactions that were committed.
    pub committed: u64,
    /// Transactions that were aborted; their batches were processed again.
    pub aborted: u64,
    /// Swaps of models or components.
    pub swaps: u64,
    /// Swaps that were refused.
    pub refused_swaps: u64,
    /// Roll-outs that were started.
    pub rollouts_started: u64,
    /// Roll-outs whose candidate was promoted.
    pub rollouts_promoted: u64,
    /// Roll-outs whose candidate broke a rule.
    pub rollouts_rolled_back: u64,
    /// Roll-outs that were aborted.
    pub rollouts_aborted: u64,
    /// Requests to start or end a roll-out that were refused.
    pub rollouts_refused: u64,
    /// Failures by stage and cause, those that occurred.
    pub failures: Vec<Failed>,
}

/// Failures of one stage for one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The stage.
    pub stage: Arc<str>,
    /// The cause.
    pub code: Code,
    /// How many.
    pub count: u64,
}

impl Snapshot {
    /// All failures together: as many dead letters were sent.
    pub fn failed(&self) -> u64 {
        self.failures.iter().map(|failed| failed.count).sum()
    }
}

impl Stats {
    /// The counters now. They move independently, so that sums may be off by the
    /// batches in flight.
    pub fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let failures = self.failures();
        Snapshot {
            records: read(&self.records),
            bytes: read(&self.bytes),
            batches: read(&self.batches),
            outputs: read(&self.outputs),
            filtered: read(&self.filtered),
            skipped: read(&self.skipped),
            isolated: read(&self.isolated),
            retried: read(&self.retried),
            rebalances: read(&self.rebalances),
            committed: read(&self.committed),
            aborted: read(&self.aborted),
            swaps: read(&self.swaps),
            refused_swaps: read(&self.refused_swaps),
            rollouts_started: read(&self.rollouts_started),
            rollouts_promoted: read(&self.rollouts_promoted),
            rollouts_rolled_back: read(&self.rollouts_rolled_back),
            rollouts_aborted: read(&self.rollouts_aborted),
            rollouts_refused: read(&self.rollouts_refused),
            failures: failures
                .iter()
                .map(|((stage, code), count)| Failed {
                    stage: stage.clone(),
                    code: *code,
                    count: *count,
                })
                .collect(),
        }
    }

    /// What a roll-out compares, while one is in progress.
    pub(super) fn comparison(&self) -> Option<Arc<Comparison>> {
        self.comparison.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets what a roll-out compares; `None`: none is in progress.
    pub(crate) fn compare(&self, comparison: Option<Arc<Comparison>>) {
        *self.comparison.lock().unwrap_or_else(PoisonError::into_inner) = comparison;
    }

    /// Counts a failure.
    pub(super) fn failed(&self, stage: &Arc<str>, code: Code) {
        *self.failures().entry((stage.clone(), code)).or_default() += 1;
    }

    fn failures(&self) -> MutexGuard<'_, BTreeMap<(Arc<str>, Code), u64>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
