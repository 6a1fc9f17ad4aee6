//! Why the runner cannot go on with Kafka.

use thiserror::Error;

/// Why the runner cannot go on with Kafka.
#[derive(Debug, Error)]
pub enum KafkaFailure {
    /// librdkafka rejects its configuration.
    #[error("Kafka {client}: {cause}; correct the properties under [kafka], [source] or [sink]")]
    Config {
        /// `consumer` or `producer`.
        client: &'static str,
        /// librdkafka's message.
        cause: rdkafka::error::KafkaError,
    },
    /// A topic does not exist.
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
    #[error("brokers {brokers}: access to {what} denied: {cause}")]
    Refused {
        /// The brokers.
        brokers: String,
        /// What was requested.
        what: String,
        /// Kafka's reason.
        cause: rdkafka::types::RDKafkaErrorCode,
    },
    /// No broker answers.
    #[error("brokers {brokers}: none answers: {cause}; correct --brokers or [kafka] brokers")]
    Silent {
        /// The brokers that were asked.
        brokers: String,
        /// librdkafka's message.
        cause: rdkafka::error::KafkaError,
    },
    /// The connection or the authentication failed.
    #[error(
        "brokers {brokers}: connection or authentication failed: {reason}; correct \
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
    /// `[source] start` names an offset that does not exist yet.
    #[error(
        "[source] start: {topic}/{partition}: offset {offset} is beyond the end of what is \
         committed there, {end}: correct the offset"
    )]
    NoOffset {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset.
        offset: i64,
        /// The offset behind the last record that can be read.
        end: i64,
    },
    /// The group goes on at an offset that does not exist.
    #[error(
        "{topic}/{partition}: the group's offset {offset} is beyond the end of the partition, \
         {end}: the topic was created anew or has lost records; with exactly-once delivery none may \
         be processed twice: set the group's offset with kafka-consumer-groups --reset-offsets, or \
         name another [source] group"
    )]
    Beyond {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset.
        offset: i64,
        /// The offset behind the last record that can be read.
        end: i64,
    },
    /// The pipeline would read what it writes.
    #[error(
        "topic '{topic}': matches [source] topics and is also written by this pipeline, which \
         would read its own output in an endless loop: narrow the expression"
    )]
    Loop {
        /// The topic.
        topic: String,
    },
    /// The start offsets of a group cannot be determined or committed.
    #[error("cannot determine the start offset of {partitions}: {cause}")]
    NoStart {
        /// The partitions.
        partitions: String,
        /// librdkafka's message.
        cause: rdkafka::error::KafkaError,
    },
    /// The consumer cannot go on.
    #[error("Kafka consumer: {0}")]
    Consumer(rdkafka::error::KafkaError),
    /// The brokers assign no transactional id.
    #[error(
        "exactly-once delivery: cannot initialise transactions: {0}; the brokers must allow \
         transactional ids that begin with the consumer group's name"
    )]
    Transactions(rdkafka::error::KafkaError),
    /// An output cannot be delivered. Its record's offset is not committed: the next run
    /// reprocesses it.
    #[error("{0}; nothing from there on is committed, the next run reprocesses it")]
    Undelivered(String),
}
