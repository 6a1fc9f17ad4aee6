//! Roll-outs for all runners of a fleet: a change names the candidate to run beside what serves,
//! and another ends that. Each runner judges by the records that it sees, and the first whose
//! rules decide requests the end, as a person would.

use std::sync::{Arc, PoisonError};

use super::error::FleetError;
use super::follower::{FIRST_PAUSE, LONGEST_PAUSE, swap};
use super::promote::{Intent, Promoted, PromotionRequest, next};
use super::record::{Action, Candidate, FleetChange, line};
use super::{Fleet, events};
use sandbar_pipeline::Deployment;
use sandbar_pipeline::deployment::Judge;
use sandbar_pipeline::revision::Validation;
use sandbar_pipeline::rollout::{RolloutSpec, Verdict};
use sandbar_pipeline::swap::SwapError;

impl Fleet {
    /// Starts a dual run of other versions on all runners, once they are known to
    /// work here.
    ///
    /// # Errors
    /// If there are no such versions, they do not work, the terms contradict themselves,
    /// another roll-out is in progress, or there was a concurrent change. Nothing is changed then,
    /// anywhere.
    pub fn start_rollout(
        &self,
        deployment: &Deployment,
        wishes: &[PromotionRequest],
        terms: &RolloutSpec,
        intent: &Intent,
    ) -> Result<Promoted, FleetError> {
        self.ask(&format!("rollout {}", terms.mode), intent, || {
            terms.validate().map_err(SwapError::from)?;
            let base = self.base(deployment, intent)?;
            let pins = self.with(&base, wishes)?;
            if pins == base.pins {
                let same = "the candidate is the desired version already: name another version";
                return Err(FleetError::Refused(same.to_owned()));
            }
            let differing = self.differing(deployment, &pins)?;
            tracing::info!(
                versions = events::shown(&differing),
                "dry run, these versions are loaded and validated before the change is written"
            );
            let tried = deployment.validate_rollout(&swap(&differing), terms)?;
            let mut changes = base.begin(&pins, intent)?;
            let last = base.last.saturating_add(changes.len() as u64);
            let back = base.desired.as_ref().and_then(|change| change.back);
            let rollout = Some(Candidate { pins, terms: terms.clone() });
            let change = next(last, Action::Rollout, base.pins, intent, back)?;
            changes.push(FleetChange { rollout, ..change });
            self.write(&changes, tried)
        })
    }

    /// Makes all runners serve the candidate of the current roll-out.
    ///
    /// # Errors
    /// If there is none, the candidate does not run here, or there was a concurrent change.
    pub fn promote_rollout(
        &self,
        deployment: &Deployment,
        intent: &Intent,
    ) -> Result<Promoted, FleetError> {
        self.ask("rollout promote", intent, || {
            let (last, change, candidate) = self.underway(intent)?;
            if deployment.rollout().is_none() {
                let reason = "the candidate does not run on this runner: see `sandbar status` for \
                              the reason, and ask a runner on which it does";
                return Err(FleetError::Conflict(reason.to_owned()));
            }
            let back = change.pins.covers(&candidate.pins).then_some(last);
            let change = next(last, Action::Promote, candidate.pins, intent, back)?;
            self.write(&[change], Validation::default())
        })
    }

    /// Makes all runners drop the candidate; the serving revision stays.
    ///
    /// # Errors
    /// If no roll-out is in progress, or there was a concurrent change.
    pub fn abort_rollout(&self, intent: &Intent) -> Result<Promoted, FleetError> {
        self.ask("rollout abort", intent, || {
            let (last, change, _) = self.underway(intent)?;
            let change = next(last, Action::Abort, change.pins, intent, change.back)?;
            self.write(&[change], Validation::default())
        })
    }

    /// The change that began the current roll-out, and its candidate.
    fn underway(&self, intent: &Intent) -> Result<(u64, FleetChange, Candidate), FleetError> {
        let (last, desired) = self.newest(intent)?;
        let begun = desired.and_then(|change| {
            let candidate = change.rollout.clone()?;
            Some((last, change, candidate))
        });
        begun.ok_or_else(|| SwapError::NoRollout.into())
    }

    /// Ends the roll-out that runs here, as the change says which took its place.
    pub(super) fn end_rollout(&self, deployment: &Deployment, change: &FleetChange) {
        let Some(rollout) = deployment.rollout() else { return };
        let FleetChange { revision, by, reason, .. } = change;
        let why = reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
        let why = format!("fleet revision {revision}, by {by}{why}");
        let is_candidate = change.pins.beyond(&rollout.candidate.pins).is_empty();
        if change.rollout.is_none() && change.action == Action::Promote && is_candidate {
            // If it cannot be promoted, the swap that follows decides what to do.
            let _ = deployment.promote_rollout(None, why);
        } else {
            let _ = deployment.abort_rollout(None, why);
        }
    }

    /// What is done when the rules of a roll-out decide here.
    pub(super) fn judge(self: &Arc<Self>, revision: u64) -> Judge {
        let fleet = Arc::downgrade(self);
        Box::new(move |verdict| {
            if let Some(fleet) = fleet.upgrade() {
                fleet.judged(revision, &verdict);
            }
        })
    }

    /// Ends the roll-out for all, unless it has been ended; retries while it cannot.
    fn judged(&self, revision: u64, verdict: &Verdict) {
        let (Verdict::Holds(reason) | Verdict::Broken(reason)) = verdict;
        let intent = Intent {
            by: self.runner.clone(),
            reason: Some(line(reason)),
            revision: Some(revision),
        };
        let mut pause = FIRST_PAUSE;
        loop {
            let shared = self.lock();
            let Some(deployment) = shared.deployment.clone() else { return };
            drop(shared);
            let result = match verdict {
                Verdict::Holds(_) => self.promote_rollout(&deployment, &intent),
                Verdict::Broken(_) => self.abort_rollout(&intent),
            };
            // Both have been logged already.
            if matches!(result, Ok(_) | Err(FleetError::Conflict(_))) {
                return;
            }
            let waits =
                |shared: &mut super::Shared| !self.is_leaving() && shared.view.last() == revision;
            let shared = self.changed.wait_timeout_while(self.lock(), pause, waits);
            let (mut shared, _) = shared.unwrap_or_else(PoisonError::into_inner);
            if !waits(&mut shared) {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
