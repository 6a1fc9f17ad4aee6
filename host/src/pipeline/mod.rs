//! A pipeline: from its manifest to a plan that is known to work, and the plan
//! running.
//!
//! - [`plan`]: components loaded, models verified, stages fitted to each other.
//! - [`chain`]: the stages over one batch; [`processor`] drives one chain, with a batch
//!   of any content; [`worker`] is one at work for Kafka, [`transactor`] one that delivers
//!   exactly once.
//! - [`batching`]: when does a batch go on?
//! - [`policy`]: what is done about failures; [`order`]: key ordering behind them.
//! - [`deployment`]: what serves, and how other models and components are swapped in while
//!   it runs; workers get them through [`handover`].
//! - [`rollout`]: a candidate beside what serves, before it is promoted.
//! - [`labels`]: output headers and topics.
//! - [`delivery`]: when is a batch done?
//! - [`shutdown`]: the request to stop.

pub mod batching;
pub mod chain;
pub mod delivery;
pub mod deployment;
mod handover;
pub mod labels;
mod order;
pub mod plan;
pub mod policy;
pub mod processor;
pub mod rollout;
mod shutdown;
pub mod smoke;
mod transactor;
pub mod trial;
mod worker;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use thiserror::Error;

pub use deployment::Deployment;
pub use plan::{Plan, PlanError};
pub use shutdown::Shutdown;

use crate::kafka::KafkaFailure;
use crate::kafka::sink::Sink;
use crate::kafka::source::Source;
use crate::kafka::transactions::Transactions;
use crate::manifest::{Delivery, Problems};
use crate::observe::Stats;
use processor::Processor;
use transactor::Transactor;
use worker::Worker;

/// Why a pipeline ended before it was asked to.
#[derive(Debug, Error)]
pub enum RunError {
    /// A stage cannot be set up.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A value is missing that the manifest has from the environment or a file.
    #[error(transparent)]
    Secrets(#[from] Problems),
    /// Kafka, at one of the ends.
    #[error(transparent)]
    Kafka(#[from] KafkaFailure),
    /// The system provides no more threads.
    #[error("cannot start a worker thread: {0}")]
    Worker(#[from] std::io::Error),
}

/// Runs a pipeline until `shutdown`, then delivers and commits what is in flight.
///
/// # Errors
/// If it cannot start, or cannot go on. Records that were not delivered are not
/// committed: the next run reprocesses them.
pub fn run(deployment: &Deployment, shutdown: &Shutdown) -> Result<(), RunError> {
    let stats = deployment.stats();
    let abandoned = Arc::new(AtomicBool::new(false));
    let plan = deployment.plan();
    plan.secrets()?;
    let Some(sinks) = sinks(&plan, shutdown, stats, &abandoned)? else { return Ok(()) };
    let handover = deployment.handover();
    // From here on, a stage set that replaces this plan is in the slots.
    let open = handover.open();
    let plan = deployment.plan();
    let (senders, batches): (Vec<_>, Vec<_>) = sinks.iter().map(|_| channel()).unzip();
    let source = Source::new(&plan.connection, plan.source.clone(), senders, stats.clone())?;
    let mut threads = Vec::with_capacity(plan.workers);
    for (index, (sink, batches)) in sinks.into_iter().zip(batches).enumerate() {
        let processor = Processor::new(&plan, stats.clone())?;
        let (handover, slot) = (handover.clone(), handover.slot(index));
        let work: Box<dyn FnOnce() + Send> = match sink {
            WorkerSink::Shared(sink) => {
                let worker = Worker { processor, sink, handover, slot };
                Box::new(move || worker.run(batches))
            }
            WorkerSink::Own(transactions) => {
                let (group, interval) = (source.group(), plan.source.commit_interval);
                let (transactions, stats) = (*transactions, stats.clone());
                let worker = Transactor {
                    processor,
                    transactions,
                    group,
                    interval,
                    stats,
                    handover,
                    slot,
                    worked: Duration::ZERO,
                    waiting: VecDeque::new(),
                };
                Box::new(move || worker.run(batches))
            }
        };
        let thread = std::thread::Builder::new().name(format!("sandbar-worker-{index}"));
        threads.push(thread.spawn(work)?);
    }
    tracing::info!(pipeline = plan.name, workers = plan.workers, "running");
    let name = plan.name.clone();
    // It would keep models in memory that have been replaced.
    drop(plan);
    let result = source.run(shutdown);
    drop(open);
    // The source held the senders: the workers end when they have seen the last batch.
    // What is left then is not waited for; one that is inside a guest ends at that call's
    // deadline.
    abandoned.store(true, Ordering::Relaxed);
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a worker panicked; this is a bug in sandbar, please report it");
        }
    }
    tracing::info!(pipeline = name, "stopped");
    Ok(result?)
}

/// Where a worker's outputs go.
enum WorkerSink {
    /// Through the shared producer.
    Shared(Arc<Sink>),
    /// Through its own, in transactions.
    Own(Box<Transactions>),
}

/// A sink for each worker, once the topics are there; `None`: `shutdown` came first.
fn sinks(
    plan: &Plan,
    shutdown: &Shutdown,
    stats: &Arc<Stats>,
    abandoned: &Arc<AtomicBool>,
) -> Result<Option<Vec<WorkerSink>>, KafkaFailure> {
    let Plan { connection, workers, .. } = plan;
    match plan.delivery {
        Delivery::AtLeastOnce => {
            let sink = Sink::new(connection, plan.labels(), stats, abandoned.clone())?;
            if !sink.await_topics(shutdown)? {
                return Ok(None);
            }
            let sink = Arc::new(sink);
            Ok(Some((0..*workers).map(|_| WorkerSink::Shared(sink.clone())).collect()))
        }
        Delivery::ExactlyOnce => {
            // Nobody else has these ids: a runner that restarts fences nobody off, the
            // group's generation does.
            let runner: u64 = rand::random();
            let labels = Arc::new(plan.labels());
            let mut sinks = Vec::with_capacity(*workers);
            for worker in 0..*workers {
                let id = format!("{}-{runner:016x}-{worker}", plan.source.group);
                let sink = Transactions::new(connection, &id, labels.clone(), abandoned.clone())?;
                if !sink.start(shutdown)? {
                    return Ok(None);
                }
                sinks.push(WorkerSink::Own(Box::new(sink)));
            }
            Ok(Some(sinks))
        }
    }
}
