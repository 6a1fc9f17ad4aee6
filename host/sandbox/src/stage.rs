//! Operators, and the warm instances through which a worker calls them.
//!
//! Instances are reused: making one is cheap (30 µs), but configuring it may mean
//! loading a model. After a trap an instance cannot be entered again; it is dropped,
//! and the next call makes another. One that has served its number of calls
//! (`retire-after`) is replaced too, which bounds the memory it may accumulate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;
pub use wasmtime::CallHook as Crossing;
use wasmtime::component::{Instance, InstancePre, ResourceTableError};
use wasmtime::{Store, Trap, UpdateDeadline};
use wasmtime_wasi::I32Exit;

use super::bindings::types::Setup;
use super::budget::WASI_RESOURCES;
use super::check;
use super::component::{CONTRACT, Component, World};
use super::determinism::CallSeed;
use super::engine::TICK;
use super::log::GuestLog;
use super::state::{Grants, Limits, State};
use sandbar_record::{Code, shorten};
use sandbar_telemetry::CallTimes;

/// Attempts to create an instance in place of one that trapped.
const ATTEMPTS: u32 = 4;
/// The pause after the first of them; it grows with each.
const PAUSE: Duration = Duration::from_millis(100);
/// What wasmtime says where a transfer is larger than it may be; the error has no type of its own
/// outside of it.
const TRANSFERRED: &str = "fuel allocated for hostcalls has been exhausted";
/// Why an instance cannot replace another of the same operator.
const OTHER_SHAPE: &str = "another instance declares other features or outputs than the first";

/// A component with what it is granted, under the name of its stage. Cheap to clone.
#[derive(Clone)]
pub struct Operator {
    /// The stage's name.
    pub stage: Arc<str>,
    /// The component.
    pub component: Component,
    /// What it may use.
    pub grants: Arc<Grants>,
    /// How much it may use.
    pub limits: Limits,
    /// How long its calls take.
    pub times: CallTimes,
}

/// Why a call failed: the whole batch is without a result.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("stage '{stage}': {code}: {message}")]
pub struct CallError {
    /// The stage's name.
    pub stage: Arc<str>,
    /// One of [`Code::Trap`], [`Code::Deadline`], [`Code::Memory`], [`Code::Contract`],
    /// [`Code::Unavailable`].
    pub code: Code,
    /// For a person.
    pub message: String,
    /// What is to blame.
    pub blame: Blame,
}

/// What is to blame for a call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// One of its records, perhaps.
    Records,
    /// No instance could be made.
    Operator,
    /// The process was short of memory: the call may succeed later.
    Memory,
}

/// Why a stage cannot be set up.
#[derive(Debug, Error)]
pub enum StageError {
    /// The component is of another world than its place in the pipeline needs.
    #[error("stage '{stage}': component {path} is {found}, but {expected} is needed here",
        path = .component.display())]
    World {
        /// The stage's name.
        stage: Arc<str>,
        /// The component's file.
        component: std::path::PathBuf,
        /// What it is.
        found: World,
        /// What it should be.
        expected: World,
    },
    /// The operator refused its configuration.
    #[error("stage '{stage}': the operator refuses its configuration: {reason}")]
    Refused {
        /// The stage's name.
        stage: Arc<str>,
        /// The operator's message.
        reason: String,
    },
    /// The operator failed while it was being configured.
    #[error("{0} (while the operator was being configured)")]
    Call(CallError),
    /// The component does not link as its world says.
    #[error("stage '{stage}': {reason}")]
    Link {
        /// The stage's name.
        stage: Arc<str>,
        /// wasmtime's message.
        reason: String,
    },
}

/// The interface of one world: how an instance is bound and configured.
pub trait Interface: Sized {
    /// The functions of one instance.
    type Guest;
    /// What the operator declares when it is configured.
    type Shape: Clone + PartialEq;
    /// The world whose interface this is.
    const WORLD: World;

    /// Finds the functions in an instance.
    fn bind(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Self::Guest>;

    /// Calls `configure`.
    fn configure(
        &self,
        guest: &Self::Guest,
        store: &mut Store<State>,
        setup: Setup<'_>,
    ) -> wasmtime::Result<Result<Self::Shape, String>>;

    /// Checks what `configure` returned.
    fn check(shape: &Self::Shape) -> Result<(), check::Violation>;
}

/// An operator with its warm instance. Belongs to one worker.
pub struct Stage<I: Interface> {
    pub(super) operator: Operator,
    interface: I,
    shape: I::Shape,
    log: GuestLog,
    moment: CallSeed,
    live: Option<Live<I::Guest>>,
    usage: Usage,
}

/// What the calls of a stage have used, since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// The calls with a batch.
    pub calls: u64,
    /// The records or rows in them.
    pub records: u64,
    /// The time that they took, with what the host did for the guest meanwhile.
    pub time: Duration,
    /// Bytes of memory that the instance has, or had at the end of the last call.
    pub memory: u64,
    /// Bytes of memory that instances have allocated in calls, in addition to what they had
    /// when they were configured.
    pub grown: u64,
}

impl Usage {
    /// Adds a call that found so much memory and left so much.
    fn add(&mut self, records: usize, time: Duration, before: u64, memory: u64) {
        self.calls += 1;
        self.records += records as u64;
        self.time += time;
        self.memory = memory;
        self.grown += memory.saturating_sub(before);
    }
}

struct Live<G> {
    store: Store<State>,
    guest: G,
    /// How often it was called, since it was configured.
    calls: u32,
}

impl<I: Interface> Stage<I> {
    pub(super) fn start(
        operator: Operator,
        bind: impl FnOnce(&InstancePre<State>) -> wasmtime::Result<I>,
    ) -> Result<Self, StageError> {
        let stage = operator.stage.clone();
        let component = &operator.component;
        if component.world() != I::WORLD {
            let (component, found) = (component.path().to_owned(), component.world());
            return Err(StageError::World { stage, component, found, expected: I::WORLD });
        }
        let interface = bind(&component.pre).map_err(|cause| StageError::Link {
            stage,
            reason: format!("not an operator of sandbar:operator@{}: {cause:#}", CONTRACT),
        })?;
        let log = GuestLog::new(operator.stage.clone(), operator.limits.log);
        let (live, shape) = make(&operator, &interface, &log)?;
        let usage = Usage { memory: live.store.data().memory.used(), ..Usage::default() };
        let moment = CallSeed::default();
        Ok(Stage { operator, interface, shape, log, moment, live: Some(live), usage })
    }

    /// The name of the stage.
    pub fn name(&self) -> &Arc<str> {
        &self.operator.stage
    }

    /// What the operator declared when it was configured.
    pub fn shape(&self) -> &I::Shape {
        &self.shape
    }

    /// What its calls have used.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Sets when the next call takes place.
    pub fn at(&mut self, moment: CallSeed) -> &mut Self {
        self.moment = moment;
        self
    }

    /// Calls `hook` at every crossing between host and guest: for measurements, as what a guest
    /// passes to the host is less bounded then. It is forgotten with the instance, after a trap.
    pub fn watch(&mut self, mut hook: impl FnMut(Crossing) + Send + Sync + 'static) {
        if let Some(live) = &mut self.live {
            live.store.call_hook(move |_, crossing| {
                hook(crossing);
                Ok(())
            });
        }
    }

    /// Calls a function of the warm instance, or of a new one if an earlier call
    /// trapped, with so many records, and validates what it returned with `check`.
    pub(super) fn call<R>(
        &mut self,
        records: usize,
        function: impl FnOnce(&I::Guest, &mut Store<State>) -> wasmtime::Result<R>,
        check: impl FnOnce(&I::Shape, &R) -> Result<(), check::Violation>,
    ) -> Result<R, CallError> {
        let mut live = match self.live.take() {
            Some(live) if self.is_due(&live) => self.relieve(live),
            Some(live) => live,
            None => self.replace()?,
        };
        let Live { store, guest, calls } = &mut live;
        *calls = calls.saturating_add(1);
        let deadline = self.operator.limits.deadline;
        store.data_mut().begin_call(records);
        store.data().present.begin_call(self.moment);
        let (before, start) = (store.data().memory.used(), Instant::now());
        let result = enter(&self.operator.stage, store, deadline, |store| function(guest, store));
        let (time, memory) = (start.elapsed(), store.data().memory.used());
        self.usage.add(records, time, before, memory);
        self.operator.times.add(time);
        if let Err(error) = starved(&self.operator.stage, store) {
            self.live = result.is_ok().then_some(live);
            return Err(error);
        }
        let result = result?;
        check(&self.shape, &result).map_err(|what| violation(&self.operator.stage, what))?;
        self.live = Some(live);
        Ok(result)
    }

    fn is_due(&self, live: &Live<I::Guest>) -> bool {
        self.operator.limits.retire_after.is_some_and(|calls| live.calls >= calls.get())
    }

    /// Creates another instance in place of one that has served its calls. If that fails
    /// the old one, which is intact, serves as many again.
    fn relieve(&self, mut old: Live<I::Guest>) -> Live<I::Guest> {
        let reason = match make(&self.operator, &self.interface, &self.log) {
            Ok((live, shape)) if shape == self.shape => return live,
            Ok(_) => OTHER_SHAPE.to_owned(),
            Err(error) => error.to_string(),
        };
        let stage = &self.operator.stage;
        tracing::warn!(%stage, error = %shorten(reason), "cannot replace a retired instance, keeping it");
        old.calls = 0;
        old
    }

    /// Creates another instance after a trap. It worked before, so the cause of a failure
    /// may be transient: a machine that is too busy, or short of memory.
    fn replace(&self) -> Result<Live<I::Guest>, CallError> {
        let mut attempt = 1;
        loop {
            let reason = match make(&self.operator, &self.interface, &self.log) {
                Ok((live, shape)) if shape == self.shape => return Ok(live),
                Ok(_) => OTHER_SHAPE.to_owned(),
                Err(StageError::Call(error)) if error.blame == Blame::Memory => return Err(error),
                Err(error) => error.to_string(),
            };
            if attempt == ATTEMPTS {
                let message = shorten(format!("cannot create another instance: {reason}"));
                let stage = self.operator.stage.clone();
                return Err(CallError {
                    stage,
                    code: Code::Internal,
                    message,
                    blame: Blame::Operator,
                });
            }
            std::thread::sleep(PAUSE * attempt);
            attempt += 1;
        }
    }
}

/// Makes an instance and configures it.
fn make<I: Interface>(
    operator: &Operator,
    interface: &I,
    log: &GuestLog,
) -> Result<(Live<I::Guest>, I::Shape), StageError> {
    let Operator { stage, component, grants, limits, .. } = operator;
    let threads = component.threads.clone();
    let brought = component.brought.clone();
    let mut state =
        State::new(stage.clone(), grants.clone(), limits, threads, brought, log.clone());
    state.begin_call(1);
    let mut store = Store::new(component.pre.engine(), state);
    // A deadline is for the guest's own work. Waiting for inference and schemas has deadlines of its
    // own, and is added when the first one seems to have passed.
    store.epoch_deadline_callback(|mut store| match store.data_mut().take_waited() {
        Duration::ZERO => Ok(UpdateDeadline::Interrupt),
        waited => Ok(UpdateDeadline::Continue(ticks(waited))),
    });
    store.limiter(|state| &mut state.memory);
    bound_transfers(&mut store);
    store.set_max_component_handles(store.data().memory.handles());
    let models: Vec<&str> = grants.models.iter().map(|(name, _)| name.as_str()).collect();
    let topics: Vec<&str> = grants.topics.iter().map(String::as_str).collect();
    let setup = Setup { config: &grants.config, models: &models, topics: &topics };
    let configured = enter(stage, &mut store, limits.configure_deadline, |store| {
        if !store.data_mut().memory.begin(component.footprint.bytes) {
            return Err(wasmtime::Error::msg("its instance takes more than its memory limit"));
        }
        let instance = component.pre.instantiate(&mut *store)?;
        let guest = interface.bind(store, &instance)?;
        let shape = interface.configure(&guest, store, setup)?;
        Ok((guest, shape))
    });
    starved(stage, &store).map_err(StageError::Call)?;
    let (guest, shape) = configured.map_err(StageError::Call)?;
    let shape = shape
        .map_err(|reason| StageError::Refused { stage: stage.clone(), reason: shorten(reason) })?;
    I::check(&shape).map_err(|what| StageError::Call(violation(stage, what)))?;
    Ok((Live { store, guest, calls: 0 }, shape))
}

/// Bounds what wasmtime copies out of the guest's memory. What the guest returns may be all of its
/// memory. What it passes to the host, and may still have then, is only as much as its limit
/// leaves.
fn bound_transfers(store: &mut Store<State>) {
    store.set_hostcall_fuel(store.data().memory.limit());
    store.call_hook(|mut store, crossing| {
        let memory = &store.data().memory;
        let bytes = match crossing {
            Crossing::CallingHost => memory.left(),
            Crossing::ReturningFromHost => memory.limit(),
            Crossing::CallingWasm | Crossing::ReturningFromWasm => return Ok(()),
        };
        store.set_hostcall_fuel(bytes);
        Ok(())
    });
}

/// Runs guest code under a deadline and says what stopped it, if anything did.
fn enter<R>(
    stage: &Arc<str>,
    store: &mut Store<State>,
    deadline: Duration,
    function: impl FnOnce(&mut Store<State>) -> wasmtime::Result<R>,
) -> Result<R, CallError> {
    // One tick more: the current one may be about to end.
    store.set_epoch_deadline(ticks(deadline) + 1);
    store.data_mut().memory.exceeded = false;
    let result = function(store);
    let last_line = store.data().log.end_call();
    result.map_err(|cause| {
        let exceeded = store.data().memory.exceeded;
        let (code, message) = explain(&cause, exceeded, deadline, last_line);
        let (stage, message) = (stage.clone(), shorten(message));
        CallError { stage, code, message, blame: Blame::Records }
    })
}

/// A call in which a computation was refused for want of memory has failed, whatever the guest
/// has made of that.
fn starved(stage: &Arc<str>, store: &Store<State>) -> Result<(), CallError> {
    let Some(usage) = store.data().nn.starved() else { return Ok(()) };
    let message = format!("a computation was refused, as memory is short: {usage}");
    let stage = stage.clone();
    Err(CallError { stage, code: Code::Unavailable, message, blame: Blame::Memory })
}

/// A duration in ticks of the engine's clock.
fn ticks(time: Duration) -> u64 {
    time.as_nanos().div_ceil(TICK.as_nanos()) as u64
}

/// Classifies what ended a call. `last_line` is what the guest printed last: Rust's
/// panics print their reason before they trap.
fn explain(
    cause: &wasmtime::Error,
    out_of_memory: bool,
    deadline: Duration,
    last_line: String,
) -> (Code, String) {
    if out_of_memory {
        return (Code::Memory, "the operator exceeded its memory limit".into());
    }
    if matches!(cause.downcast_ref(), Some(ResourceTableError::Full)) {
        let message = format!(
            "the operator holds {WASI_RESOURCES} resources of WASI, the most that it may; drop them"
        );
        return (Code::Memory, message);
    }
    if cause.root_cause().to_string().contains(TRANSFERRED) {
        let message = "the operator passes more to the host, or returns more, than its memory limit \
                       leaves";
        return (Code::Memory, message.into());
    }
    if let Some(I32Exit(status)) = cause.downcast_ref() {
        return (Code::Trap, format!("the operator exited with status {status}"));
    }
    match cause.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => (Code::Deadline, format!("no result within {deadline:?}")),
        _ if last_line.is_empty() => (Code::Trap, cause.root_cause().to_string()),
        _ => (Code::Trap, format!("{}: {last_line}", cause.root_cause())),
    }
}

fn violation(stage: &Arc<str>, what: check::Violation) -> CallError {
    let message = shorten(format!("the operator violates the contract: {what}"));
    CallError { stage: stage.clone(), code: Code::Contract, message, blame: Blame::Records }
}
