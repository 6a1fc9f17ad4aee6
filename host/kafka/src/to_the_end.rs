//! A topic as it is now: read to its current end, without a group.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

use super::client_errors::{self, Listener};
use super::config::{self, Connection};
use super::error::KafkaFailure;
use super::topics;
use sandbar_record::Shutdown;

/// A name for the consumer; it joins no group and commits nothing.
const GROUP: &str = "sandbar-reader";
/// How long one answer of the brokers may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// At the oldest record of each partition.
    Oldest,
    /// At an offset of this partition alone.
    At(i32, i64),
    /// With so many of the latest records of each partition, or fewer: offsets of transactions are
    /// none of records.
    Latest(i64),
}

/// Reads a topic to its current end, and passes records one by one until `take` wants no more.
/// `key` is what names the topic, for errors.
///
/// # Errors
/// If the brokers refuse this client, or the topic does not exist.
pub fn read(
    connection: &Connection,
    topic: &str,
    key: &'static str,
    begin: Begin,
    mut take: impl FnMut(&BorrowedMessage<'_>) -> bool,
) -> Result<(), KafkaFailure> {
    let mut config = config::consumer(connection, GROUP);
    config.set("enable.partition.eof", "true").remove("statistics.interval.ms");
    let consumer: BaseConsumer<Listener> = config
        .create_with_context(Listener::default())
        .map_err(config::unsaid)
        .map_err(|cause| KafkaFailure::Config { client: "consumer", cause })?;
    let brokers = &connection.brokers;
    // Before anything is assigned only errors can arrive.
    let listen = || client_errors::listen(|time| drop(consumer.poll(time)));
    topics::await_topic(consumer.client(), listen, brokers, topic, key, &Shutdown::default())?;

    let mut left = partitions(&consumer, topic, begin)?;
    while !left.is_empty() {
        match consumer.poll(PATIENCE) {
            Some(Ok(message)) => {
                let (partition, next) = (message.partition(), message.offset() + 1);
                let Some(end) = left.get(&partition).copied() else { continue };
                // What is behind the end was written meanwhile.
                if next <= end && !take(&message) {
                    return Ok(());
                }
                if next >= end {
                    left.remove(&partition);
                }
            }
            // The last offset before the end may be a transaction marker instead of a record.
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(left.remove(&partition)),
            Some(Err(error)) => {
                let code = error.rdkafka_error_code();
                if code.is_none_or(|code| topics::is_refusal(code) || topics::is_unknown(code)) {
                    return Err(KafkaFailure::Consumer(error));
                }
                tracing::warn!(client = "consumer", %error, "Kafka client error, the client retries");
            }
            None => return Err(silent()),
        }
    }
    Ok(())
}

/// Assigns the partitions to read, without a group. Returns them with their ends.
fn partitions(
    consumer: &BaseConsumer<Listener>,
    topic: &str,
    begin: Begin,
) -> Result<BTreeMap<i32, i64>, KafkaFailure> {
    let read = || {
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
        let mut list = TopicPartitionList::new();
        let mut left = BTreeMap::new();
        for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            let (low, end) = match begin {
                Begin::At(wanted, _) if wanted != partition.id() => continue,
                _ => consumer.fetch_watermarks(topic, partition.id(), PATIENCE)?,
            };
            let offset = match begin {
                Begin::Oldest => low,
                Begin::At(_, offset) => offset,
                Begin::Latest(count) => low.max(end.saturating_sub(count)),
            };
            if (low..end).contains(&offset) {
                list.add_partition_offset(topic, partition.id(), Offset::Offset(offset))?;
                left.insert(partition.id(), end);
            }
        }
        consumer.assign(&list)?;
        Ok(left)
    };
    read().map_err(KafkaFailure::Consumer)
}

fn silent() -> KafkaFailure {
    KafkaFailure::Consumer(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut))
}
