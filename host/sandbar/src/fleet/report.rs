//! A runner's report.

use std::time::{Duration, SystemTime};

use rdkafka::producer::BaseRecord;

use super::record::{ChangeProgress, FORMAT, RunnerReport};
use super::shared::Fleet;
use sandbar_pipeline::rollout;

/// How often a runner reports, also where nothing has changed.
pub(super) const INTERVAL: Duration = Duration::from_secs(5);

impl Fleet {
    /// Reports the state of this runner; `regular`: as scheduled, so rates are measured again.
    pub(super) fn report(&self, regular: bool) {
        let (seen, now) = (self.stats.snapshot(), self.stats.now.snapshot());
        let mut shared = self.lock();
        if regular {
            shared.meter.read(&seen);
        }
        let revision = shared.deployment.as_ref().map(|deployment| deployment.revision());
        let report = RunnerReport {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: self::now(),
            desired: shared.view.last(),
            serves: shared.serves,
            since: shared.since,
            models: revision.as_ref().map(|it| it.models.clone()).unwrap_or_default(),
            components: revision
                .map(|it| it.pins.components)
                .unwrap_or_default()
                .into_iter()
                .map(|(stage, pin)| (stage, pin.version.to_string()))
                .collect(),
            ready: self.stats.now.is_member() && !self.is_leaving(),
            refused: shared.refused.clone(),
            records: seen.records,
            outputs: seen.outputs,
            failed: seen.failed(),
            lag: now.lags.iter().map(|lag| lag.records).sum(),
            records_per_second: shared.meter.records,
            outputs_per_second: shared.meter.outputs,
            rollout: shared
                .deployment
                .as_ref()
                .and_then(|deployment| deployment.rollout())
                .map(|rollout| ChangeProgress::of(rollout.report())),
        };
        drop(shared);
        let key = self.name.report_key(&self.runner);
        let Ok(value) = serde_json::to_vec(&report) else { return };
        let record = BaseRecord::to(&self.topic).partition(0).key(&key).payload(&value);
        if let Err((error, _)) = self.producer.send(record) {
            tracing::debug!(%error, "report of this runner not sent, the next one follows");
        }
    }

    /// Reports that this runner has ended.
    pub(super) fn farewell(&self) {
        let key = self.name.report_key(&self.runner);
        let record = BaseRecord::<_, [u8]>::to(&self.topic).partition(0).key(&key);
        if let Err((error, _)) = self.producer.send(record) {
            tracing::debug!(%error, "end of this runner not reported, the others see it fall silent");
        }
    }
}

impl ChangeProgress {
    fn of(report: rollout::RolloutReport) -> Self {
        let rollout::RolloutReport { candidate, compared, agreement, mean_difference, .. } = report;
        let failed = candidate.failed.values().sum();
        ChangeProgress { records: candidate.records, failed, compared, agreement, mean_difference }
    }
}

/// An id for a runner: the machine's name, and something that no other has.
pub(super) fn id() -> String {
    let host = sandbar_registry::leases::host();
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let host: String = host.chars().filter(|c| fine(*c)).take(100).collect();
    format!("{host}-{:08x}", rand::random::<u32>())
}

/// Now, to the millisecond: what is written is what is read.
pub(super) fn now() -> SystemTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}
