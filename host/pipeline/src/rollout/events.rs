//! The events of roll-outs. Each type writes its log line and moves its counters in `emit`.

use std::fmt::Display;

use sandbar_telemetry::Stats;

use super::state::{End, Ended, Rollout};

/// A candidate runs beside the serving stages.
pub struct RolloutStarted<'a> {
    /// What there is to say of it.
    pub rollout: &'a Rollout,
}

impl RolloutStarted<'_> {
    /// Logs and counts it.
    pub fn emit(self, stats: &Stats) {
        let Rollout { spec, candidate, samples, trial, .. } = self.rollout;
        let mode = spec.mode;
        tracing::info!(%mode, models = candidate.shown_models(), samples, trial_records = trial.map(|it| it.records), trial_failed_before = trial.map(|it| it.failed_before), trial_failed = trial.map(|it| it.failed), "roll-out started, the candidate runs beside the serving revision");
        stats.rollouts_started.add(1);
    }
}

/// A roll-out is over.
pub struct RolloutEnded<'a> {
    /// What there is to say of it.
    pub ended: &'a Ended,
}

impl RolloutEnded<'_> {
    /// Logs why, and counts it by how it ended.
    pub fn emit(self, stats: &Stats) {
        let Ended { rollout, report, end, reason, .. } = self.ended;
        let (mode, models) = (rollout.spec.mode, rollout.candidate.shown_models());
        let (records, agreement) = (report.candidate.records, report.agreement);
        let outcome = end.as_str();
        match end {
            End::Promoted | End::Aborted => {
                tracing::info!(outcome, reason, %mode, models, records, agreement, "roll-out ended");
            }
            End::RolledBack => {
                tracing::warn!(outcome, reason, %mode, models, records, agreement, "roll-out ended, the serving revision stays");
            }
        }
        let counter = match end {
            End::Promoted => &stats.rollouts_promoted,
            End::Aborted => &stats.rollouts_aborted,
            End::RolledBack => &stats.rollouts_rolled_back,
        };
        counter.add(1);
    }
}

/// A request to start or end a roll-out was refused.
pub struct RolloutRefused<'a> {
    /// Why.
    pub error: &'a dyn Display,
}

impl RolloutRefused<'_> {
    /// Logs the cause and counts.
    pub fn emit(self, stats: &Stats) {
        tracing::warn!(error = %self.error, "roll-out request refused, nothing was changed");
        stats.rollouts_refused.add(1);
    }
}
