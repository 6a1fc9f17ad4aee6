//! The reconciliation of a runner: it switches to the desired version of the fleet, before
//! it serves anything and whenever that changes.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::events::{ChangeSeen, StayedBehind, WentOver};
use super::log::{Log, Read};
use super::record::{FleetChange, Refusal, line};
use super::report::{self, INTERVAL};
use super::shared::Fleet;
use super::state::LOST;
use sandbar_manifest::Manifest;
use sandbar_pipeline::Definition;
use sandbar_pipeline::Deployment;
use sandbar_pipeline::PlanError;
use sandbar_pipeline::swap::SwapError;
use sandbar_record::Shutdown;
use sandbar_registry::ArtifactSource;
use sandbar_registry::pins::Pins;
use sandbar_registry::{ArtifactKind, RegistryError};
use sandbar_sandbox::Sandbox;

/// How long to wait for the topic before checking whether a report is due.
const LOOK: Duration = Duration::from_millis(50);
/// Before the first of several attempts at the same; doubled from one to the next.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Between two attempts, at most.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The desired version, if it can be read.
type Desired = Result<Option<FleetChange>, String>;

/// A reconcile error: why a runner does not serve a change.
struct ReconcileError {
    reason: String,
    /// Whether it is transient.
    passing: bool,
    /// Whether it is only that the pipeline does not run yet.
    early: bool,
}

impl From<RegistryError> for ReconcileError {
    fn from(error: RegistryError) -> Self {
        ReconcileError { reason: error.to_string(), passing: true, early: false }
    }
}

impl From<SwapError> for ReconcileError {
    fn from(error: SwapError) -> Self {
        let early = matches!(error, SwapError::NotRunning);
        let passing = early || matches!(error, SwapError::Memory(_));
        ReconcileError { reason: error.to_string(), passing, early }
    }
}

impl From<String> for ReconcileError {
    fn from(reason: String) -> Self {
        ReconcileError { reason, passing: false, early: false }
    }
}

impl Fleet {
    /// The manifest to run with: the desired version of the fleet or, if there is none yet, what
    /// the manifest says. Waits for versions that are not available, as nothing else may be served.
    /// `None`: `shutdown` came first.
    ///
    /// # Errors
    /// If what the manifest says cannot be used.
    pub(super) fn begin(
        &self,
        definition: &Definition,
        sandbox: &Sandbox,
        shutdown: &Shutdown,
    ) -> Result<Option<Deployment>, PlanError> {
        let load = |manifest: Manifest| {
            Deployment::load(definition.with(manifest), sandbox, self.stats.clone(), shutdown)
        };
        let manifest = &definition.manifest;
        let mut pause = FIRST_PAUSE;
        let mut handled = None;
        let mut retry = None;
        while let Some(desired) = self.next(handled.as_ref(), retry, Some(shutdown)) {
            let begun = match &desired {
                Ok(None) => return load(manifest.clone()).map(Some),
                Ok(Some(change)) => self.fetch(&change.pins).and_then(|()| {
                    let manifest = with(manifest.clone(), &change.pins)?;
                    Ok((load(manifest).map_err(|error| error.to_string())?, change))
                }),
                Err(reason) => Err(reason.clone().into()),
            };
            match begun {
                Ok((deployment, change)) => {
                    // Its roll-out starts once this runs.
                    if change.rollout.is_none() {
                        self.serves(change);
                    }
                    return Ok(Some(deployment));
                }
                Err(obstacle) => {
                    if handled.as_ref() != Some(&desired) {
                        pause = FIRST_PAUSE;
                    }
                    retry = obstacle.passing.then_some(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    self.stays_behind(&desired, obstacle);
                    handled = Some(desired);
                }
            }
        }
        Ok(None)
    }

    /// Reads the topic and reports, until this runner leaves.
    pub(super) fn listen(&self, log: &Log) {
        let mut expected = Instant::now();
        while !self.is_leaving() {
            match log.read(LOOK) {
                Read::Entry(entry) => {
                    let mut shared = self.lock();
                    if shared.view.take(entry, true) {
                        self.stats.now.fleet.desired.store(shared.view.last(), Ordering::Relaxed);
                        if let Ok(Some(change)) = shared.view.desired() {
                            ChangeSeen(change).emit();
                        }
                        self.changed.notify_all();
                    }
                }
                Read::Trouble(error) => {
                    tracing::debug!(%error, "control topic: read failed, retrying")
                }
                Read::End | Read::Nothing => {}
            }
            if Instant::now() >= expected {
                self.look();
                self.report(true);
                expected = Instant::now() + INTERVAL;
            }
        }
    }

    /// Notices whether the topic is unreachable: this runner's own reports come back through it.
    fn look(&self) {
        let shared = self.lock();
        let silence = shared.view.silence(&self.runner).unwrap_or(shared.joined.elapsed());
        let now = &self.stats.now.fleet;
        now.desired.store(shared.view.last(), Ordering::Relaxed);
        now.serves.store(shared.serves, Ordering::Relaxed);
        let (away, topic) = (silence > LOST, &self.topic);
        match (now.away.swap(away, Ordering::Relaxed), away) {
            (false, true) => tracing::warn!(
                topic,
                "control topic unreachable, continuing with the version in service"
            ),
            (true, false) => tracing::info!(topic, "control topic reachable again"),
            _ => {}
        }
    }

    /// Switches to each desired version, until this runner leaves.
    pub(super) fn follow(self: &Arc<Self>, deployment: &Arc<Deployment>) {
        let mut pause = FIRST_PAUSE;
        let mut handled: Option<Desired> = None;
        let mut retry = None;
        while let Some(desired) = self.next(handled.as_ref(), retry, None) {
            let result = match &desired {
                // What the manifest says goes on.
                Ok(None) => Ok(()),
                Ok(Some(change)) if self.lock().serves == change.revision => Ok(()),
                Ok(Some(change)) => self.go_over(deployment, change),
                Err(reason) => Err(reason.clone().into()),
            };
            if handled.as_ref() != Some(&desired) {
                pause = FIRST_PAUSE;
            }
            retry = None;
            if let Err(obstacle) = result {
                retry = obstacle.passing.then_some(pause);
                if !obstacle.early {
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    self.stays_behind(&desired, obstacle);
                }
            }
            handled = Some(desired);
        }
    }

    /// Waits until the desired version differs from what was `handled`, or it is time to retry
    /// that. `None`: this runner leaves.
    fn next(
        &self,
        handled: Option<&Desired>,
        retry: Option<Duration>,
        shutdown: Option<&Shutdown>,
    ) -> Option<Desired> {
        let end = retry.map(|pause| Instant::now() + pause);
        let mut shared = self.lock();
        loop {
            if self.is_leaving() || shutdown.is_some_and(Shutdown::requested) {
                return None;
            }
            let desired = shared.view.desired().map(|change| change.cloned());
            let now = Instant::now();
            if handled != Some(&desired) || end.is_some_and(|end| now >= end) {
                return Some(desired);
            }
            let left = end.map_or(LONGEST_PAUSE, |end| end - now);
            // A shutdown request does not wake this thread.
            let left = if shutdown.is_some() { left.min(LOOK) } else { left };
            let woken = self.changed.wait_timeout(shared, left);
            shared = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Swaps in a change.
    fn go_over(
        self: &Arc<Self>,
        deployment: &Arc<Deployment>,
        change: &FleetChange,
    ) -> Result<(), ReconcileError> {
        self.end_rollout(deployment, change);
        let differing = change.pins.beyond(&deployment.revision().pins);
        // All of it first, so that nothing is half applied.
        self.fetch(&differing)?;
        if !differing.is_empty() {
            deployment.swap(&swap(&differing))?;
        }
        if let Some(candidate) = &change.rollout {
            let differing = candidate.pins.beyond(&change.pins);
            self.fetch(&differing)?;
            let judge = self.judge(change.revision);
            deployment.start_judged_rollout(&swap(&differing), &candidate.terms, judge)?;
        }
        self.serves(change);
        Ok(())
    }

    /// Fetches versions, and checks the digests of their files.
    fn fetch(&self, pins: &Pins) -> Result<(), ReconcileError> {
        let Some(supply) = &self.supply else {
            return Err("the manifest has no [registry]".to_owned().into());
        };
        for (kind, _, pin) in pins.iter() {
            supply.pinned(kind, pin)?;
        }
        Ok(())
    }

    /// This runner serves a change.
    fn serves(&self, change: &FleetChange) {
        let mut shared = self.lock();
        shared.serves = change.revision;
        shared.since = shared.deployment.as_ref().map(|_| report::now());
        shared.refused = None;
        self.stats.now.fleet.serves.store(change.revision, Ordering::Relaxed);
        drop(shared);
        WentOver(change).emit();
        self.report(false);
    }

    fn stays_behind(&self, desired: &Desired, obstacle: ReconcileError) {
        let mut shared = self.lock();
        let revision = match desired {
            Ok(Some(change)) => change.revision,
            _ => shared.view.last(),
        };
        let (reason, again) = (line(&obstacle.reason), obstacle.passing);
        let refusal = Refusal { revision, reason, again };
        let told = shared.refused.replace(refusal.clone()) == Some(refusal.clone());
        drop(shared);
        if !told {
            StayedBehind(&refusal).emit();
        }
        self.report(false);
    }
}

/// The swap to these versions.
pub fn swap(pins: &Pins) -> sandbar_pipeline::swap::SwapSpec {
    let mut change = sandbar_pipeline::swap::SwapSpec::default();
    for (kind, name, pin) in pins.iter() {
        let source = ArtifactSource::Registry(pin.version.clone());
        match kind {
            ArtifactKind::Model => change.models.insert(name.clone(), source),
            ArtifactKind::Operator => change.components.insert(name.clone(), source),
        };
    }
    change
}

/// A manifest with these versions instead of those it names.
fn with(mut manifest: Manifest, pins: &Pins) -> Result<Manifest, String> {
    for (kind, name, pin) in pins.iter() {
        let place = match kind {
            ArtifactKind::Model => manifest.models.get_mut(name),
            ArtifactKind::Operator => manifest
                .stages
                .iter_mut()
                .find(|stage| stage.name == *name)
                .map(|stage| &mut stage.component),
        };
        let what = if kind == ArtifactKind::Model { "model" } else { "stage" };
        let place = place.ok_or_else(|| format!("the manifest has no {what} '{name}'"))?;
        *place = ArtifactSource::Registry(pin.version.clone());
    }
    Ok(manifest)
}
