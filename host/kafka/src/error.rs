//! Why the runner cannot go on with Kafka.

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
