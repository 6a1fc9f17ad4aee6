//! The results of one of the two chains, batch by batch.

use std::collections::BTreeMap;
use std::time::Duration;

use super::latency::LatencyHistogram;
use crate::outcome::{Outcome, PredictionSet};
use sandbar_record::{Code, Failure};

/// The results of one of the two.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) records: u64,
    pub(super) scored: u64,
    pub(super) failed: BTreeMap<Code, u64>,
    pub(super) times: LatencyHistogram,
}

/// The batch result of one of the two.
pub(super) struct BatchResult<'a> {
    /// The records that it was given.
    pub(super) records: usize,
    /// Their result.
    pub(super) outcome: &'a Outcome,
    /// How long that took.
    pub(super) took: Duration,
}

impl Tally {
    /// The share of the records that failed.
    pub(super) fn failure_rate(&self) -> f64 {
        let failed: u64 = self.failed.values().sum();
        if self.records == 0 { 0.0 } else { failed as f64 / self.records as f64 }
    }

    pub(super) fn add(&mut self, seen: &BatchResult<'_>) {
        let BatchResult { records, outcome, took } = seen;
        self.records += *records as u64;
        let scored = outcome.predictions.as_ref().and_then(PredictionSet::scored);
        self.scored += scored.unwrap_or_else(|| outcome.count()) as u64;
        for Failure { code, .. } in &outcome.failures {
            *self.failed.entry(*code).or_default() += 1;
        }
        self.times.add(*took);
    }
}
