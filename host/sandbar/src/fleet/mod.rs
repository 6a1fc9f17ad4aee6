//! The fleet: the runners of one pipeline in one consumer group, which serve the same. Its
//! desired version is in a compacted topic, the control topic, in which each runner also reports
//! what it serves. There is no other coordinator. `docs/guide/run-a-fleet.md` is its guide.
//!
//! - `record`: the records of the topic; `state`: the fleet state that they add up to.
//! - `log` reads it; `writer` writes a change, if there was no concurrent one.
//! - `follower`: how a runner reconciles; `report`: what it reports of itself.
//! - [`promote`]: another version, for all of them; `rollout`: one beside what serves.

mod error;
mod events;
mod follower;
mod log;
pub mod promote;
mod record;
mod report;
mod rollout;
mod state;
mod writer;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{DeliveryResult, Producer, ProducerContext, ThreadedProducer};

pub use error::FleetError;
pub use record::{
    Action, Candidate, ChangeProgress, FleetChange, FleetName, Refusal, RunnerReport,
};
pub use state::{LOST, RunnerStatus};

use log::{Log, Read};
use report::Meter;
use sandbar_config::name_problem;
use sandbar_kafka::config;
use sandbar_kafka::config::Connection;
use sandbar_pipeline::{Definition, Deployment};
use sandbar_record::Shutdown;
use sandbar_registry::resolver::ArtifactResolver;
use sandbar_telemetry::Stats;
use state::FleetState;

/// How long a runner waits at its start for one record of the topic before it checks whether it
/// should stop.
const LOOK: Duration = Duration::from_millis(100);
/// How long the last report of a runner that ends may take.
const GOODBYE: Duration = Duration::from_secs(2);
/// Changes that are shown, of those that are kept.
const TOLD: usize = 20;

/// A fleet, as one of its runners knows it.
pub struct Fleet {
    name: FleetName,
    runner: String,
    topic: String,
    connection: Connection,
    /// The artifact resolver for versions.
    supply: Option<Arc<ArtifactResolver>>,
    stats: Arc<Stats>,
    producer: ThreadedProducer<Quiet>,
    shared: Mutex<Shared>,
    /// Signals that the desired version changed, or that this runner leaves.
    changed: Condvar,
    leaving: AtomicBool,
    /// Held while a change is made through this runner.
    asking: Mutex<()>,
}

/// What changes.
struct Shared {
    view: FleetState,
    /// What this runner runs, once it does.
    deployment: Option<Arc<Deployment>>,
    /// The change that it serves, and since when.
    serves: u64,
    since: Option<SystemTime>,
    refused: Option<Refusal>,
    meter: Meter,
    joined: Instant,
}

/// The fleet state.
#[derive(Debug)]
pub struct Known {
    /// The fleet.
    pub name: FleetName,
    /// The control topic.
    pub topic: String,
    /// Whether it is unreachable, so that the rest may be out of date.
    pub away: bool,
    /// The desired version; an error if this version of Sandbar cannot read it.
    pub desired: Result<Option<FleetChange>, String>,
    /// The runners, by their ids.
    pub runners: Vec<Runner>,
    /// The changes, the newest first.
    pub history: Vec<FleetChange>,
}

/// A runner and its status.
#[derive(Debug)]
pub struct Runner {
    /// Its id.
    pub id: String,
    /// Its status.
    pub standing: RunnerStatus,
    /// The time since its last report.
    pub silence: Duration,
    /// Its last report.
    pub report: RunnerReport,
}

/// This runner's membership, which ends when it is dropped.
pub struct Member {
    fleet: Arc<Fleet>,
    threads: Vec<JoinHandle<()>>,
}

impl Member {
    /// Joins the fleet that the manifest names, and reads the control topic to its end.
    /// `None`: it names none, or `shutdown` came first.
    ///
    /// # Errors
    /// If the topic's settings are wrong, or the brokers refuse this client.
    pub fn join(
        definition: &Definition,
        runner: Option<String>,
        stats: &Arc<Stats>,
        shutdown: &Shutdown,
    ) -> Result<Option<Self>, FleetError> {
        let manifest = &definition.manifest;
        let Some(section) = &manifest.fleet else { return Ok(None) };
        let runner = runner.unwrap_or_else(report::id);
        if let Some(problem) = name_problem(&runner) {
            return Err(FleetError::Refused(format!("--runner-id: {problem}")));
        }
        let connection = Connection::of(manifest);
        let name =
            FleetName { pipeline: manifest.name.clone(), group: manifest.source.group.clone() };
        let log = Log::new(&connection, &section.topic, &name)?;
        if !log.check(shutdown)? {
            return Ok(None);
        }
        let producer = config::passing(&connection).create_with_context(Quiet)?;
        let mut view = FleetState::default();
        log.begin()?;
        loop {
            if shutdown.requested() {
                return Ok(None);
            }
            match log.read(LOOK) {
                Read::Entry(entry) => {
                    view.take(entry, false);
                }
                Read::End => break,
                Read::Nothing => {}
                Read::Trouble(error) => {
                    tracing::debug!(%error, "control topic: read failed, retrying")
                }
            }
        }
        tracing::info!(fleet = %name, runner, topic = section.topic, revision = view.last(), "joined the fleet");
        let shared = Shared {
            view,
            deployment: None,
            serves: 0,
            since: None,
            refused: None,
            meter: Meter::default(),
            joined: Instant::now(),
        };
        let fleet = Arc::new(Fleet {
            name,
            runner,
            topic: section.topic.clone(),
            connection,
            supply: definition.supply().cloned(),
            stats: stats.clone(),
            producer,
            shared: Mutex::new(shared),
            changed: Condvar::new(),
            leaving: AtomicBool::new(false),
            asking: Mutex::new(()),
        });
        let mut member = Member { fleet: fleet.clone(), threads: Vec::new() };
        member.spawn("sandbar-fleet", move || fleet.listen(&log))?;
        Ok(Some(member))
    }

    /// The fleet.
    pub fn fleet(&self) -> &Arc<Fleet> {
        &self.fleet
    }

    /// Reconciles what runs with the fleet from now on.
    ///
    /// # Errors
    /// If the system provides no more threads.
    pub fn follow(&mut self, deployment: Arc<Deployment>) -> Result<(), FleetError> {
        let fleet = self.fleet.clone();
        let mut shared = fleet.lock();
        shared.deployment = Some(deployment.clone());
        shared.since = Some(deployment.revision().since);
        drop(shared);
        fleet.report(false);
        self.spawn("sandbar-follow", move || fleet.follow(&deployment))
    }

    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), FleetError> {
        self.threads.push(std::thread::Builder::new().name(name.to_owned()).spawn(work)?);
        Ok(())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let shared = self.fleet.lock();
        self.fleet.leaving.store(true, Ordering::Relaxed);
        self.fleet.changed.notify_all();
        drop(shared);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        self.fleet.farewell();
        // If the topic is unreachable, the others notice by themselves.
        let _ = self.fleet.producer.flush(GOODBYE);
    }
}

impl Fleet {
    /// The fleet state.
    pub fn known(&self) -> Known {
        let mut shared = self.lock();
        let runners = shared.view.runners().into_iter();
        let runners = runners
            .map(|(id, standing, silence, report)| Runner { id, standing, silence, report })
            .collect();
        Known {
            name: self.name.clone(),
            topic: self.topic.clone(),
            away: self.stats.now.fleet.away.load(Ordering::Relaxed),
            desired: shared.view.desired().map(|change| change.cloned()),
            runners,
            history: shared.view.history().take(TOLD).cloned().collect(),
        }
    }

    /// The id of this runner.
    pub fn runner(&self) -> &str {
        &self.runner
    }

    fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ignores delivery reports: the next report of the runner comes soon.
struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(client = "producer", error = %format!("{error}: {reason}"), "control topic: client error, the client retries");
    }
}

impl ProducerContext for Quiet {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}
