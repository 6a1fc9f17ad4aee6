//! A fleet as one of its runners knows it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{DeliveryResult, ProducerContext, ThreadedProducer};

use super::meter::Meter;
use super::record::{FleetChange, FleetName, Refusal, RunnerReport};
use super::state::{FleetState, RunnerStatus};
use sandbar_kafka::config::Connection;
use sandbar_pipeline::Deployment;
use sandbar_registry::resolver::ArtifactResolver;
use sandbar_telemetry::Stats;

/// Changes that are shown, of those that are kept.
const TOLD: usize = 20;

/// A fleet, as one of its runners knows it.
pub struct Fleet {
    pub(super) name: FleetName,
    pub(super) runner: String,
    pub(super) topic: String,
    pub(super) connection: Connection,
    /// The artifact resolver for versions.
    pub(super) supply: Option<Arc<ArtifactResolver>>,
    pub(super) stats: Arc<Stats>,
    pub(super) producer: ThreadedProducer<Quiet>,
    pub(super) shared: Mutex<Shared>,
    /// Signals that the desired version changed, or that this runner leaves.
    pub(super) changed: Condvar,
    pub(super) leaving: AtomicBool,
    /// Held while a change is made through this runner.
    pub(super) asking: Mutex<()>,
}

/// What changes.
pub(super) struct Shared {
    pub(super) view: FleetState,
    /// What this runner runs, once it does.
    pub(super) deployment: Option<Arc<Deployment>>,
    /// The change that it serves, and since when.
    pub(super) serves: u64,
    pub(super) since: Option<SystemTime>,
    pub(super) refused: Option<Refusal>,
    pub(super) meter: Meter,
    pub(super) joined: Instant,
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

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ignores delivery reports: the next report of the runner comes soon.
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(client = "producer", error = %format!("{error}: {reason}"), "control topic: client error, the client retries");
    }
}

impl ProducerContext for Quiet {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}
