//! The fleet: the runners of one pipeline in one consumer group, which serve the same. Its
//! desired version is in a compacted topic, the control topic, in which each runner also reports
//! what it serves. There is no other coordinator. `docs/guide/run-a-fleet.md` is its guide.
//!
//! - `record`: the records of the topic; `state`: the fleet state that they add up to.
//! - `log` reads it; `writer` writes a change, if there was no concurrent one.
//! - `shared`: the fleet as one of its runners knows it; `follower`: how that reconciles;
//!   `report`: what it reports of itself, `meter` how fast it is.
//! - [`promote`]: another version, for all of them; `rollout`: one beside what serves.

mod error;
mod events;
mod follower;
mod log;
mod meter;
pub mod promote;
mod record;
mod report;
mod rollout;
mod shared;
mod state;
mod writer;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::producer::Producer;

pub use error::FleetError;
pub use record::{
    Action, Candidate, ChangeProgress, FleetChange, FleetName, Refusal, RunnerReport,
};
pub use shared::{Fleet, Known, Runner};
pub use state::{LOST, RunnerStatus};

use log::{Log, Read};
use meter::Meter;
use sandbar_config::name_problem;
use sandbar_kafka::config;
use sandbar_kafka::config::Connection;
use sandbar_pipeline::{Definition, Deployment, PlanError};
use sandbar_record::Shutdown;
use sandbar_sandbox::Sandbox;
use sandbar_telemetry::Stats;
use shared::{Quiet, Shared};
use state::FleetState;

/// How long a runner waits at its start for one record of the topic before it checks whether it
/// should stop.
const LOOK: Duration = Duration::from_millis(100);
/// How long the last report of a runner that ends may take.
const GOODBYE: Duration = Duration::from_secs(2);

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
        let producer =
            config::passing(&connection).create_with_context(Quiet).map_err(config::unsaid)?;
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

    /// What to run: the desired version of the fleet or, if there is none yet, what the manifest
    /// says. Waits for versions that are not available, as nothing else may be served. `None`:
    /// `shutdown` came first.
    ///
    /// # Errors
    /// If what the manifest says cannot be used.
    pub fn begin(
        &self,
        definition: &Definition,
        sandbox: &Sandbox,
        shutdown: &Shutdown,
    ) -> Result<Option<Deployment>, PlanError> {
        self.fleet.begin(definition, sandbox, shutdown)
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
