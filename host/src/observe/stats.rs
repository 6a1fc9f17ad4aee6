//! The counters of one pipeline.

use std::sync::atomic::{AtomicU64, Ordering};

use super::now::Now;
use crate::failure::Code;

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
    pub(super) rebalances: AtomicU64,
    pub(super) committed: AtomicU64,
    pub(super) aborted: AtomicU64,
    pub(super) failures: [AtomicU64; Code::ALL.len()],
    /// What the reading end is at.
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
    /// Batches that were run again record by record, since a call gave nothing.
    pub isolated: u64,
    /// How often partitions came or went.
    pub rebalances: u64,
    /// Transactions that were committed.
    pub committed: u64,
    /// Transactions that were aborted; their batches were run again.
    pub aborted: u64,
    /// Failures by cause, those that occurred.
    pub failures: Vec<(Code, u64)>,
}

impl Snapshot {
    /// All failures together: as many dead letters were sent.
    pub fn failed(&self) -> u64 {
        self.failures.iter().map(|(_, count)| count).sum()
    }
}

impl Stats {
    /// The counters now. They move independently, so that sums may be off by the
    /// batches on their way.
    pub fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let failures = Code::ALL.iter().zip(&self.failures);
        Snapshot {
            records: read(&self.records),
            bytes: read(&self.bytes),
            batches: read(&self.batches),
            outputs: read(&self.outputs),
            filtered: read(&self.filtered),
            skipped: read(&self.skipped),
            isolated: read(&self.isolated),
            rebalances: read(&self.rebalances),
            committed: read(&self.committed),
            aborted: read(&self.aborted),
            failures: failures
                .map(|(code, counter)| (*code, read(counter)))
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }
}
