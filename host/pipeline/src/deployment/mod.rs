//! The serving revision of a running pipeline, and how it is swapped for another.
//!
//! A swap loads the new models and components, fits them to the other stages, validates the
//! model with its sample rows, makes a dry run with a recent batch of the pipeline, and only
//! then hands them to the workers, each of which takes them between two batches. If anything
//! goes wrong before that, the old ones go on serving. Roll-outs are in [`rollout`].

mod events;
mod rollout;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use sandbar_inference::Artifact;
use sandbar_manifest::Manifest;
use sandbar_model::Sha256;
use sandbar_record::{MemoryGate, OpenBestEffort, Shutdown};
use sandbar_registry::ArtifactSource;
use sandbar_registry::leases::Lease;
use sandbar_sandbox::Sandbox;
use sandbar_telemetry::Stats;

use crate::definition::Definition;
use crate::hot_swap::{HotSwap, StageSet};
use crate::loading::{self, Basis, Beside, Loaded};
use crate::plan::Plan;
use crate::plan_error::PlanError;
use crate::preparation::Wanted;
use crate::revision::{DryRun, Revision, Validation};
use crate::rollout::{Rollout, Rollouts};
use crate::swap::{Swap, SwapError, SwapSpec};
use events::{SwapRefused, Swapped};
use turn::{Turn, Turns};

pub use rollout::Judge;

/// A pipeline whose models and components can be swapped while it runs.
pub struct Deployment {
    sandbox: Sandbox,
    /// What was started with; of it, only models and components change.
    manifest: Manifest,
    best_effort: OnceLock<Box<OpenBestEffort>>,
    pub(crate) hot_swap: Arc<HotSwap>,
    pub(crate) stats: Arc<Stats>,
    /// Held during a change: one after the other.
    turns: Turns<State>,
    /// What has served, by its fingerprint.
    served: Mutex<BTreeSet<Sha256>>,
    /// A copy to read while a change is in progress.
    serving: Mutex<(Arc<Plan>, Revision)>,
    /// The same of roll-outs.
    pub(crate) rollouts: Mutex<Rollouts>,
}

pub(crate) struct State {
    definition: Definition,
    models: BTreeMap<String, Artifact>,
    basis: Basis,
    /// Keeps what serves from being removed from the registry.
    _lease: Option<Lease>,
    /// What a rollback returns to. Its models are not kept: they would double the memory.
    before: Option<Definition>,
    /// The candidate, while there is a roll-out.
    pub(crate) candidate: Option<Box<Prepared>>,
}

/// Stages that may serve, loaded and validated.
pub(crate) struct Prepared {
    state: State,
    pub(crate) plan: Plan,
    pub(crate) trial: Option<DryRun>,
    /// How long that took.
    took: Duration,
}

impl Deployment {
    /// Loads and checks what a manifest names, as [`Plan::new`].
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn new(
        definition: Definition,
        sandbox: &Sandbox,
        stats: Arc<Stats>,
    ) -> Result<Self, PlanError> {
        Deployment::load(definition, sandbox, stats, &Shutdown::default())
    }

    /// The same, until `stop` is requested.
    ///
    /// # Errors
    /// As [`Plan::new`], and if it was stopped.
    pub fn load(
        definition: Definition,
        sandbox: &Sandbox,
        stats: Arc<Stats>,
        stop: &Shutdown,
    ) -> Result<Self, PlanError> {
        let mut loaded = loading::load(&definition, sandbox, stop)?;
        loaded.plan.register_schemas(&definition)?;
        Ok(Deployment::of_loaded(loaded, definition, sandbox, stats))
    }

    /// The same of what is loaded already: the plan of `definition` with `models`. If its outputs
    /// have schemas in a registry, [`Plan::register_schemas`] comes before.
    pub fn of(
        plan: Plan,
        definition: Definition,
        models: BTreeMap<String, Artifact>,
        sandbox: &Sandbox,
        stats: Arc<Stats>,
    ) -> Self {
        let loaded = Loaded { plan, models, basis: Basis::default() };
        Deployment::of_loaded(loaded, definition, sandbox, stats)
    }

    fn of_loaded(
        loaded: Loaded,
        definition: Definition,
        sandbox: &Sandbox,
        stats: Arc<Stats>,
    ) -> Self {
        let Loaded { plan, models, basis } = loaded;
        let served = basis.fingerprint.into_iter().collect();
        let hot_swap = Arc::new(HotSwap::new(plan.workers));
        let manifest = definition.manifest.clone();
        let state = State::of(definition, models, basis, &plan);
        let revision = Revision::of(1, &plan, &state);
        Deployment {
            sandbox: sandbox.clone(),
            manifest,
            best_effort: OnceLock::new(),
            hot_swap,
            stats,
            turns: Turns::new(state),
            served: Mutex::new(served),
            serving: Mutex::new((Arc::new(plan), revision)),
            rollouts: Mutex::default(),
        }
    }

    /// What was started with. Of it, only models and components change.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Says how a topic is written beside the stream: for the answers of shadows. For whoever
    /// runs the pipeline, before it does.
    #[doc(hidden)]
    pub fn write_beside(&self, open: Box<OpenBestEffort>) {
        // Whoever runs the pipeline says it once.
        let _ = self.best_effort.set(open);
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

    /// What the process may still begin.
    pub fn memory(&self) -> &MemoryGate {
        self.sandbox.memory()
    }

    /// Where workers find their next stages.
    #[doc(hidden)] // for whoever runs the workers
    pub fn hot_swap(&self) -> &Arc<HotSwap> {
        &self.hot_swap
    }

    /// Swaps in other models and components, once they are
    /// validated. Returns when every worker uses them.
    ///
    /// # Errors
    /// If they cannot be used, or the pipeline does not run.
    pub fn swap(&self, change: &SwapSpec) -> Result<Swap, SwapError> {
        let result = self.turns.take("swap").and_then(|mut turn| {
            self.check(change.revision)?;
            let prepared = self.prepare_change(&turn, change)?;
            self.install(&mut turn.state, prepared)
        });
        self.told(result)
    }

    /// Loads what a change asks for, fits it to the other stages and validates it, as a swap
    /// does, and changes nothing.
    ///
    /// # Errors
    /// As [`Deployment::swap`], which would fail then.
    pub fn validate(&self, change: &SwapSpec) -> Result<Validation, SwapError> {
        let turn = self.turns.take("validation")?;
        self.check(change.revision)?;
        Ok(self.prepare_change(&turn, change)?.validation())
    }

    /// Rolls back to what served before the last swap, as another swap.
    ///
    /// # Errors
    /// As [`Deployment::swap`].
    pub fn rollback(&self, revision: Option<u64>) -> Result<Swap, SwapError> {
        let result = self.turns.take("rollback").and_then(|mut turn| {
            self.check(revision)?;
            let state = &turn.state;
            let before = state.before.clone().ok_or(SwapError::NoneBefore)?;
            let differs = |name: &&String| {
                state.definition.manifest.models[*name] != before.manifest.models[*name]
            };
            let changed = before.manifest.models.keys().filter(differs).cloned().collect();
            let prepared = self.prepare(&turn, before, &changed, None)?;
            self.install(&mut turn.state, prepared)
        });
        self.told(result)
    }

    /// Cancels the change that is being prepared, and says what it is: `swap`, `rollback`,
    /// `roll-out`. One that is prepared in this process ends when it is loaded.
    ///
    /// # Errors
    /// If there is none.
    pub fn cancel(&self) -> Result<&'static str, SwapError> {
        self.turns.cancel().ok_or(SwapError::NothingUnderway)
    }

    pub(crate) fn told(&self, result: Result<Swap, SwapError>) -> Result<Swap, SwapError> {
        match &result {
            Ok(swap) => Swapped { swap }.emit(&self.stats),
            Err(error) => SwapRefused { error }.emit(&self.stats),
        }
        result
    }

    /// The roll-out that is under way, if one is.
    pub fn rollout(&self) -> Option<Rollout> {
        lock(&self.rollouts).current.clone()
    }

    /// Whether the serving revision may be changed.
    pub(crate) fn check(&self, revision: Option<u64>) -> Result<(), SwapError> {
        self.check_revision(revision)?;
        match self.rollout() {
            Some(rollout) => Err(SwapError::Underway(rollout.to_string())),
            None => Ok(()),
        }
    }

    /// Whether the serving revision is the one that the requester has seen.
    pub(crate) fn check_revision(&self, revision: Option<u64>) -> Result<(), SwapError> {
        let found = self.revision().number;
        match revision {
            Some(expected) if expected != found => Err(SwapError::Outdated { expected, found }),
            _ => Ok(()),
        }
    }

    /// Loads and validates what a change asks for.
    fn prepare_change(
        &self,
        turn: &Turn<'_, State>,
        change: &SwapSpec,
    ) -> Result<Prepared, SwapError> {
        if change.models.is_empty() && change.components.is_empty() {
            return Err(SwapError::Nothing);
        }
        let mut definition = turn.state.definition.clone();
        let manifest = &mut definition.manifest;
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
        self.prepare(turn, definition, &changed, change.timeout)
    }

    /// Loads and tries `definition`, which differs from what serves in models and components
    /// alone. Of the models, those are loaded that have `changed`.
    fn prepare(
        &self,
        turn: &Turn<'_, State>,
        definition: Definition,
        changed: &BTreeSet<String>,
        timeout: Option<Duration>,
    ) -> Result<Prepared, SwapError> {
        if !self.hot_swap.is_open() {
            return Err(SwapError::NotRunning);
        }
        self.memory().ask(0).map_err(SwapError::Memory)?;
        let start = Instant::now();
        let old = self.plan();
        let served = lock(&self.served).clone();
        let beside = Beside {
            plan: &old,
            models: &turn.state.models,
            basis: &turn.state.basis,
            changed,
            served: &served,
        };
        let batch = self.hot_swap.sample();
        let wanted = Wanted { stop: &turn.stop, timeout, yields: true };
        let (Loaded { plan, models, basis }, trial) =
            loading::load_beside(&definition, &self.sandbox, &beside, batch.as_ref(), wanted)?;
        let state = State::of(definition, models, basis, &plan);
        Ok(Prepared { state, plan, trial, took: start.elapsed() })
    }

    /// Swaps in what is prepared, in place of what serves and of its candidate.
    pub(crate) fn install(
        &self,
        state: &mut State,
        mut prepared: Prepared,
    ) -> Result<Swap, SwapError> {
        let start = Instant::now();
        prepared.plan.register_schemas(&prepared.state.definition)?;
        prepared.plan.continue_times(&self.plan());
        let Prepared { state: now, plan, trial, took } = prepared;
        let stage_set = |chain| StageSet { serving: Some(chain), candidate: None };
        let stage_sets = (0..self.hot_swap.workers()).map(|_| plan.chain().map(stage_set));
        let stage_sets = stage_sets.collect::<Result<Vec<_>, _>>()?;
        let prepared = took + start.elapsed();

        let revision = Revision::of(self.revision().number + 1, &plan, &now);
        let samples = plan.samples();
        *lock(&self.serving) = (Arc::new(plan), revision.clone());
        lock(&self.served).extend(now.basis.fingerprint);
        let before = std::mem::replace(state, now);
        state.before = Some(before.definition);
        let start = Instant::now();
        self.hot_swap.switch(stage_sets).map_err(|_| SwapError::NotRunning)?;
        Ok(Swap { revision, samples, trial, prepared, switched: start.elapsed() })
    }
}

impl State {
    /// What serves, recorded so that it can be rolled back to: by then an alias may mean
    /// something else.
    fn of(
        mut definition: Definition,
        models: BTreeMap<String, Artifact>,
        basis: Basis,
        plan: &Plan,
    ) -> Self {
        let manifest = &mut definition.manifest;
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
        let lease = definition.lease();
        State { definition, models, basis, _lease: lease, before: None, candidate: None }
    }
}

impl Prepared {
    /// Its validation and dry run.
    pub(crate) fn validation(&self) -> Validation {
        Validation { samples: self.plan.samples(), trial: self.trial }
    }

    /// The revision that it will be.
    pub(crate) fn revision(&self, number: u64) -> Revision {
        Revision::of(number, &self.plan, &self.state)
    }
}

impl Revision {
    fn of(number: u64, plan: &Plan, state: &State) -> Self {
        let (components, model) = (plan.components(), plan.model().cloned());
        let models = state.models.iter();
        let models = models.map(|(name, model)| (name.clone(), model.id.clone())).collect();
        let pins = state.definition.pins();
        Revision { number, since: SystemTime::now(), models, components, model, pins }
    }
}

fn unknown(what: &'static str, name: &str, known: &[String]) -> SwapError {
    let known = known.iter().map(|known| format!("'{known}'")).collect::<Vec<_>>().join(", ");
    let known = if known.is_empty() { "none".to_owned() } else { known };
    SwapError::Unknown { what, name: name.to_owned(), known }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
