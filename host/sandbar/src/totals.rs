//! The last line of a run.

use sandbar_telemetry::Snapshot;

/// Writes the counters to the log, at the end of a run.
pub(crate) fn tell_totals(end: &Snapshot) {
    tracing::info!(
        records = end.records,
        outputs = end.outputs,
        failed = end.failed(),
        filtered = end.filtered,
        unrouted = end.unrouted,
        "run ended, totals"
    );
}
