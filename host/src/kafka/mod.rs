//! Kafka at both ends of a pipeline.
//!
//! - [`config`]: the properties that librdkafka is given.
//! - [`source`]: polls the consumer; [`batcher`] forms batches for the workers;
//!   [`progress`] knows what is delivered and may be committed; [`group`] is what
//!   happens when partitions come and go.
//! - [`sink`]: the producer of predictions and of dead letters; `refusal` deals with
//!   what a topic does not take; `queue` is what waits in front of a producer.
//!   [`transactions`] and `treatments`: the same for exactly
//!   once.
//! - [`subscription`]: which topics are read; [`start`]: where in them a group begins.
//! - [`aside`]: a producer for what is written beside the stream.
//! - [`letters`]: dead letters, read back.
//! - [`topics`]: are the topics there? `complaints`: why does nobody answer?
//! - [`practice`]: a broker inside this process, for demonstrations and tests.

pub mod aside;
pub mod batcher;
pub(crate) mod complaints;
pub mod config;
pub mod group;
mod headers;
pub mod letters;
pub mod practice;
pub mod progress;
pub(crate) mod queue;
mod refusal;
pub mod sink;
pub mod source;
pub mod start;
pub mod subscription;
pub mod topics;
pub mod transactions;
mod treatments;

use thiserror::Error;

/// Why the runner cannot go on with Kafka.
#[derive(Debug, Error)]
pub enum KafkaFailure {
    /// librdkafka does not take its configuration.
    #[error("Kafka {client}: {cause}; correct the properties under [kafka], [source] or [sink]")]
    Config {
        /// `consumer` or `producer`.
        client: &'static str,
        /// librdkafka's words.
        cause: rdkafka::error::KafkaError,
    },
    /// A topic is not there.
    #[error(
        "topic '{topic}' does not exist on {brokers}: create it, or correct {key} in the manifest"
    )]
    NoTopic {
        /// The topic's name.
        topic: String,
        /// The brokers that were asked.
        brokers: String,
        /// The key of the manifest that names it.
        key: &'static str,
    },
    /// The broker refuses this client.
    #[error("the brokers at {brokers} refuse {what}: {cause}")]
    Refused {
        /// The brokers.
        brokers: String,
        /// What was tried.
        what: String,
        /// Kafka's reason.
        cause: rdkafka::types::RDKafkaErrorCode,
    },
    /// The brokers do not let this client in, or it does not trust them.
    #[error(
        "the brokers at {brokers} and this client do not come together: {reason}; correct \
         {properties} under [kafka] properties, or under those of [source] and [sink]"
    )]
    NoEntry {
        /// The brokers.
        brokers: String,
        /// What librdkafka says.
        reason: String,
        /// The properties that may be wrong.
        properties: &'static str,
    },
    /// `[source] start` names an offset that is not there yet.
    #[error(
        "[source] start: {topic}/{partition} begins at offset {offset}, but what is committed \
         there ends at {end}: correct the offset"
    )]
    NoOffset {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset.
        offset: i64,
        /// Behind the last record that can be read.
        end: i64,
    },
    /// What the pipeline writes comes back to it.
    #[error(
        "topic '{topic}' matches [source] topics and is written by this pipeline, which would \
         read what it writes, for ever: narrow the expression"
    )]
    Loop {
        /// The topic.
        topic: String,
    },
    /// Where the group begins cannot be found out or put down.
    #[error("where to begin in {partitions} could not be agreed with the brokers: {cause}")]
    NoStart {
        /// The partitions.
        partitions: String,
        /// librdkafka's words.
        cause: rdkafka::error::KafkaError,
    },
    /// The consumer cannot go on.
    #[error("reading from Kafka: {0}")]
    Consumer(rdkafka::error::KafkaError),
    /// The brokers give no transactional id.
    #[error(
        "exactly-once delivery: {0}; the brokers must allow transactional ids that begin with \
         the consumer group's name"
    )]
    Transactions(rdkafka::error::KafkaError),
    /// An output will never arrive. Its record's offset is not committed: the next
    /// start reads it again.
    #[error("{0}; nothing is committed from there on, the next start takes it up")]
    Undelivered(String),
}
