//! What belongs to one instance of an operator: its grants, its limits, and a
//! WASI context that contains only what is granted.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::determinism::{Clock, Determinism};
use super::log::GuestLog;
use sandbar_inference::{Artifact, Content};
use sandbar_inference::{ErrorCode, Graph, LateThreads, NnLimits, Session};

/// Elements that the tables of an instance may have together: function tables of
/// large programs have a few thousand.
const TABLE_ELEMENTS: usize = 1 << 20;

/// How much an operator may use.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Bytes of all linear memories of an instance together, and of its tensors.
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
    pub(super) present: Arc<Determinism>,
    wasi: WasiCtx,
    pub(crate) resources: ResourceTable,
}

impl State {
    pub(super) fn new(
        stage: Arc<str>,
        grants: Arc<Grants>,
        limits: &Limits,
        threads: Arc<LateThreads>,
        log: GuestLog,
    ) -> Self {
        let nn = Session::new(stage, threads, limits.nn);
        let present = Arc::new(Determinism::default());
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(log.clone()).stderr(log.clone());
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        present.put_into(&mut wasi, grants.clock.as_ref(), grants.random);
        State {
            memory: MemoryBudget { limit: limits.memory, used: 0, elements: 0, exceeded: false },
            log,
            grants,
            nn,
            present,
            wasi: wasi.build(),
            resources: ResourceTable::new(),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.resources }
    }
}

/// Counts the bytes of all memories of an instance, and of what the host keeps for it,
/// against one limit.
pub(crate) struct MemoryBudget {
    limit: u64,
    used: u64,
    elements: usize,
    /// Whether an allocation was refused, since this was last reset.
    pub(super) exceeded: bool,
}

impl MemoryBudget {
    /// The bytes that are charged.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// Charges so many bytes; returns whether as many were left.
    pub(crate) fn charge(&mut self, bytes: usize) -> bool {
        let used = self.used.saturating_add(bytes as u64);
        self.exceeded |= used > self.limit;
        if used <= self.limit {
            self.used = used;
        }
        used <= self.limit
    }

    /// Releases what was charged.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes as u64);
    }
}

impl ResourceLimiter for MemoryBudget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            self.exceeded = true;
            return Ok(false);
        }
        Ok(self.charge(desired.saturating_sub(current)))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let elements = self.elements.saturating_add(desired.saturating_sub(current));
        if elements > TABLE_ELEMENTS || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.elements = elements;
        Ok(true)
    }
}
