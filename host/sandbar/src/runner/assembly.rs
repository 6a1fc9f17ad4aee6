//! Puts a runner together.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sandbar_confine::Child;
use sandbar_manifest::{Listen, Manifest, ManifestError};
use sandbar_pipeline::{Definition, Deployment, PlanError};
use sandbar_record::Shutdown;
use sandbar_sandbox::{Sandbox, cache};
use sandbar_telemetry::Stats;
use thiserror::Error;

use super::http::{Http, Overrides, ServerError};
use super::memory::{self, MemoryWatch, OutOfMemory};
use super::stream::{self, RunError};
use crate::admin::Subject;
use crate::fleet::{FleetError, Member};
use crate::totals::tell_totals;

/// How long a runner may not poll Kafka beyond the drain deadline, which it
/// may use up when partitions are revoked.
const UNPOLLED: Duration = Duration::from_secs(30);

/// A pipeline on Kafka, about to run.
pub struct Runner {
    manifest: Manifest,
    cache: Option<PathBuf>,
    overrides: Overrides,
    id: Option<String>,
    child: Option<Child>,
    stats: Arc<Stats>,
}

/// Why a runner ended before it was asked to.
#[derive(Debug, Error)]
pub enum RunnerError {
    /// Neither the manifest nor the caller names brokers, or the manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A token or a certificate of `[admin]` cannot be used.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// This machine cannot run WebAssembly.
    #[error("the sandbox cannot be started: {0:#}")]
    Sandbox(anyhow::Error),
    /// A model or a component that the manifest names cannot be used.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The fleet's control topic cannot be used.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// Metrics and health cannot be served.
    #[error(transparent)]
    Admin(#[from] crate::admin::AdminError),
    /// The process came to its memory limit, and memory did not fall.
    #[error("{0}")]
    OutOfMemory(OutOfMemory),
    /// Its memory cannot be watched.
    #[error("cannot start the thread that watches memory: {0}")]
    Watch(std::io::Error),
    /// The stream ended.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Runner {
    /// A runner of a pipeline, by its manifest.
    pub fn new(manifest: Manifest) -> Self {
        let (cache, stats) = (cache::default_folder(), Arc::default());
        Runner { manifest, cache, overrides: Overrides::default(), id: None, child: None, stats }
    }

    /// The brokers, `host:port` separated by commas, instead of the manifest's; these if the
    /// text is blank.
    #[must_use]
    pub fn brokers(mut self, brokers: impl Into<String>) -> Self {
        let brokers = brokers.into();
        if !brokers.trim().is_empty() {
            self.manifest.kafka.brokers = Some(brokers);
        }
        self
    }

    /// Where compiled components and files of the registry are kept. Default: a folder of this
    /// user; `None`: components are compiled at each start, and no registry can be used.
    #[must_use]
    pub fn cache(mut self, folder: Option<PathBuf>) -> Self {
        self.cache = folder;
        self
    }

    /// Where metrics and health are served, instead of the manifest's address.
    #[must_use]
    pub fn admin(mut self, listen: Option<Listen>) -> Self {
        self.overrides.listen = listen;
        self
    }

    /// Where health and readiness are served, and nothing else, instead of the manifest's
    /// address.
    #[must_use]
    pub fn health(mut self, listen: Option<Listen>) -> Self {
        self.overrides.health = listen;
        self
    }

    /// Who knows it may change what is served, instead of the manifest's token.
    #[must_use]
    pub fn admin_token(mut self, token: Option<String>) -> Self {
        self.overrides.token = token.filter(|token| !token.is_empty());
        self
    }

    /// What the runner is called in its fleet. Default: the machine's name and a random number.
    #[must_use]
    pub fn id(mut self, id: Option<String>) -> Self {
        self.id = id;
        self
    }

    /// The process in which what is untrusted is prepared: `sandbar prepare`. Default: this one.
    #[must_use]
    pub fn child(mut self, child: Option<Child>) -> Self {
        self.child = child;
        self
    }

    /// The counters, also while it runs.
    pub fn stats(&self) -> Arc<Stats> {
        self.stats.clone()
    }

    /// Runs until `shutdown` is requested, then delivers and commits what is on its way.
    ///
    /// # Errors
    /// If it cannot start, or cannot go on. Records that were not delivered are not committed:
    /// the next run reads them again.
    pub fn run(self, shutdown: &Shutdown) -> Result<(), RunnerError> {
        match self.prepare(shutdown)? {
            Some(prepared) => prepared.run(shutdown),
            None => Ok(()),
        }
    }

    /// Loads what the manifest names, unless its fleet says what is served. `None`: `shutdown`
    /// came first.
    ///
    /// # Errors
    /// If the manifest names no brokers, a value that is elsewhere is missing, or a model or
    /// component cannot be used.
    pub fn prepare(self, shutdown: &Shutdown) -> Result<Option<PreparedRunner>, RunnerError> {
        let Runner { manifest, cache, overrides, id, child, stats } = self;
        manifest.brokers(None)?;
        // Before components are compiled, which may take a while.
        manifest.secrets().map_err(ManifestError::from)?;
        let http = Http::of(&manifest, overrides)?;
        let memory = memory::gate(&manifest);
        let watch = MemoryWatch::start(memory.clone(), shutdown.clone());
        let watch = watch.map_err(RunnerError::Watch)?;
        let sandbox =
            Sandbox::new(cache.clone()).map_err(|error| RunnerError::Sandbox(error.into()))?;
        let sandbox = sandbox.within(memory);
        let sandbox = match child {
            Some(child) => sandbox.with_child(child),
            None => sandbox,
        };
        let definition = Definition::new(manifest, cache);
        let loaded = match &definition.manifest.fleet {
            None => {
                let load = Deployment::load(definition.clone(), &sandbox, stats.clone(), shutdown);
                match load {
                    Err(_) if shutdown.requested() => {
                        return watch.ended().map_or(Ok(None), |why| Err(out_of(why)));
                    }
                    loaded => Some(loaded?),
                }
            }
            Some(_) => None,
        };
        Ok(Some(PreparedRunner { definition, sandbox, loaded, http, id, stats, watch }))
    }
}

/// A runner that has loaded what it serves.
pub struct PreparedRunner {
    definition: Definition,
    sandbox: Sandbox,
    /// `None`: its fleet says what that is.
    loaded: Option<Deployment>,
    http: Http,
    id: Option<String>,
    stats: Arc<Stats>,
    watch: MemoryWatch,
}

impl PreparedRunner {
    /// As [`Runner::run`].
    ///
    /// # Errors
    /// As [`Runner::run`].
    pub fn run(self, shutdown: &Shutdown) -> Result<(), RunnerError> {
        let PreparedRunner { definition, sandbox, loaded, http, id, stats, watch } = self;
        let manifest = &definition.manifest;
        let pipeline = manifest.name.clone();
        let patience = manifest.runner.drain_deadline + UNPOLLED;
        let mut member = Member::join(&definition, id, &stats, shutdown)?;
        let deployment = match (&member, loaded) {
            (Some(member), _) => member.begin(&definition, &sandbox, shutdown)?,
            (None, loaded) => loaded,
        };
        // It was stopped before it had a version to serve.
        let ended = || watch.ended().map_or(Ok(()), |why| Err(out_of(why)));
        let Some(deployment) = deployment.map(Arc::new) else { return ended() };
        if let Some(member) = &mut member {
            member.follow(deployment.clone())?;
        }
        let subject = Subject {
            pipeline,
            deployment: deployment.clone(),
            fleet: member.as_ref().map(|member| member.fleet().clone()),
            access: http.access(),
            shutdown: shutdown.clone(),
            patience,
        };
        let _servers = http.serve(subject)?;
        let result = stream::run(&deployment, shutdown);
        // What is still being prepared has nothing to serve.
        let _ = deployment.cancel();
        // Before the fleet is left, which may take longer than this process has.
        tell_totals(&stats.snapshot());
        if let (Err(error), Some(_)) = (&result, watch.ended()) {
            tracing::warn!(%error, "the run failed while it ended for memory");
        }
        // A supervisor starts it again for the former alone.
        ended().and(result.map_err(RunnerError::from))
    }
}

fn out_of(why: OutOfMemory) -> RunnerError {
    RunnerError::OutOfMemory(why)
}
