//! A pipeline running in this process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use sandbar::manifest::Manifest;
use sandbar::pipeline::{Definition, Deployment, Plan};
use sandbar::record::Shutdown;
use sandbar::runner::{self, RunError};
use sandbar::sandbox::Sandbox;
use sandbar::telemetry::{LogFormat, Snapshot, Stats};

use crate::broker::{Broker, PATIENCE};
use crate::paths::{component, project};

/// A pipeline running in this process. Dropping it asks it to stop.
pub struct Runner {
    shutdown: Shutdown,
    stats: Arc<Stats>,
    deployment: Arc<Deployment>,
    thread: Option<JoinHandle<Result<(), RunError>>>,
}

impl Runner {
    /// Starts the pipeline that `manifest` describes. In it, `{component:NAME}` is
    /// the path of a component and `{project}` the project's folder.
    pub fn start(broker: &Broker, manifest: &str) -> Self {
        Runner::of(deployment(manifest, &broker.address()))
    }

    /// Starts a pipeline that is loaded already.
    pub fn of(deployment: Deployment) -> Self {
        show_log();
        let (shutdown, stats) = (Shutdown::default(), deployment.stats().clone());
        let deployment = Arc::new(deployment);
        let thread = {
            let (shutdown, deployment) = (shutdown.clone(), deployment.clone());
            std::thread::spawn(move || runner::run(&deployment, &shutdown))
        };
        Runner { shutdown, stats, deployment, thread: Some(thread) }
    }

    /// What it serves, to put something else in its place.
    pub fn deployment(&self) -> &Arc<Deployment> {
        &self.deployment
    }

    /// The counters.
    pub fn stats(&self) -> Snapshot {
        self.stats.snapshot()
    }

    /// How many records each partition is behind, as far as that is known.
    pub fn lags(&self) -> BTreeMap<(String, i32), u64> {
        let lags = self.stats.now.snapshot().lags.into_iter();
        lags.map(|lag| ((lag.topic, lag.partition), lag.records)).collect()
    }

    /// Waits until Kafka has been polled: the runner has seen what there was.
    ///
    /// # Panics
    /// Where it does not within [`PATIENCE`].
    pub fn await_polling(&self) {
        let end = Instant::now() + PATIENCE;
        while self.stats.now.since_poll().is_none() {
            assert!(Instant::now() < end, "Kafka is not polled");
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
    }

    /// Waits until the counters fulfil a condition.
    ///
    /// # Panics
    /// Where they do not within [`PATIENCE`].
    pub fn await_stats(&self, what: &str, condition: impl Fn(&Snapshot) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !condition(&self.stats()) {
            assert!(Instant::now() < end, "{what}: {:?}", self.stats());
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
    }

    /// Asks the pipeline to stop and waits until it has.
    pub fn stop(mut self) -> Result<Snapshot, RunError> {
        self.shutdown.request();
        self.join()
    }

    /// Waits until the pipeline has ended by itself.
    pub fn join(&mut self) -> Result<Snapshot, RunError> {
        let thread = self.thread.take().unwrap();
        thread.join().unwrap()?;
        Ok(self.stats())
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.shutdown.request();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What runs a manifest in the notation of [`Runner::start`].
///
/// # Panics
/// Where it cannot be loaded.
pub fn deployment(manifest: &str, brokers: &str) -> Deployment {
    let deployment = Deployment::new(definition(manifest, brokers), &sandbox(), Arc::default());
    deployment.unwrap_or_else(|error| panic!("{error:#}"))
}

/// The plan of a manifest in the notation of [`Runner::start`].
pub fn plan(manifest: &str, brokers: &str) -> anyhow::Result<Plan> {
    let mut manifest = read(manifest)?;
    manifest.kafka.brokers = Some(brokers.to_owned());
    Ok(Plan::new(&Definition::new(manifest, Some(cache())), &sandbox())?)
}

/// A manifest in the notation of [`Runner::start`].
pub fn read(manifest: &str) -> anyhow::Result<Manifest> {
    let mut text = manifest.replace("{project}", project().to_str().unwrap());
    while let Some((before, rest)) = text.split_once("{component:") {
        let (name, after) = rest.split_once('}').unwrap();
        text = format!("{before}{}{after}", component(name).display());
    }
    let manifest = Manifest::parse(&text, &project().join("tests/pipeline.toml"))?;
    Ok(manifest)
}

/// A manifest in the notation of [`Runner::start`], with the registry's cache.
///
/// # Panics
/// If it is not valid.
pub fn definition(manifest: &str, brokers: &str) -> Definition {
    let mut manifest = read(manifest).unwrap();
    manifest.kafka.brokers = Some(brokers.to_owned());
    Definition::new(manifest, Some(cache()))
}

/// Where compiled components are kept, beside the build's other products.
fn cache() -> std::path::PathBuf {
    project().join("target/component-cache")
}

/// A sandbox that caches compiled components beside the build's other products.
pub fn sandbox() -> Sandbox {
    Sandbox::new(Some(cache())).unwrap()
}

/// Shows the runner's events if SANDBAR_LOG asks for them.
fn show_log() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    if let Ok(filter) = std::env::var("SANDBAR_LOG") {
        ONCE.call_once(|| sandbar::telemetry::init(LogFormat::Text, &filter).unwrap());
    }
}
