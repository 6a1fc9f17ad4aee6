//! The events of a fleet: every change, whoever requested it, and what each runner did about
//! it. The control topic keeps the same for all runners.

use super::error::FleetError;
use super::record::{Action, Candidate, FleetChange, Refusal};
use sandbar_registry::pins::Pins;
use sandbar_registry::time;

/// A change of the desired version was read.
pub(super) struct ChangeSeen<'a>(pub(super) &'a FleetChange);

impl ChangeSeen<'_> {
    pub(super) fn emit(self) {
        let FleetChange { revision, action, pins, rollout, by, at, reason, .. } = self.0;
        let (at, reason) = (time(*at), reason.as_deref().unwrap_or_default());
        let (action, versions) = (action.name(), shown(pins));
        let rollout = rollout.as_ref().map(|candidate| candidate.beside(self.0));
        tracing::info!(
            versions,
            rollout,
            revision,
            action,
            by,
            at,
            reason,
            "desired version of the fleet changed"
        );
    }
}

/// A change was written through this runner, or was not.
pub(super) struct Asked<'a> {
    pub(super) by: &'a str,
    pub(super) what: &'a str,
    pub(super) result: Result<&'a FleetChange, &'a FleetError>,
}

impl Asked<'_> {
    pub(super) fn emit(self) {
        let Asked { by, what, result } = self;
        match result {
            Ok(change) => {
                tracing::info!(
                    revision = change.revision,
                    request = what,
                    by,
                    "change written to the control topic"
                );
            }
            Err(error) => {
                tracing::warn!(request = what, by, %error, "change refused, nothing was changed")
            }
        }
    }
}

/// This runner serves a change.
pub(super) struct WentOver<'a>(pub(super) &'a FleetChange);

impl WentOver<'_> {
    pub(super) fn emit(self) {
        tracing::info!(
            revision = self.0.revision,
            "this runner serves the desired version of its fleet"
        );
    }
}

/// This runner could not switch to a change. The serving revision stays.
pub(super) struct StayedBehind<'a>(pub(super) &'a Refusal);

impl StayedBehind<'_> {
    pub(super) fn emit(self) {
        let Refusal { revision, reason, again } = self.0;
        tracing::warn!(
            revision,
            will_retry = again,
            error = %reason,
            "this runner does not serve the desired version of its fleet"
        );
    }
}

impl Action {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Action::Begin => "begin",
            Action::Promote => "promote",
            Action::Rollback => "rollback",
            Action::Rollout => "rollout",
            Action::Abort => "abort",
        }
    }
}

impl Candidate {
    /// `canary of flights=flights@4`: the versions that the change itself does not serve.
    pub fn beside(&self, change: &FleetChange) -> String {
        format!("{} of {}", self.terms.mode, shown(&self.pins.beyond(&change.pins)))
    }
}

/// `flights=flights@4, features=flight-features@2`
pub(super) fn shown(pins: &Pins) -> String {
    let each = pins.iter().map(|(_, name, pin)| format!("{name}={}", pin.version));
    each.collect::<Vec<_>>().join(", ")
}
