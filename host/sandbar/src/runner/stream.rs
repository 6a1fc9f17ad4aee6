//! A deployment on Kafka: its source, its workers and their sinks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use sandbar_config::Problems;
use sandbar_kafka::KafkaFailure;
use sandbar_kafka::best_effort::BestEffortProducer;
use sandbar_kafka::config::{Connection, SourceSettings};
use sandbar_kafka::sink::KafkaSink;
use sandbar_kafka::source::KafkaSource;
use sandbar_kafka::transactions::Transactions;
use sandbar_manifest::{Delivery, Manifest};
use sandbar_pipeline::processor::Processor;
use sandbar_pipeline::{Deployment, Plan, PlanError};
use sandbar_record::{BestEffort, OutputHeaders, Shutdown, Source};
use sandbar_telemetry::Stats;
use thiserror::Error;

use super::transactional_worker::TransactionalWorker;
use super::worker::Worker;

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
    let manifest = deployment.manifest();
    manifest.secrets()?;
    let connection = Connection::of(manifest);
    let beside = manifest.clone();
    deployment.write_beside(Box::new(move |topic: &str, labels: OutputHeaders| {
        // Secrets may have changed meanwhile.
        let producer = BestEffortProducer::new(&Connection::of(&beside), topic, labels)?;
        Ok(Box::new(producer) as Box<dyn BestEffort>)
    }));
    let Some(sinks) = sinks(manifest, &connection, &plan, shutdown, stats, &abandoned)? else {
        return Ok(());
    };
    let hot_swap = deployment.hot_swap();
    // From here on, a stage set that replaces this plan is in the slots.
    let open = hot_swap.open();
    let plan = deployment.plan();
    let (senders, batches): (Vec<_>, Vec<_>) = sinks.iter().map(|_| channel()).unzip();
    let source =
        KafkaSource::new(&connection, SourceSettings::of(manifest), senders, stats.clone())?
            .within(deployment.memory().clone());
    let mut threads = Vec::with_capacity(plan.workers);
    for (index, (sink, batches)) in sinks.into_iter().zip(batches).enumerate() {
        let processor = Processor::new(&plan, stats.clone())?;
        let (hot_swap, slot) = (hot_swap.clone(), hot_swap.slot(index));
        let memory = deployment.memory().clone();
        let work: Box<dyn FnOnce() + Send> = match sink {
            WorkerSink::Shared(sink) => {
                let worker = Worker { processor, sink, hot_swap, slot, memory };
                Box::new(move || worker.run(batches))
            }
            WorkerSink::Own(transactions) => {
                let (group, interval) =
                    (source.group(), manifest.runner.commit_interval(manifest.delivery));
                let (transactions, stats) = (*transactions, stats.clone());
                let worker = TransactionalWorker {
                    processor,
                    transactions,
                    group,
                    interval,
                    stats,
                    hot_swap,
                    slot,
                    memory,
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
    Shared(Arc<KafkaSink>),
    /// Through its own, in transactions.
    Own(Box<Transactions>),
}

/// A sink for each worker, once the topics are there; `None`: `shutdown` came first.
fn sinks(
    manifest: &Manifest,
    connection: &Connection,
    plan: &Plan,
    shutdown: &Shutdown,
    stats: &Arc<Stats>,
    abandoned: &Arc<AtomicBool>,
) -> Result<Option<Vec<WorkerSink>>, KafkaFailure> {
    let workers = &plan.workers;
    match manifest.delivery {
        Delivery::AtLeastOnce => {
            let sink = KafkaSink::new(connection, plan.labels(), stats, abandoned.clone())?;
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
                let id = format!("{}-{runner:016x}-{worker}", manifest.source.group);
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
