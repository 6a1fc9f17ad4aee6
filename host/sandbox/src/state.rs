//! What belongs to one instance of an operator: its grants, its limits, and a
//! WASI context that contains only what is granted.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::brought::Brought;
use super::budget::{MemoryBudget, WASI_RESOURCES};
use super::determinism::{Clock, Determinism};
use super::footprint::ENTITIES;
use super::log::GuestLog;
use super::schema_waits::SchemaWaits;
use sandbar_inference::{Artifact, Content};
use sandbar_inference::{ErrorCode, Graph, LateThreads, NnLimits, Session};
use sandbar_schemas::Schemas;

/// Random bytes that a guest may ask for at once; they are made in the host.
const RANDOM_LIMIT: u64 = 1 << 20;

/// How much an operator may use.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Bytes of all that an instance holds: its memories and tables, and what the host and
    /// wasmtime keep for it.
    pub memory: u64,
    /// Time for one call with a batch.
    pub deadline: Duration,
    /// Time for the call that configures an instance, which may load a model.
    pub configure_deadline: Duration,
    /// Bytes that the instances of one worker may print: so many at once, and so many
    /// more a second; the rest is dropped and counted.
    pub log: u64,
    /// Calls after which a new instance takes an instance's place; `None`: it stays.
    pub retire_after: Option<NonZeroU32>,
    /// Inference through `wasi:nn`.
    pub nn: NnLimits,
}

/// What an operator is granted. Nothing else is accessible in the sandbox.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// The stage's configuration, a JSON object.
    pub config: String,
    /// Models by the pipeline's name for them; the first is the main one.
    pub models: Vec<(String, Artifact)>,
    /// Topics that a transformer may send records to.
    pub topics: Vec<String>,
    /// A clock; `None`: a batch's time is that of its newest record.
    pub clock: Option<Clock>,
    /// Unpredictable random numbers; otherwise they follow from the batch.
    pub random: bool,
    /// Schemas of records; `None`: any question for one is refused.
    pub schemas: Option<Arc<Schemas>>,
}

impl Grants {
    /// The model that a guest names.
    pub(crate) fn model(&self, name: &str) -> Result<&Artifact, String> {
        let granted = self.models.iter().find(|(granted, _)| granted == name);
        granted.map(|(_, model)| model).ok_or_else(|| {
            format!("model '{name}' is not granted to this stage; name it in the stage's `models`")
        })
    }

    /// The graph that a guest names.
    ///
    /// # Errors
    /// If there is none of this name.
    pub(crate) fn graph(&self, name: &str) -> Result<Arc<Graph>, sandbar_inference::Error> {
        let not_found = |message| sandbar_inference::Error { code: ErrorCode::NotFound, message };
        match &self.model(name).map_err(not_found)?.content {
            Content::Graph(graph) => Ok(graph.clone()),
            Content::Bytes(_) => Err(not_found(format!(
                "model '{name}' is not a graph; an operator reads its files itself"
            ))),
        }
    }
}

/// The store's data.
pub struct State {
    pub(crate) memory: MemoryBudget,
    pub(super) log: GuestLog,
    pub(crate) grants: Arc<Grants>,
    pub(crate) nn: Session,
    pub(crate) schema_waits: SchemaWaits,
    pub(crate) brought: Arc<Brought>,
    pub(super) present: Arc<Determinism>,
    wasi: WasiCtx,
    /// What WASI keeps for it. Its code does not charge what it makes, so that these are few.
    wasi_resources: ResourceTable,
    /// What `wasi:nn` keeps for it; each is charged.
    pub(crate) resources: ResourceTable,
}

impl State {
    pub(super) fn new(
        stage: Arc<str>,
        grants: Arc<Grants>,
        limits: &Limits,
        threads: Arc<LateThreads>,
        brought: Arc<Brought>,
        log: GuestLog,
    ) -> Self {
        let nn = Session::new(stage, threads, limits.nn);
        let present = Arc::new(Determinism::default());
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(log.clone()).stderr(log.clone());
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        wasi.max_random_size(limits.memory.min(RANDOM_LIMIT));
        present.put_into(&mut wasi, grants.clock.as_ref(), grants.random);
        let mut wasi_resources = ResourceTable::new();
        wasi_resources.set_max_capacity(WASI_RESOURCES);
        let mut resources = ResourceTable::new();
        // What is charged is the limit, not their number.
        resources.set_max_capacity(u32::MAX as usize);
        State {
            memory: MemoryBudget::new(limits.memory, ENTITIES),
            log,
            grants,
            nn,
            schema_waits: SchemaWaits::default(),
            brought,
            present,
            wasi: wasi.build(),
            wasi_resources,
            resources,
        }
    }
}

impl State {
    /// Starts a call with so many records: what it may wait for computations and schemas.
    pub(super) fn begin_call(&mut self, records: usize) {
        self.nn.begin_call(records);
        let schemas = self.grants.schemas.as_ref();
        self.schema_waits.begin_call(schemas.map_or(Duration::ZERO, |schemas| schemas.timeout()));
    }

    /// How long the guest has waited since this was last asked: no time of its own.
    pub(super) fn take_waited(&mut self) -> Duration {
        self.nn.take_waited() + self.schema_waits.take_waited()
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.wasi_resources }
    }
}
