//! What can be found out about a component's file without running it.
//!
//! The steps are those of [`Component::load`](super::Component::load), and so are the
//! reasons; but the first that fails does not end it.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use wasmtime::component::Component as Compiled;

use super::cache::Origin;
use super::component::{self, CONTRACT, FileKind, World};
use super::engine::Sandbox;
use super::imports::{self, Group, Import};
use sandbar_model::Sha256;

/// Bytes of a page of a linear memory.
const PAGE: u64 = 64 << 10;

/// What is known of a file that may be a component.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Inspection {
    /// The file.
    pub file: PathBuf,
    /// Whether this runner can run it.
    pub runnable: bool,
    /// Why it cannot, and the remedy.
    pub reason: Option<String>,
    /// What the file is. Absent, like all that follows, if it cannot be read.
    pub kind: Option<FileKind>,
    /// Its bytes.
    pub size: Option<u64>,
    /// Its digest.
    pub sha256: Option<Sha256>,
    /// The world that it implements, even if that is of another version of the
    /// contract.
    pub world: Option<World>,
    /// The version of the contract, `sandbar:operator`, that it was built for.
    pub contract: Option<String>,
    /// The version that this runner speaks.
    pub runner_contract: &'static str,
    /// What it exports.
    pub exports: Vec<String>,
    /// What it imports.
    pub imports: Vec<Group>,
    /// What it needs from the manifest.
    #[serde(skip)]
    pub needs: Needs,
    /// The memory that an instance has before it does anything.
    pub memory: Option<Memory>,
    /// How it was compiled.
    pub compiled: Option<Compilation>,
}

/// What a component needs that only the manifest can grant.
#[derive(Debug, Default, Clone, Copy)]
pub struct Needs {
    /// Models: their descriptions or files.
    pub models: bool,
    /// Graphs by name: models that the runner computes.
    pub graphs: bool,
    /// Graphs that the component loads itself.
    pub load_graphs: bool,
}

/// Linear memories, as a component declares them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Memory {
    /// Bytes of the largest at the start: what an instance needs at the least.
    pub initial: u64,
    /// How many there are.
    pub memories: u32,
}

/// Where a compiled form came from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Compilation {
    /// From where.
    pub from: Origin,
    /// Whether it is in the cache now.
    pub cached: bool,
    /// How long it took.
    pub milliseconds: f64,
}

impl Inspection {
    /// Reads the file at `path`, and compiles its content. What is wrong with it
    /// is part of the answer.
    pub fn of(sandbox: &Sandbox, path: &Path) -> Self {
        let mut inspection = Inspection {
            file: path.to_owned(),
            runner_contract: CONTRACT,
            ..Inspection::default()
        };
        inspection.reason = inspection.look(sandbox).err();
        inspection.runnable = inspection.reason.is_none();
        inspection
    }

    /// Fills in what it finds; the error is that of `Component::load`.
    fn look(&mut self, sandbox: &Sandbox) -> Result<(), String> {
        let wasm = component::read(&self.file)?;
        self.kind = Some(FileKind::of(&wasm));
        self.size = Some(wasm.len() as u64);
        let digest = Sha256::of(&wasm);
        self.sha256 = Some(digest);
        component::footprint(&wasm)?;
        let start = Instant::now();
        let (compiled, from) = match component::cached(sandbox, &digest) {
            Some(compiled) => (compiled, Origin::Cache),
            None => (component::compile(sandbox, &wasm, &digest)?, Origin::Compiler),
        };
        self.compiled = Some(Compilation {
            from,
            cached: sandbox.cache.as_ref().is_some_and(|cache| cache.holds(&digest)),
            milliseconds: (start.elapsed().as_secs_f64() * 1e4).round() / 10.0,
        });
        self.memory = memory(&compiled);

        self.exports = component::exports(sandbox, &compiled);
        let claim = self.exports.iter().find_map(|name| component::claim(name));
        self.world = claim.map(|(world, _)| world);
        let imported = imports::of(&sandbox.engine, &compiled);
        let names = self.exports.iter().chain(imported.iter().map(|import| &import.name));
        self.contract = names.filter_map(|name| imports::contract(name)).next().map(str::to_owned);
        let world = component::world(&self.exports);
        let linked = component::link(sandbox, &compiled);
        self.imports = imports::groups(&imported, linked.is_ok());
        self.needs = Needs::of(&imported);
        world.and_then(|_| linked.map(drop))
    }
}

impl Needs {
    fn of(imports: &[Import]) -> Self {
        let uses = |interface: &str, function: Option<&str>| {
            imports.iter().any(|import| {
                let name = import.name.split_once('@').map_or(&*import.name, |(name, _)| name);
                let functions = &import.functions;
                name == interface
                    && function.is_none_or(|function| functions.iter().any(|it| it == function))
            })
        };
        Needs {
            models: uses("sandbar:operator/artifacts", None),
            graphs: uses("wasi:nn/graph", Some("load-by-name")),
            load_graphs: uses("wasi:nn/graph", Some("load")),
        }
    }
}

/// `None` if it depends on modules that the component imports.
fn memory(compiled: &Compiled) -> Option<Memory> {
    let resources = compiled.resources_required()?;
    let pages = resources.max_initial_memory_size.unwrap_or(0);
    Some(Memory { initial: pages.saturating_mul(PAGE), memories: resources.num_memories })
}
