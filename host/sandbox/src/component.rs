//! A component from its file: compiled, linked, and known by its world.

use std::borrow::Cow;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use wasmtime::component::{Component as Compiled, InstancePre};

use super::brought::Brought;
use super::engine::Sandbox;
use super::footprint::{self, Footprint};
use super::imports;
use super::state::State;
use sandbar_files::limits;
use sandbar_inference::LateThreads;
use sandbar_model::{ApprovedFiles, Sha256};

/// The version of the contract that this runner speaks: of `sandbar:operator`.
pub const CONTRACT: &str = "0.1.0";

/// What a component is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// Records to features.
    Extractor,
    /// Features to predictions.
    Scorer,
    /// Records to records.
    Transformer,
}

impl World {
    /// All worlds.
    pub const ALL: [World; 3] = [World::Extractor, World::Scorer, World::Transformer];

    /// The interface that a component of this world exports.
    fn interface(self) -> &'static str {
        match self {
            World::Extractor => "sandbar:operator/extraction",
            World::Scorer => "sandbar:operator/scoring",
            World::Transformer => "sandbar:operator/transformation",
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            World::Extractor => "extractor",
            World::Scorer => "scorer",
            World::Transformer => "transformer",
        })
    }
}

/// Why a file is not a component that this runner can run.
#[derive(Debug, Error)]
#[error("component {path}: {reason}", path = path.display())]
pub struct ComponentError {
    /// The component's file.
    pub path: PathBuf,
    /// What is wrong, and the remedy.
    pub reason: String,
}

/// A component that is ready to be instantiated. Cheap to clone.
#[derive(Clone)]
pub struct Component {
    pub(super) pre: InstancePre<State>,
    pub(super) threads: Arc<LateThreads>,
    pub(super) brought: Arc<Brought>,
    pub(super) footprint: Footprint,
    world: World,
    path: PathBuf,
}

impl Component {
    /// Reads, compiles and links the component at `path`.
    ///
    /// # Errors
    /// If the file cannot be read, is not a component, exports no world of
    /// this contract, or imports what this runner does not have.
    pub fn load(sandbox: &Sandbox, path: &Path) -> Result<Self, ComponentError> {
        Component::load_approved(sandbox, path, &ApprovedFiles::default())
    }

    /// The same, if the file is `approved`.
    ///
    /// # Errors
    /// As [`Component::load`], and if it is not.
    pub fn load_approved(
        sandbox: &Sandbox,
        path: &Path,
        approved: &ApprovedFiles,
    ) -> Result<Self, ComponentError> {
        let error = |reason: String| ComponentError { path: path.to_owned(), reason };
        let (compiled, footprint) = compiled(sandbox, path, approved).map_err(error)?;
        let world = world(&exports(sandbox, &compiled)).map_err(error)?;
        let pre = link(sandbox, &compiled).map_err(error)?;
        let (threads, brought) = (sandbox.threads.clone(), sandbox.brought.clone());
        Ok(Component { pre, threads, brought, footprint, world, path: path.to_owned() })
    }

    /// The world that the component implements.
    pub fn world(&self) -> World {
        self.world
    }

    /// The late computations of its process.
    pub fn threads(&self) -> &Arc<LateThreads> {
        &self.threads
    }

    /// The file that it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

// The steps of `load`, which `inspect` takes too. Each says what is wrong.

/// The content of the file at `path`, or of the operator of this program that stands there.
pub(super) fn read(path: &Path) -> Result<Cow<'static, [u8]>, String> {
    if let Some(name) = sandbar_builtin::of_path(path) {
        let component = sandbar_builtin::component(name).map_err(|missing| missing.to_string());
        return component.map(Cow::Borrowed);
    }
    let content = sandbar_files::read(path, limits::COMPONENT).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("{error}; build it with `cargo build --release --target wasm32-wasip2`, or correct the path"),
        _ => error.to_string(),
    });
    content.map(Cow::Owned)
}

/// The bytes of the component at `path`; 0 if it cannot be read.
pub fn size(path: &Path) -> u64 {
    match sandbar_builtin::of_path(path) {
        Some(name) => {
            sandbar_builtin::component(name).map_or(0, |component| component.len() as u64)
        }
        None => path.metadata().map_or(0, |file| file.len()),
    }
}

/// The compiled form of the file at `path`, if it is `approved`. Where it is known what the file
/// must be, its code is read at the same time, and used if it is that.
fn compiled(
    sandbox: &Sandbox,
    path: &Path,
    approved: &ApprovedFiles,
) -> Result<(Compiled, Footprint), String> {
    std::thread::scope(|scope| {
        let ahead = approved.expected(path).and_then(|digest| {
            let thread = std::thread::Builder::new().name("sandbar-cache".into());
            thread.spawn_scoped(scope, move || cached(sandbox, &digest)).ok()
        });
        let wasm = read(path)?;
        let digest = Sha256::of(&wasm);
        if matches!(wasm, Cow::Owned(_)) {
            approved.check(path, &digest)?;
        }
        let footprint = footprint(&wasm)?;
        let ahead = ahead.and_then(|thread| thread.join().ok().flatten());
        let compiled = match ahead.or_else(|| cached(sandbox, &digest)) {
            Some(compiled) => compiled,
            None => compile(sandbox, &wasm, &digest)?,
        };
        Ok((compiled, footprint))
    })
}

/// What an instance of it takes, and whether that is accepted, before it is compiled.
pub(super) fn footprint(wasm: &[u8]) -> Result<Footprint, String> {
    footprint::of(wasm).map_err(|reason| {
        format!("not accepted: {reason}; build it from fewer modules, or without composing so many components")
    })
}

/// The compiled form of the component with this digest, if it was compiled before.
pub(super) fn cached(sandbox: &Sandbox, digest: &Sha256) -> Option<Compiled> {
    sandbox.cache.as_ref()?.get(&sandbox.engine, digest)
}

/// The compiled form of a component that is not in the cache.
pub(super) fn compile(sandbox: &Sandbox, wasm: &[u8], digest: &Sha256) -> Result<Compiled, String> {
    // SAFETY: the bytes come from the compiler of this version of the runner: of this process, or
    // of one that it has started for that.
    let load = |compiled: &[u8]| unsafe { Compiled::deserialize(&sandbox.engine, compiled) };
    let handed = sandbox.handed.with(digest, load);
    if handed.is_none() && !sandbox.compiles {
        return Err(
            "its compiled form is gone from the cache, and is not made here: try again".into()
        );
    }
    let compiled = handed.unwrap_or_else(|| {
        let compiled = sandbox.engine.precompile_component(wasm)?;
        let component = load(&compiled)?;
        match &sandbox.cache {
            _ if sandbox.hands_back => sandbox.handed.add((*digest, compiled)),
            Some(cache) => _ = cache.put(digest, &compiled),
            None => {}
        }
        Ok(component)
    });
    compiled.map_err(|cause| not_a_component(wasm, &cause))
}

/// The world of a component with these exports.
pub(super) fn world(exports: &[String]) -> Result<World, String> {
    let mut other_version = None;
    let mut worlds = Vec::new();
    for (world, version) in exports.iter().filter_map(|name| claim(name)) {
        if speaks(CONTRACT, version) { worlds.push(world) } else { other_version = Some(version) }
    }
    match (worlds.as_slice(), other_version) {
        ([world], _) => Ok(*world),
        ([], Some(version)) => Err(format!(
            "built for sandbar:operator@{version}, but this runner speaks {CONTRACT}; \
             build it with the SDK of this version"
        )),
        ([], None) => Err("not an operator: it exports none of the worlds extractor, scorer, \
             transformer of sandbar:operator"
            .into()),
        _ => Err("an operator of more than one world; build one component per world".into()),
    }
}

/// Whether a runner that speaks `ours` runs components of `theirs`: of the same major and
/// minor version, and no later patch (docs/reference/compatibility.md).
fn speaks(ours: &str, theirs: &str) -> bool {
    let parse = |version: &str| -> Option<[u32; 3]> {
        let numbers: Result<Vec<u32>, _> = version.split('.').map(str::parse).collect();
        numbers.ok()?.try_into().ok()
    };
    match (parse(ours), parse(theirs)) {
        (Some([major, minor, patch]), Some([theirs @ .., their_patch])) => {
            [major, minor] == theirs && their_patch <= patch
        }
        _ => false,
    }
}

pub(super) fn link(sandbox: &Sandbox, compiled: &Compiled) -> Result<InstancePre<State>, String> {
    sandbox.linker.instantiate_pre(compiled).map_err(|cause| {
        let what = imports::missing(&imports::of(&sandbox.engine, compiled));
        // All missing imports by name, if known; the linker stops at the first.
        let what = what.unwrap_or_else(|| format!("{cause:#}"));
        format!("it imports what this runner does not have: {what}")
    })
}

/// What a file is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A component, if the rest of it is right.
    Component,
    /// A core WebAssembly module.
    CoreModule,
    /// Anything else.
    Other,
}

impl FileKind {
    pub(super) fn of(wasm: &[u8]) -> Self {
        // Magic number, then version and layer: 0x0d 0x00 0x01 0x00 for a component.
        match wasm {
            [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => FileKind::CoreModule,
            [0, b'a', b's', b'm', ..] => FileKind::Component,
            _ => FileKind::Other,
        }
    }
}

/// Describes a file that does not compile as a component.
fn not_a_component(wasm: &[u8], cause: &wasmtime::Error) -> String {
    match FileKind::of(wasm) {
        FileKind::CoreModule => {
            "a core WebAssembly module, not a component; build it for the target wasm32-wasip2"
                .into()
        }
        FileKind::Component => format!("not a valid component: {cause:#}"),
        FileKind::Other => "not a WebAssembly component".into(),
    }
}

/// The names of what a component exports.
pub(super) fn exports(sandbox: &Sandbox, compiled: &Compiled) -> Vec<String> {
    let ty = compiled.component_type();
    ty.exports(&sandbox.engine).map(|(name, _)| name.to_owned()).collect()
}

/// The world that an export belongs to, in any version of the contract.
pub(super) fn claim(export: &str) -> Option<(World, &str)> {
    let (interface, version) = export.split_once('@')?;
    let world = World::ALL.into_iter().find(|world| world.interface() == interface)?;
    Some((world, version))
}

#[cfg(test)]
mod tests {
    use super::{CONTRACT, speaks};

    #[test]
    fn a_runner_speaks_the_versions_before_its_own() {
        for (ours, theirs) in [(CONTRACT, CONTRACT), ("0.1.2", "0.1.0"), ("1.2.3", "1.2.3")] {
            assert!(speaks(ours, theirs), "{ours} {theirs}");
        }
        for (ours, theirs) in [
            ("0.1.0", "0.1.1"),
            ("0.2.0", "0.1.0"),
            ("0.1.0", "0.2.0"),
            ("1.1.0", "0.1.0"),
            ("0.1.0", "0.1"),
            ("0.1.0", "0.1.0-rc.1"),
            ("0.1.0", ""),
        ] {
            assert!(!speaks(ours, theirs), "{ours} {theirs}");
        }
    }
}
