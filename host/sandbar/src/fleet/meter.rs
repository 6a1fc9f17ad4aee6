//! Throughput, from report to report.

use std::time::Instant;

use sandbar_telemetry::Snapshot;

/// Measures throughput, from report to report.
#[derive(Default)]
pub(super) struct Meter {
    before: Option<(Instant, u64, u64)>,
    pub(super) records: f64,
    pub(super) outputs: f64,
}

impl Meter {
    pub(super) fn read(&mut self, seen: &Snapshot) {
        let now = Instant::now();
        if let Some((then, records, outputs)) = self.before {
            let seconds = now.duration_since(then).as_secs_f64().max(0.001);
            let rate = |new: u64, old: u64| (new.saturating_sub(old) as f64 / seconds).round();
            self.records = rate(seen.records, records);
            self.outputs = rate(seen.outputs, outputs);
        }
        self.before = Some((now, seen.records, seen.outputs));
    }
}
