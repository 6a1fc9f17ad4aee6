//! One wasmtime engine for the process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Linker;
use wasmtime::{Config, Engine};

use super::brought::Brought;
use super::cache::Cache;
use super::capabilities::CAPABILITIES;
use super::handed::{Handed, HandedOver};
use super::state::State;
use sandbar_confine::Child;
use sandbar_inference::LateThreads;
use sandbar_record::MemoryGate;

/// How often the engine's clock ticks: the precision of a deadline.
pub const TICK: Duration = Duration::from_millis(10);

/// Compiles and links components. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    pub(super) engine: Engine,
    pub(super) linker: Arc<Linker<State>>,
    pub(super) cache: Option<Cache>,
    pub(super) threads: Arc<LateThreads>,
    /// Does what is done with untrusted files before they serve.
    child: Option<Arc<Child>>,
    pub(super) brought: Arc<Brought>,
    pub(super) handed: Arc<HandedOver>,
    /// Whether what is compiled is handed back instead of put into the cache.
    pub(super) hands_back: bool,
    /// Whether what was not compiled before is compiled here.
    pub(super) compiles: bool,
}

impl Sandbox {
    /// An engine that keeps compiled components in `cache`; `None` compiles anew
    /// each time.
    ///
    /// # Errors
    /// If this machine cannot run wasmtime.
    pub fn new(cache: Option<PathBuf>) -> wasmtime::Result<Self> {
        Sandbox::with_deadlines(cache, true)
    }

    /// The same with code in which nothing can interrupt a guest: to measure what deadlines
    /// cost. Not for untrusted operators.
    ///
    /// # Errors
    /// As [`Sandbox::new`].
    pub fn without_deadlines(cache: Option<PathBuf>) -> wasmtime::Result<Self> {
        Sandbox::with_deadlines(cache, false)
    }

    fn with_deadlines(cache: Option<PathBuf>, deadlines: bool) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config
            .wasm_component_model(true)
            // Guests are called synchronously from threads of their own; the
            // bookkeeping for concurrent calls triples the cost of an empty call.
            .concurrency_support(false)
            // Epochs stop a guest that loops. Fuel would cost twice as much.
            .epoch_interruption(deadlines);
        let engine = Engine::new(&config)?;
        if deadlines {
            start_ticker(&engine)?;
        }
        let linker = Arc::new(linker(&engine)?);
        let cache = cache.and_then(|folder| Cache::open(folder, &engine));
        Ok(Sandbox {
            engine,
            linker,
            cache,
            threads: Arc::default(),
            child: None,
            brought: Arc::new(Brought::new(None)),
            handed: Arc::default(),
            hands_back: false,
            compiles: true,
        })
    }
}

impl Sandbox {
    /// The same, which prepares what is untrusted in such processes.
    #[must_use]
    pub fn with_child(self, child: Child) -> Self {
        let child = Some(Arc::new(child));
        Sandbox { brought: Arc::new(Brought::new(child.clone())), child, ..self }
    }

    /// The same, whose operators compute as far as `memory` admits.
    #[must_use]
    pub fn within(self, memory: MemoryGate) -> Self {
        Sandbox { threads: Arc::new(LateThreads::within(memory)), ..self }
    }

    /// What the process may still begin.
    pub fn memory(&self) -> &MemoryGate {
        self.threads.memory()
    }

    /// The process in which what is untrusted is prepared; `None`: in this one.
    pub fn child(&self) -> Option<&Arc<Child>> {
        self.child.as_ref()
    }

    /// The same for such a process: it reads the cache, and keeps what it compiles for
    /// [`Sandbox::take_compiled`].
    #[must_use]
    pub fn handing_back(self) -> Self {
        Sandbox { hands_back: true, ..self }
    }

    /// The same, which takes what was compiled before, and compiles nothing itself.
    #[must_use]
    pub fn without_compiler(&self) -> Self {
        Sandbox { compiles: false, ..self.clone() }
    }

    /// What is remembered under `key`, if there is a cache ([`Cache::recall`]).
    pub fn recall(&self, key: &str) -> Option<Vec<u8>> {
        self.cache.as_ref()?.recall(key)
    }

    /// Remembers something small, if there is a cache ([`Cache::remember`]).
    pub fn remember(&self, key: &str, value: &[u8]) {
        if let Some(cache) = &self.cache {
            cache.remember(key, value);
        }
    }

    /// What was compiled since this was last called.
    pub fn take_compiled(&self) -> Vec<Handed> {
        self.handed.take()
    }

    /// Takes over what a child of this process has compiled, for the cache; what that cannot take is kept until
    /// [`Sandbox::take_compiled`]. It is native code: never from anywhere else.
    pub fn accept(&self, compiled: Vec<Handed>) {
        for (digest, bytes) in compiled {
            let kept = self.cache.as_ref().is_some_and(|cache| cache.put(&digest, &bytes));
            if !kept {
                self.handed.add((digest, bytes));
            }
        }
    }

    /// The folder of compiled components, if there is one.
    pub fn cache_folder(&self) -> Option<PathBuf> {
        self.cache.as_ref().map(Cache::folder)
    }

    /// The late computations of this sandbox's operators.
    pub fn threads(&self) -> &LateThreads {
        &self.threads
    }
}

/// Advances the engine's epoch until the engine is dropped.
fn start_ticker(engine: &Engine) -> wasmtime::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("sandbar-ticker".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })
        .map_err(wasmtime::Error::from)?;
    Ok(())
}

/// What a component may import: WASI with nothing behind it, and the models that its
/// stage is granted.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    refuse_to_wait(&mut linker)?;
    for capability in &CAPABILITIES {
        (capability.link)(&mut linker)?;
    }
    Ok(linker)
}

/// Makes waiting trap. A guest that sleeps is inside a host call, where its
/// deadline does not reach it; and there is nothing here to wait for but a timer.
fn refuse_to_wait(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use wasmtime::component::Resource;
    use wasmtime_wasi::p2::DynPollable;
    const REFUSED: &str = "the operator tried to sleep or wait, which is not allowed";

    linker.allow_shadowing(true);
    let mut poll = linker.instance("wasi:io/poll@0.2.12")?;
    poll.func_wrap("poll", |_, _: (Vec<Resource<DynPollable>>,)| {
        Err::<(Vec<u32>,), _>(wasmtime::Error::msg(REFUSED))
    })?;
    poll.func_wrap("[method]pollable.block", |_, _: (Resource<DynPollable>,)| {
        Err::<(), _>(wasmtime::Error::msg(REFUSED))
    })?;
    linker.allow_shadowing(false);
    Ok(())
}
