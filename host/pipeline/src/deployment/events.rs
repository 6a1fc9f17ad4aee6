//! The events of a swap. Each type writes its log line and moves its counters in `emit`, so
//! that no caller can do one without the other.

use sandbar_telemetry::Stats;

use crate::swap::{Swap, SwapError};

/// Other models or components were swapped in.
pub struct Swapped<'a> {
    /// What there is to say of it.
    pub swap: &'a Swap,
}

impl Swapped<'_> {
    /// Logs and counts it.
    pub fn emit(self, stats: &Stats) {
        let Swap { revision, samples, trial, prepared, switched } = self.swap;
        tracing::info!(
            revision = revision.number,
            models = revision.shown_models(),
            samples,
            trial_records = trial.map(|it| it.records),
            trial_failed_before = trial.map(|it| it.failed_before),
            trial_failed = trial.map(|it| it.failed),
            prepared_seconds = prepared.as_secs_f64(),
            switched_seconds = switched.as_secs_f64(),
            "swapped, this revision serves now"
        );
        stats.swaps.add(1);
    }
}

/// A swap was refused; the serving revision stays.
pub struct SwapRefused<'a> {
    /// Why.
    pub error: &'a SwapError,
}

impl SwapRefused<'_> {
    /// Logs the cause and counts.
    pub fn emit(self, stats: &Stats) {
        tracing::warn!(error = %self.error, "swap refused, the serving revision stays");
        stats.refused_swaps.add(1);
    }
}
