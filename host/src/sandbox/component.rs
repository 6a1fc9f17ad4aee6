//! A component from its file: compiled, linked, and known by its world.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use wasmtime::component::{Component as Compiled, InstancePre};

use super::engine::Sandbox;
use super::state::State;
use crate::inference::Threads;

/// The version of the contract that this runner speaks: of `sandbar:operator`.
pub const CONTRACT: &str = "0.1.0";
/// Bytes of a component file that are accepted.
const SIZE_LIMIT: u64 = 256 << 20;

/// What a component is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// Records to features.
    Extractor,
    /// Features to predictions.
    Scorer,
    /// Records to records.
    Transformer,
}

impl World {
    const ALL: [World; 3] = [World::Extractor, World::Scorer, World::Transformer];

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
    /// What is wrong, and the way out.
    pub reason: String,
}

/// A component that is ready to be instantiated. Cheap to clone.
#[derive(Clone)]
pub struct Component {
    pub(super) pre: InstancePre<State>,
    pub(super) threads: Arc<Threads>,
    world: World,
    path: PathBuf,
}

impl Component {
    /// Reads, compiles and links the component at `path`.
    ///
    /// # Errors
    /// Where the file cannot be read, is not a component, exports no world of
    /// this contract, or imports what this runner does not have.
    pub fn load(sandbox: &Sandbox, path: &Path) -> Result<Self, ComponentError> {
        let error = |reason: String| ComponentError { path: path.to_owned(), reason };
        let wasm = read(path).map_err(error)?;
        let compiled = match &sandbox.cache {
            Some(cache) => cache.compile(&sandbox.engine, &wasm),
            None => Compiled::new(&sandbox.engine, &wasm),
        };
        let compiled = compiled.map_err(|cause| error(not_a_component(&wasm, &cause)))?;
        let world = world(sandbox, &compiled).map_err(error)?;
        let pre = sandbox.linker.instantiate_pre(&compiled).map_err(|cause| {
            error(format!("it asks for something that this runner does not have: {cause:#}"))
        })?;
        let threads = sandbox.threads.clone();
        Ok(Component { pre, threads, world, path: path.to_owned() })
    }

    /// The world that the component implements.
    pub fn world(&self) -> World {
        self.world
    }

    /// The file that it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let about = std::fs::metadata(path).map_err(|error| {
        format!("{error}; build it with `cargo build --release --target wasm32-wasip2`, or correct the path")
    })?;
    if about.len() > SIZE_LIMIT {
        return Err(format!(
            "{} bytes are more than the {SIZE_LIMIT} that are accepted",
            about.len()
        ));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// Says what a file is that does not compile as a component.
fn not_a_component(wasm: &[u8], cause: &wasmtime::Error) -> String {
    // Magic number, then version and layer: 0x0d 0x00 0x01 0x00 for a component.
    match wasm {
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            "a core WebAssembly module, not a component; build it for the target wasm32-wasip2"
                .into()
        }
        [0, b'a', b's', b'm', ..] => format!("not a valid component: {cause:#}"),
        _ => "not a WebAssembly component".into(),
    }
}

fn world(sandbox: &Sandbox, compiled: &Compiled) -> Result<World, String> {
    let ty = compiled.component_type();
    let mut other_version = None;
    let mut worlds = Vec::new();
    for (name, _) in ty.exports(&sandbox.engine) {
        let Some((interface, version)) = name.split_once('@') else { continue };
        let Some(world) = World::ALL.into_iter().find(|world| world.interface() == interface)
        else {
            continue;
        };
        if version == CONTRACT {
            worlds.push(world)
        } else {
            other_version = Some(version.to_owned())
        }
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
        _ => Err("an operator of more than one world; make it one component per world".into()),
    }
}
