//! The serving revision of a running pipeline, and how it is swapped for another.
//!
//! A swap loads the new models and components, fits them to the other stages, validates the
//! model with its sample rows, makes a dry run with a recent batch of the pipeline, and only
//! then hands them to the workers, each of which takes them between two batches. If anything
//! goes wrong before, the old revision keeps serving.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use thiserror::Error;

use super::handover::{Handover, Lineup};
use super::plan::{Plan, PlanError, load_model, load_models};
use super::rollout::{Rollouts, TermsError};
use super::trial::{Rehearsal, Trial, try_out};
use crate::manifest::{ArtifactSource, Manifest};
use crate::models::Artifact;
use crate::observe::Stats;
use crate::observe::events::{SwapRefused, Swapped};
use crate::registry::leases::Lease;
use crate::registry::pins::Pins;
use crate::sandbox::Sandbox;

/// A pipeline whose models and components can be swapped while it runs.
pub struct Deployment {
    sandbox: Sandbox,
    pub(super) handover: Arc<Handover>,
    pub(super) stats: Arc<Stats>,
    /// Held during a change: one after the other.
    pub(super) changing: Mutex<State>,
    /// A copy to read while a change is in progress.
    serving: Mutex<(Arc<Plan>, Revision)>,
    /// The same of roll-outs.
    pub(super) rollouts: Mutex<Rollouts>,
}

pub(super) struct State {
    manifest: Manifest,
    models: BTreeMap<String, Artifact>,
    /// Keeps what serves from being removed from the registry.
    _lease: Option<Lease>,
    /// What a rollback returns to. Its models are not kept: they would double the memory.
    before: Option<Manifest>,
    /// The candidate, while there is a roll-out.
    pub(super) candidate: Option<Box<Prepared>>,
}

/// Stages that may serve, loaded and validated.
pub(super) struct Prepared {
    state: State,
    pub(super) plan: Plan,
    pub(super) trial: Option<Trial>,
    /// How long that took.
    took: Duration,
}

/// What serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Counts from 1, with every swap.
    pub number: u64,
    /// Since when.
    pub since: SystemTime,
    /// The models: the pipeline's names for them, and `name@version` of each.
    pub models: BTreeMap<String, String>,
    /// The components by stage, in the order of the pipeline.
    pub components: Vec<(Arc<str>, PathBuf)>,
    /// The model that makes the predictions, if any.
    pub model: Option<Arc<str>>,
    /// Those models and components that are of the registry.
    pub pins: Pins,
}

/// The models and components to swap in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Models, by the pipeline's names for them: folders, relative to the manifest's, or of
    /// the registry.
    pub models: BTreeMap<String, ArtifactSource>,
    /// Components by stage, in the same way.
    pub components: BTreeMap<String, ArtifactSource>,
    /// The revision that the requester has seen: if another serves, the change is refused.
    pub revision: Option<u64>,
}

/// A swap that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// What serves now.
    pub revision: Revision,
    /// How many sample rows of its model the new scorer has scored as expected.
    pub samples: usize,
    /// The dry run of the new stages; `None`: there was no recent batch.
    pub trial: Option<Trial>,
    /// How long loading and validation took, while the old revision served.
    pub prepared: Duration,
    /// How long it took until every worker used it.
    pub switched: Duration,
}

/// Why a swap was refused. The serving revision stays.
#[derive(Debug, Error)]
pub enum SwapError {
    /// The pipeline has nothing of that name.
    #[error("the pipeline has no {what} '{name}'; it has {known}")]
    Unknown {
        /// `model` or `stage`.
        what: &'static str,
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// Another change was made meanwhile.
    #[error(
        "expected revision {expected}, but {found} serves: changed concurrently; re-read and retry"
    )]
    Outdated {
        /// What was expected.
        expected: u64,
        /// What serves.
        found: u64,
    },
    /// There is no revision to roll back to.
    #[error("no previous revision to roll back to")]
    NoneBefore,
    /// The new models or components cannot be used.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The dry run on recent records failed.
    #[error("dry run on {records} recent records failed: {reason}")]
    Trial {
        /// How many records.
        records: usize,
        /// What happened.
        reason: String,
    },
    /// The pipeline does not run.
    #[error("the pipeline is not running: it has not started yet, or has stopped")]
    NotRunning,
    /// A roll-out is in progress, whose comparison the change would falsify.
    #[error(
        "a roll-out is under way ({0}): promote it or abort it first (sandbar rollout promote, or abort)"
    )]
    Underway(String),
    /// There is no roll-out to end.
    #[error("no roll-out is under way: sandbar status says how the last one ended")]
    NoRollout,
    /// The rollout spec is invalid.
    #[error("{0}")]
    Terms(#[from] TermsError),
    /// The system provides no more threads.
    #[error("cannot start a thread for the roll-out: {0}")]
    Thread(#[from] std::io::Error),
}

impl Deployment {
    /// Loads and checks what a manifest names, as [`Plan::new`].
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn new(
        manifest: Manifest,
        brokers: Option<&str>,
        sandbox: &Sandbox,
        stats: Arc<Stats>,
    ) -> Result<Self, PlanError> {
        let models = load_models(&manifest)
            .map_err(|reason| PlanError { manifest: manifest.path().to_owned(), reason })?;
        let plan = Plan::with_models(&manifest, &models, brokers, sandbox)?;
        Ok(Deployment::of(plan, manifest, models, sandbox, stats))
    }

    /// The same of what is loaded already: the plan of `manifest` with `models`.
    pub fn of(
        plan: Plan,
        manifest: Manifest,
        models: BTreeMap<String, Artifact>,
        sandbox: &Sandbox,
        stats: Arc<Stats>,
    ) -> Self {
        let handover = Arc::new(Handover::new(plan.workers));
        let state = State::of(manifest, models, &plan);
        let revision = Revision::of(1, &plan, &state);
        Deployment {
            sandbox: sandbox.clone(),
            handover,
            stats,
            changing: Mutex::new(state),
            serving: Mutex::new((Arc::new(plan), revision)),
            rollouts: Mutex::default(),
        }
    }

    /// The plan that serves.
    pub fn plan(&self) -> Arc<Plan> {
        lock(&self.serving).0.clone()
    }

    /// What serves.
    pub fn revision(&self) -> Revision {
        lock(&self.serving).1.clone()
    }

    /// The counters of what runs.
    pub fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    pub(super) fn handover(&self) -> &Arc<Handover> {
        &self.handover
    }

    /// Swaps in other models and components, once they are
    /// validated. Returns when every worker uses them.
    ///
    /// # Errors
    /// If they cannot be used, or the pipeline does not run.
    pub fn swap(&self, change: &Change) -> Result<Swap, SwapError> {
        let mut state = lock(&self.changing);
        let result = self.check(change.revision).and_then(|()| {
            let prepared = self.prepare_change(&state, change)?;
            self.install(&mut state, prepared)
        });
        self.told(result)
    }

    /// Loads what a change asks for, fits it to the other stages and validates it, as a swap
    /// does, and changes nothing.
    ///
    /// # Errors
    /// As [`Deployment::swap`], which would fail then.
    pub fn rehearse(&self, change: &Change) -> Result<Rehearsal, SwapError> {
        let state = lock(&self.changing);
        self.check(change.revision)?;
        Ok(self.prepare_change(&state, change)?.rehearsal())
    }

    /// Rolls back to what served before the last swap, as another swap.
    ///
    /// # Errors
    /// As [`Deployment::swap`].
    pub fn rollback(&self, revision: Option<u64>) -> Result<Swap, SwapError> {
        let mut state = lock(&self.changing);
        let result = self.check(revision).and_then(|()| {
            let before = state.before.clone().ok_or(SwapError::NoneBefore)?;
            let differs = |name: &&String| state.manifest.models[*name] != before.models[*name];
            let changed = before.models.keys().filter(differs).cloned().collect();
            let prepared = self.prepare(&state, before, &changed)?;
            self.install(&mut state, prepared)
        });
        self.told(result)
    }

    pub(super) fn told(&self, result: Result<Swap, SwapError>) -> Result<Swap, SwapError> {
        match &result {
            Ok(swap) => Swapped { swap }.emit(&self.stats),
            Err(error) => SwapRefused { error }.emit(&self.stats),
        }
        result
    }

    /// Whether the serving revision may be changed.
    pub(super) fn check(&self, revision: Option<u64>) -> Result<(), SwapError> {
        self.check_revision(revision)?;
        match self.rollout() {
            Some(rollout) => Err(SwapError::Underway(rollout.to_string())),
            None => Ok(()),
        }
    }

    /// Whether the serving revision is the one that the requester has seen.
    pub(super) fn check_revision(&self, revision: Option<u64>) -> Result<(), SwapError> {
        let found = self.revision().number;
        match revision {
            Some(expected) if expected != found => Err(SwapError::Outdated { expected, found }),
            _ => Ok(()),
        }
    }

    /// Loads and validates what a change asks for.
    pub(super) fn prepare_change(
        &self,
        state: &State,
        change: &Change,
    ) -> Result<Prepared, SwapError> {
        let mut manifest = state.manifest.clone();
        for (name, source) in &change.models {
            let known = manifest.models.keys().cloned().collect::<Vec<_>>();
            let Some(place) = manifest.models.get_mut(name) else {
                return Err(unknown("model", name, &known));
            };
            place.clone_from(source);
        }
        for (name, component) in &change.components {
            let known = manifest.stages.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
            let Some(stage) = manifest.stages.iter_mut().find(|it| it.name == *name) else {
                return Err(unknown("stage", name, &known));
            };
            stage.component.clone_from(component);
        }
        // Also those with an unchanged name: an alias may mean another version by now.
        let changed = change.models.keys().cloned().collect();
        self.prepare(state, manifest, &changed)
    }

    /// Loads and validates `manifest`, which differs from what serves in models and components
    /// alone. Of the models, those are loaded that have `changed`.
    fn prepare(
        &self,
        state: &State,
        manifest: Manifest,
        changed: &BTreeSet<String>,
    ) -> Result<Prepared, SwapError> {
        if !self.handover.is_open() {
            return Err(SwapError::NotRunning);
        }
        let start = Instant::now();
        let old = self.plan();
        let mut models = state.models.clone();
        for name in changed {
            let model = load_model(&manifest, name).map_err(|reason| {
                SwapError::Plan(PlanError { manifest: manifest.path().to_owned(), reason })
            })?;
            models.insert(name.clone(), model);
        }
        let brokers = Some(old.connection.brokers.as_str());
        let plan = Plan::with_models(&manifest, &models, brokers, &self.sandbox)?;
        let trial = match self.handover.sample() {
            Some(batch) => Some(try_out(&batch, &old, &plan)?),
            None => None,
        };
        let state = State::of(manifest, models, &plan);
        Ok(Prepared { state, plan, trial, took: start.elapsed() })
    }

    /// Swaps in what is prepared, in place of what serves and of its candidate.
    pub(super) fn install(
        &self,
        state: &mut State,
        mut prepared: Prepared,
    ) -> Result<Swap, SwapError> {
        let start = Instant::now();
        prepared.plan.continue_times(&self.plan());
        let Prepared { state: now, plan, trial, took } = prepared;
        let lineup = |chain| Lineup { serving: Some(chain), candidate: None };
        let lineups = (0..self.handover.workers()).map(|_| plan.chain().map(lineup));
        let lineups = lineups.collect::<Result<Vec<_>, _>>()?;
        let prepared = took + start.elapsed();

        let revision = Revision::of(self.revision().number + 1, &plan, &now);
        let samples = plan.samples();
        *lock(&self.serving) = (Arc::new(plan), revision.clone());
        let before = std::mem::replace(state, now);
        state.before = Some(before.manifest);
        let start = Instant::now();
        self.handover.switch(lineups).map_err(|_| SwapError::NotRunning)?;
        Ok(Swap { revision, samples, trial, prepared, switched: start.elapsed() })
    }
}

impl State {
    /// What serves, recorded so that it can be rolled back to: by then an alias may mean
    /// something else.
    fn of(mut manifest: Manifest, models: BTreeMap<String, Artifact>, plan: &Plan) -> Self {
        for (name, source) in &mut manifest.models {
            let id = models.get(name).and_then(|model| model.id.parse().ok());
            if let (ArtifactSource::Registry(reference), Some(version)) = (source, id) {
                *reference = version;
            }
        }
        for (stage, (_, file)) in manifest.stages.iter_mut().zip(plan.components()) {
            if let ArtifactSource::Registry(_) = stage.component {
                // In the cache, by its digest.
                stage.component = ArtifactSource::Path(std::path::absolute(&file).unwrap_or(file));
            }
        }
        let lease = manifest.supply().and_then(|supply| supply.lease(&manifest.name));
        State { manifest, models, _lease: lease, before: None, candidate: None }
    }
}

impl Prepared {
    /// Its validation and dry run.
    pub(super) fn rehearsal(&self) -> Rehearsal {
        Rehearsal { samples: self.plan.samples(), trial: self.trial }
    }

    /// The revision that it will be.
    pub(super) fn revision(&self, number: u64) -> Revision {
        Revision::of(number, &self.plan, &self.state)
    }
}

impl Revision {
    fn of(number: u64, plan: &Plan, state: &State) -> Self {
        let (components, model) = (plan.components(), plan.model().cloned());
        let models = state.models.iter();
        let models = models.map(|(name, model)| (name.clone(), model.id.clone())).collect();
        let pins = Pins::of(&state.manifest);
        Revision { number, since: SystemTime::now(), models, components, model, pins }
    }
}

fn unknown(what: &'static str, name: &str, known: &[String]) -> SwapError {
    let known = known.iter().map(|known| format!("'{known}'")).collect::<Vec<_>>().join(", ");
    let known = if known.is_empty() { "none".to_owned() } else { known };
    SwapError::Unknown { what, name: name.to_owned(), known }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
