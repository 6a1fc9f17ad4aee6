//! The properties that librdkafka is given: our defaults, overridden by the manifest,
//! overridden by what the delivery guarantee depends on.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use sandbar_config::settings::HIDDEN;
use sandbar_manifest::{Delivery, Manifest, Start, is_secret};
use sandbar_record::BatchLimits;

/// librdkafka properties by name.
pub type Properties = BTreeMap<String, String>;

/// How to reach the brokers, as a consumer and as a producer.
#[derive(Clone)]
pub struct Connection {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// Properties of the consumer.
    pub consumer: Properties,
    /// Properties of the producer.
    pub producer: Properties,
}

impl Connection {
    /// As a manifest has it. Values that are elsewhere and not to be had are left out;
    /// [`Manifest::secrets`] names them.
    pub fn of(manifest: &Manifest) -> Self {
        Connection {
            brokers: manifest.kafka.brokers.clone().unwrap_or_default(),
            consumer: manifest.consumer_properties(),
            producer: manifest.producer_properties(),
        }
    }
}

impl SourceSettings {
    /// As a manifest has it.
    pub fn of(manifest: &Manifest) -> Self {
        let runner = &manifest.runner;
        SourceSettings {
            topics: manifest.source.topics.clone(),
            group: manifest.source.group.clone(),
            written: manifest.written().map(str::to_owned).collect(),
            start: manifest.source.start.clone(),
            batch: runner.into(),
            in_flight: runner.in_flight.as_u64(),
            commit_interval: runner.commit_interval(manifest.delivery),
            commits: manifest.delivery == Delivery::AtLeastOnce,
            drain_deadline: runner.drain_deadline,
        }
    }
}

impl std::fmt::Debug for Connection {
    /// Without the values of properties, since any may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("brokers", &self.brokers)
            .field("consumer", &self.consumer.keys())
            .field("producer", &self.producer.keys())
            .finish()
    }
}

/// What to read and how much at a time.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// The topics: names, and expressions, which begin with `^`.
    pub topics: Vec<String>,
    /// Topics that the pipeline writes.
    pub written: Vec<String>,
    /// The consumer group.
    pub group: String,
    /// Where a group without committed offsets begins.
    pub start: Start,
    /// How large a batch may become.
    pub batch: BatchLimits,
    /// Bytes in flight above which partitions are paused.
    pub in_flight: u64,
    /// The time between two commits.
    pub commit_interval: Duration,
    /// Whether offsets are committed by the source; otherwise they are sent with transactions.
    pub commits: bool,
    /// How long to wait for what is in flight, at the end and when partitions are
    /// revoked.
    pub drain_deadline: Duration,
}

/// Defaults of the consumer, which the manifest may change.
const CONSUMER: &[(&str, &str)] = &[
    // Fetched and queued: part of the memory that a runner needs.
    ("queued.max.messages.kbytes", "4096"),
    // When that is full, fetching pauses for this time: a second, by default.
    ("fetch.queue.backoff.ms", "10"),
    ("fetch.message.max.bytes", "1048576"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    // How soon new topics and partitions are discovered: five minutes, by default.
    ("topic.metadata.refresh.interval.ms", "30000"),
    // The lag, for the metrics.
    ("statistics.interval.ms", "5000"),
    // A lost connection is an event of ours, not a log line of librdkafka's.
    ("log.connection.close", "false"),
];

/// Defaults of the producer, which the manifest may change.
const PRODUCER: &[(&str, &str)] = &[
    ("linger.ms", "5"),
    ("compression.type", "lz4"),
    // The same as in Java's clients, so that a key goes to the same partition.
    ("partitioner", "murmur2_random"),
    // The topic limits the size of a record, not the client.
    ("message.max.bytes", "1000000000"),
    ("queue.buffering.max.kbytes", "65536"),
    ("log.connection.close", "false"),
];

/// Defaults of a producer that works in transactions, besides [`PRODUCER`].
const TRANSACTIONAL: &[(&str, &str)] = &[
    // When the broker goes away that coordinates the group, librdkafka (seen with 2.12) may
    // wait for it with the offsets of a transaction, beyond any time limit, until the
    // connection to some other broker opens or closes (its issues 5456 and 5511). Closing
    // those that rest, all of them then, ends that in about this time.
    ("connections.max.idle.ms", "10000"),
    // How long a request waits before it is sent again: 100 ms by default. A transaction whose
    // end took nearly as long costs a producer, see `transactional_producer`; healthy brokers
    // that are busy, or far away, answer within this time.
    ("retry.backoff.ms", "500"),
];

/// The properties of the consumer of a group.
pub fn consumer(connection: &Connection, group: &str) -> ClientConfig {
    let mut config = layered(CONSUMER, &connection.consumer);
    config
        .set("bootstrap.servers", &connection.brokers)
        .set("group.id", group)
        // `start` decides where a group begins. This is for offsets that do not exist: what comes
        // of it is looked at (`position_check`).
        .set("auto.offset.reset", "earliest")
        // Offsets are committed once the outputs are delivered, not before.
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("allow.auto.create.topics", "false");
    config
}

/// The properties of a producer that works in transactions, under its own `id`.
pub fn transactional(connection: &Connection, id: &str) -> ClientConfig {
    let mut config = layered(&[PRODUCER, TRANSACTIONAL].concat(), &connection.producer);
    // How long a message may take is bounded by the transaction's timeout.
    config.remove("message.timeout.ms");
    config.set("bootstrap.servers", &connection.brokers).set("transactional.id", id);
    config
}

/// The properties of a producer whose records are of no use once they are late.
pub fn passing(connection: &Connection) -> ClientConfig {
    let mut config = layered(PRODUCER, &connection.producer);
    config
        .set("bootstrap.servers", &connection.brokers)
        .set("linger.ms", "0")
        // Records of one key stay in order.
        .set("max.in.flight.requests.per.connection", "1")
        .set("message.timeout.ms", "10000");
    config
}

/// The properties of the producer.
pub fn producer(connection: &Connection) -> ClientConfig {
    let mut config = layered(PRODUCER, &connection.producer);
    config
        .set("bootstrap.servers", &connection.brokers)
        // Retries neither reorder nor repeat.
        .set("enable.idempotence", "true")
        // An unavailable broker is waited for; the source is paused meanwhile.
        .set("message.timeout.ms", "0");
    config
}

/// An error of librdkafka about one property, which says the property's value: not a secret's.
pub fn unsaid(cause: KafkaError) -> KafkaError {
    match cause {
        KafkaError::ClientConfig(code, text, name, _) if is_secret(&name) => {
            KafkaError::ClientConfig(code, text, name, HIDDEN.to_owned())
        }
        cause => cause,
    }
}

fn layered(defaults: &[(&str, &str)], own: &Properties) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (key, value) in defaults {
        config.set(*key, *value);
    }
    for (key, value) in own {
        config.set(key, value);
    }
    config
}
