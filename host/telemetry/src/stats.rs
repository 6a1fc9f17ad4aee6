//! The counters of one pipeline: the table of them, and how they are kept and read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::now::Now;

/// Makes [`Stats`], [`Snapshot`] and [`COUNTERS`] of one table: a counter is a line of it.
macro_rules! counters {
    ($($field:ident, $name:literal, $help:literal;)*) => {
        /// Counters since the pipeline started. Shared by its threads.
        #[derive(Debug, Default)]
        pub struct Stats {
            $(#[doc = concat!($help, ".")] pub $field: Counter,)*
            failures: Mutex<BTreeMap<(Arc<str>, &'static str), u64>>,
            /// The current state of the source.
            pub now: Now,
        }

        /// The counters at one time.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Snapshot {
            $(#[doc = concat!($help, ".")] pub $field: u64,)*
            /// Failures by stage and cause, those that occurred.
            pub failures: Vec<Failed>,
        }

        /// What Prometheus reads of each counter; `_total` is appended to the name there.
        pub(crate) const COUNTERS: &[(&str, &str, fn(&Snapshot) -> u64)] =
            &[$(($name, $help, |seen| seen.$field),)*];

        impl Stats {
            /// The counters now. They move independently, so that sums may be off by the
            /// batches in flight.
            pub fn snapshot(&self) -> Snapshot {
                Snapshot { $($field: self.$field.get(),)* failures: self.failed_by_stage() }
            }
        }
    };
}

counters! {
    records, "sandbar_records", "Records taken in";
    bytes, "sandbar_bytes", "Bytes taken in: keys, values and headers";
    batches, "sandbar_batches", "Batches that records came in";
    outputs, "sandbar_outputs", "Predictions and transformed records handed to the producer";
    filtered, "sandbar_filtered_records", "Records that a transformer dropped";
    unrouted, "sandbar_unrouted_records", "Outputs that no route took, dropped as [sink] otherwise says";
    skipped, "sandbar_skipped_records", "Records that failed and were dropped, as on-failure says";
    isolated, "sandbar_isolated_batches", "Batches processed again record by record, since a call failed";
    retried, "sandbar_retried_batches", "Times that a batch was retried after a transient failure";
    rebalances, "sandbar_rebalances", "Rebalances: times that partitions were assigned or revoked";
    committed, "sandbar_committed_transactions", "Transactions committed, with exactly-once delivery";
    aborted, "sandbar_aborted_transactions", "Transactions aborted, whose batches were processed again and are counted again";
    swaps, "sandbar_swaps", "Swaps of models or components";
    refused_swaps, "sandbar_refused_swaps", "Swaps refused, since the new models or components failed validation";
    rollouts_started, "sandbar_rollout_started", "Roll-outs started";
    rollouts_promoted, "sandbar_rollout_promoted", "Roll-outs whose candidate was promoted";
    rollouts_rolled_back, "sandbar_rollout_rolled_back", "Roll-outs whose candidate broke a rule";
    rollouts_aborted, "sandbar_rollout_aborted", "Roll-outs that were aborted";
    rollouts_refused, "sandbar_rollout_refused", "Requests to start or end a roll-out that were refused";
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `count` and returns the sum.
    #[inline]
    pub fn add(&self, count: usize) -> u64 {
        self.0.fetch_add(count as u64, Ordering::Relaxed) + count as u64
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Failures of one stage for one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The stage.
    pub stage: Arc<str>,
    /// The cause, as it stands in the header `sandbar-code`.
    pub code: &'static str,
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
    /// Counts a failure of `stage` with the cause `code`.
    pub fn failed(&self, stage: &Arc<str>, code: &'static str) {
        *self.failures().entry((stage.clone(), code)).or_default() += 1;
    }

    fn failed_by_stage(&self) -> Vec<Failed> {
        let failures = self.failures();
        let failed = |((stage, code), count): (&(Arc<str>, &'static str), &u64)| Failed {
            stage: stage.clone(),
            code,
            count: *count,
        };
        failures.iter().map(failed).collect()
    }

    fn failures(&self) -> MutexGuard<'_, BTreeMap<(Arc<str>, &'static str), u64>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
