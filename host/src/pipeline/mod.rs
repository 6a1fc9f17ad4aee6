//! A pipeline: from its manifest to a plan that is known to work, and the plan
//! running.
//!
//! - [`plan`]: components loaded, models verified, stages fitted to each other.
//! - [`chain`]: the stages over one batch; [`processor`] drives one chain, with a batch
//!   of any content; [`worker`] is one at work for Kafka.
//! - [`batching`]: when does a batch go on?
//! - [`labels`]: topics and headers of what comes out.
//! - [`delivery`]: when is a batch done?
//! - [`shutdown`]: the request to stop.

pub mod batching;
pub mod chain;
pub mod delivery;
pub mod labels;
pub mod plan;
pub mod processor;
mod shutdown;
mod worker;

use std::sync::Arc;
use std::sync::mpsc::channel;

use thiserror::Error;

pub use plan::{Plan, PlanError};
pub use shutdown::Shutdown;

use crate::kafka::KafkaFailure;
use crate::kafka::sink::Sink;
use crate::kafka::source::Source;
use crate::observe::Stats;
use processor::Processor;
use worker::Worker;

/// Why a pipeline ended before it was asked to.
#[derive(Debug, Error)]
pub enum RunError {
    /// A stage cannot be set up.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Kafka, at one of the ends.
    #[error(transparent)]
    Kafka(#[from] KafkaFailure),
    /// The machine gives no more threads.
    #[error("a worker cannot be started: {0}")]
    Worker(#[from] std::io::Error),
}

/// Runs a pipeline until `shutdown`, then delivers and commits what is on its way.
///
/// # Errors
/// Where it cannot start, or cannot go on. Records that were not delivered are not
/// committed: the next start reads them again.
pub fn run(plan: &Plan, shutdown: &Shutdown, stats: &Arc<Stats>) -> Result<(), RunError> {
    let sink = Arc::new(Sink::new(&plan.connection, plan.labels(), stats)?);
    if !sink.await_topics(shutdown)? {
        return Ok(());
    }
    let mut senders = Vec::with_capacity(plan.workers);
    let mut threads = Vec::with_capacity(plan.workers);
    for index in 0..plan.workers {
        let (sender, batches) = channel();
        let processor = Processor::new(plan, stats.clone())?;
        let worker = Worker { processor, sink: sink.clone() };
        let thread = std::thread::Builder::new().name(format!("sandbar-worker-{index}"));
        threads.push(thread.spawn(move || worker.run(batches))?);
        senders.push(sender);
    }
    tracing::info!(pipeline = plan.name, workers = plan.workers, "running");
    let source = Source::new(&plan.connection, plan.source.clone(), senders, stats.clone())?;
    let result = source.run(shutdown);
    // The source held the senders: the workers end when they have seen the last batch.
    // What is left then is not waited for; one that is inside a guest ends at that call's
    // deadline.
    sink.abandon();
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a worker panicked; this is a fault of sandbar, please report it");
        }
    }
    tracing::info!(pipeline = plan.name, "stopped");
    Ok(result?)
}
