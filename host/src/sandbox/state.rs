//! What belongs to one instance of an operator: its grants, its limits, and a
//! WASI context with nothing in it.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::bindings::artifacts;
use super::log::GuestLog;

/// Elements that the tables of an instance may have together: function tables of
/// large programs have a few thousand.
const TABLE_ELEMENTS: usize = 1 << 20;

/// How much an operator may use.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Bytes of all linear memories of an instance together.
    pub memory: u64,
    /// Time for one call with a batch.
    pub deadline: Duration,
    /// Time for the call that configures an instance, which may load a model.
    pub configure_deadline: Duration,
    /// Bytes that one call may print; the rest is dropped and counted.
    pub log: u64,
}

/// What an operator is given. Nothing else can be had in the sandbox.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// The stage's configuration, a JSON object.
    pub config: String,
    /// Models by the pipeline's name for them; the first is the main one.
    pub models: Vec<(String, Arc<[u8]>)>,
    /// Topics that a transformer may send records to.
    pub topics: Vec<String>,
}

/// The store's data.
pub struct State {
    pub(super) memory: MemoryBudget,
    pub(super) log: GuestLog,
    grants: Arc<Grants>,
    wasi: WasiCtx,
    resources: ResourceTable,
}

impl State {
    pub(super) fn new(stage: Arc<str>, grants: Arc<Grants>, limits: &Limits) -> Self {
        let log = GuestLog::new(stage, limits.log);
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(log.clone()).stderr(log.clone());
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        State {
            memory: MemoryBudget { limit: limits.memory, used: 0, elements: 0, exceeded: false },
            log,
            grants,
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

impl artifacts::Host for State {
    fn load(&mut self, model: String) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let granted = self.grants.models.iter().find(|(name, _)| *name == model);
        Ok(match granted {
            Some((_, bytes)) => Ok(bytes.to_vec()),
            None => Err(format!(
                "model '{model}' is not granted to this stage; name it in the stage's `models`"
            )),
        })
    }
}

/// Counts the bytes of all memories of an instance against one limit.
pub(super) struct MemoryBudget {
    limit: u64,
    used: u64,
    elements: usize,
    /// Whether growing was refused, since this was last reset.
    pub(super) exceeded: bool,
}

impl ResourceLimiter for MemoryBudget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current) as u64);
        if used > self.limit || maximum.is_some_and(|maximum| desired > maximum) {
            self.exceeded = true;
            return Ok(false);
        }
        self.used = used;
        Ok(true)
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
