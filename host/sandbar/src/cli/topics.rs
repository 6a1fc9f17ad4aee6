//! `sandbar topics`: what a pipeline reads and writes, and whether it is there.

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::types::RDKafkaErrorCode;
use sandbar_kafka::config::{self, Connection};
use sandbar_kafka::topics::{self, Existing};
use sandbar_manifest::{Manifest, is_pattern};
use sandbar_model::http::Runtime;

use super::common::Common;
use super::pipeline::PipelineArgs;
use crate::output::{complain, say};

/// How long the brokers may take to create topics.
const PATIENCE: Duration = Duration::from_secs(30);
/// What brokers take as "your own default" (KIP-464).
const DEFAULT: i32 = -1;
/// The settings of a control topic: the latest record of each key is kept, and soon the only one.
const CONTROL: [(&str, &str); 2] = [("cleanup.policy", "compact"), ("segment.ms", "3600000")];

/// Topics that a pipeline reads and writes: list them, or create those that are missing.
#[derive(Debug, Args)]
pub(super) struct Topics {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Create(Create),
}

/// List the topics that a pipeline names, with what for, and whether each exists.
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    pipeline: PipelineArgs,
}

/// Create the topics that a pipeline names and the brokers lack.
///
/// Topics that exist stay as they are. The control topic of a fleet gets one partition and is
/// compacted, whatever is asked for the others. An expression in [source] topics creates nothing.
#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Partitions of each topic. [default: the brokers' own]
    #[arg(long, value_name = "N")]
    partitions: Option<NonZeroU32>,
    /// Replicas of each partition. [default: the brokers' own]
    #[arg(long, value_name = "N")]
    replication: Option<NonZeroU16>,
}

/// A topic that the manifest names.
struct Named<'m> {
    /// The key of the manifest.
    key: String,
    topic: &'m str,
    /// Whether it is what the runners of a fleet agree through.
    control: bool,
}

impl Topics {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        match self.verb {
            Verb::List(list) => list.execute(common),
            Verb::Create(create) => create.execute(common),
        }
    }
}

impl List {
    fn execute(&self, common: &Common) -> anyhow::Result<()> {
        let (manifest, connection) = self.pipeline.open(common)?;
        let existing = topics::existing(&connection)?;
        for Named { key, topic, .. } in named(&manifest) {
            match existing.get(topic) {
                _ if is_pattern(topic) => say!("{topic} ({key}): an expression"),
                Some(found) => say!("{topic} ({key}): {}", shown(*found)),
                None => say!("{topic} ({key}): missing"),
            }
        }
        Ok(())
    }
}

impl Create {
    fn execute(&self, common: &Common) -> anyhow::Result<()> {
        let (manifest, connection) = self.pipeline.open(common)?;
        let existing = topics::existing(&connection)?;
        let mut missing = BTreeMap::new();
        for Named { key, topic, control } in named(&manifest) {
            match existing.get(topic) {
                _ if is_pattern(topic) => say!("{topic} ({key}): an expression, creates nothing"),
                Some(found) => say!("{topic} ({key}): exists, {}", shown(*found)),
                // One topic may be named twice, as by two stages.
                None => drop(missing.insert(topic, (key, control))),
            }
        }
        let wanted = missing.iter().map(|(topic, (_, control))| self.wanted(topic, *control));
        let mut failed = 0;
        for (topic, result) in create(&connection, &wanted.collect::<Vec<_>>())? {
            let key = missing.get(topic.as_str()).map_or("", |(key, _)| key);
            match result {
                Ok(()) => say!("{topic} ({key}): created"),
                // Somebody else was faster.
                Err(RDKafkaErrorCode::TopicAlreadyExists) => say!("{topic} ({key}): exists"),
                Err(code) => {
                    failed += 1;
                    complain!("error: topic '{topic}' ({key}): cannot be created: {code}");
                }
            }
        }
        if failed > 0 {
            bail!("{failed} of {} missing topics were not created", missing.len());
        }
        Ok(())
    }

    fn wanted<'m>(&self, topic: &'m str, control: bool) -> NewTopic<'m> {
        let own = self.partitions.and_then(|number| i32::try_from(number.get()).ok());
        let partitions = if control { 1 } else { own.unwrap_or(DEFAULT) };
        let replication = self.replication.map_or(DEFAULT, |number| i32::from(number.get()));
        let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(replication));
        let settings = CONTROL.iter().filter(|_| control);
        settings.fold(new, |new, (name, value)| new.set(name, value))
    }
}

/// What a manifest names, in the order of a record's way.
fn named(manifest: &Manifest) -> Vec<Named<'_>> {
    let name = |key: &str, topic| Named { key: key.to_owned(), topic, control: false };
    let mut all: Vec<_> =
        manifest.source.topics.iter().map(|topic| name("[source] topics", topic)).collect();
    for stage in &manifest.stages {
        let key = format!("topics of stage '{}'", stage.name);
        all.extend(stage.topics.iter().map(|topic| name(&key, topic)));
    }
    if !manifest.sink.topic.is_empty() {
        all.push(name("[sink] topic", &manifest.sink.topic));
    }
    let routes = manifest.sink.routes.iter().enumerate();
    all.extend(routes.map(|(index, route)| {
        name(&format!("topic of [[sink.routes]] number {}", index + 1), &route.topic)
    }));
    all.push(name("[dead-letter] topic", &manifest.dead_letter.topic));
    if let Some(fleet) = &manifest.fleet {
        all.push(Named { control: true, ..name("[fleet] topic", &fleet.topic) });
    }
    all
}

fn shown(found: Existing) -> String {
    let plural = if found.partitions == 1 { "" } else { "s" };
    format!("{} partition{plural}, replication {}", found.partitions, found.replication)
}

/// What became of each topic.
type Created = Vec<(String, Result<(), RDKafkaErrorCode>)>;

fn create(connection: &Connection, wanted: &[NewTopic<'_>]) -> anyhow::Result<Created> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let admin: AdminClient<DefaultClientContext> =
        config::passing(connection).create().map_err(config::unsaid)?;
    let runtime = Runtime::start()?;
    let options =
        AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
    let answer = runtime.handle().block_on(admin.create_topics(wanted, &options));
    let answer = answer
        .with_context(|| format!("brokers {}: topics cannot be created", connection.brokers))?;
    let topic = |result| match result {
        Ok(topic) => (topic, Ok(())),
        Err((topic, code)) => (topic, Err(code)),
    };
    Ok(answer.into_iter().map(topic).collect())
}
