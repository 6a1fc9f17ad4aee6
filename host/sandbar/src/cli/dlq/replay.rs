//! `sandbar dlq replay`

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use rdkafka::client::ClientContext;
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};

use super::select::Filter;
use super::text::line;
use crate::cli::common::Common;
use crate::cli::pipeline::PipelineArgs;
use crate::output::{self, complain, say};
use sandbar_kafka::config;
use sandbar_kafka::config::Connection;
use sandbar_kafka::queue::{Content, put};
use sandbar_pipeline::Definition;
use sandbar_pipeline::Plan;
use sandbar_pipeline::harness::{Harness, Record, Written};
use sandbar_record::Input;

/// Records that go through a pipeline together.
const TOGETHER: usize = 256;
/// How long the brokers may take to acknowledge all messages.
const PATIENCE: Duration = Duration::from_secs(60);

/// Replay the records of dead letters.
///
/// Each goes back to the topic that it was read from, by its key, with its own headers and
/// `sandbar-replayed`, which counts the replays. With --through it goes through a pipeline in
/// this process, and its outputs go to that pipeline's topics: for a model or an operator
/// that was fixed meanwhile. The dead letters stay where they are: select with filters, and
/// use --dry-run to see which are selected.
#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    place: PipelineArgs,
    #[command(flatten)]
    filter: Filter,
    /// Send them through this pipeline instead of to their topics.
    #[arg(long, value_name = "PIPELINE")]
    through: Option<PathBuf>,
    /// Print what would be replayed, and replay nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Replay {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        let (manifest, connection) = self.place.open(common)?;
        let mut way = self.way(&connection, common)?;
        let (mut count, mut empty, mut result) = (0_u64, 0_u64, Ok(()));
        self.filter.each(&connection, &manifest.dead_letter.topic, |letter| {
            let Some(record) = letter.record() else {
                empty += 1;
                return true;
            };
            if self.dry_run {
                say!("{}", line(&letter));
            }
            count += 1;
            result = way.take(record);
            // Nobody sees the rest; what is replayed is replayed all the same.
            result.is_ok() && !(self.dry_run && output::is_closed())
        })?;
        result.and_then(|()| way.finish())?;
        if empty > 0 {
            complain!("{empty} dead letters do not carry their records, skipping them");
        }
        let done = if self.dry_run { "would be" } else { "were" };
        say!("{count} records {done} replayed");
        Ok(())
    }

    fn way(&self, connection: &Connection, common: &Common) -> anyhow::Result<Way> {
        let through = match (&self.through, self.dry_run) {
            (_, true) => return Ok(Way::Nowhere),
            (None, false) => return Ok(Way::Topics(Feeder::new(connection)?)),
            (Some(path), false) => Definition::new(common.manifest(path)?, common.cache_folder()),
        };
        through.manifest.secrets()?;
        let mut plan = Plan::new(&through, &common.sandbox()?)?;
        plan.register_schemas(&through)?;
        let brokers = connection.brokers.clone();
        let producer = Feeder::new(&Connection { brokers, ..Connection::of(&through.manifest) })?;
        Ok(Way::Pipeline(producer, Box::new(Harness::new(&plan)?), Vec::new()))
    }
}

/// Where records go.
enum Way {
    /// Nowhere: they are only counted.
    Nowhere,
    /// To the topics that they were read from.
    Topics(Feeder),
    /// Through a pipeline, in groups; the outputs go to its topics.
    Pipeline(Feeder, Box<Harness>, Vec<Input>),
}

impl Way {
    fn take(&mut self, record: Input) -> anyhow::Result<()> {
        match self {
            Way::Nowhere => Ok(()),
            Way::Topics(producer) => {
                let Input { topic, key, value, headers, timestamp, .. } = record;
                let topic = topic.context("a dead letter does not name the topic of its record")?;
                producer.send(&topic, (key.as_deref(), value.as_deref(), timestamp), &headers)
            }
            Way::Pipeline(producer, harness, waiting) => {
                waiting.push(record);
                if waiting.len() < TOGETHER {
                    return Ok(());
                }
                take_through(producer, harness, waiting)
            }
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Way::Nowhere => Ok(()),
            Way::Topics(producer) => producer.finish(),
            Way::Pipeline(producer, mut harness, mut waiting) => {
                take_through(&producer, &mut harness, &mut waiting)?;
                producer.finish()
            }
        }
    }
}

/// Sends records through a pipeline, and its outputs to Kafka.
fn take_through(
    producer: &Feeder,
    harness: &mut Harness,
    records: &mut Vec<Input>,
) -> anyhow::Result<()> {
    let Written { outputs, dead_letters } = harness.pipe(records.drain(..))?;
    let letters = dead_letters.into_iter().map(|letter| letter.record);
    for Record { topic, key, value, headers, timestamp, .. } in outputs.into_iter().chain(letters) {
        producer.send(&topic, (key.as_deref(), value.as_deref(), timestamp), &headers)?;
    }
    Ok(())
}

/// A producer that counts undelivered messages.
struct Feeder(ThreadedProducer<Refused>);

/// Messages that were not delivered.
#[derive(Default)]
struct Refused(AtomicU64);

impl ClientContext for Refused {}

impl ProducerContext for Refused {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            tracing::error!(%error, "record not delivered, the replay fails when it ends");
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Feeder {
    fn new(connection: &Connection) -> anyhow::Result<Self> {
        let producer = config::producer(connection)
            .create_with_context(Refused::default())
            .map_err(config::unsaid)?;
        Ok(Feeder(producer))
    }

    fn send(
        &self,
        topic: &str,
        content: Content<'_>,
        headers: &[(String, Option<Vec<u8>>)],
    ) -> anyhow::Result<()> {
        let owned = OwnedHeaders::new_with_capacity(headers.len());
        let headers = headers
            .iter()
            .fold(owned, |owned, (key, value)| owned.insert(Header { key, value: value.as_ref() }));
        put(&self.0, topic, content, headers, (), || true)
            .map_err(|(cause, ())| cause)
            .with_context(|| format!("topic '{topic}'"))
    }

    fn finish(self) -> anyhow::Result<()> {
        self.0.flush(PATIENCE).context("the brokers did not accept all records in time")?;
        let refused = self.0.context().0.load(Ordering::Relaxed);
        ensure!(refused == 0, "{refused} records were not delivered");
        Ok(())
    }
}
