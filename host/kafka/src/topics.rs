//! Do the topics exist? Asked once, before anything runs, so that a typing error
//! ends with a name instead of with silence. And which are there at all.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::client::Client;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::MetadataTopic;
use rdkafka::types::RDKafkaErrorCode;

use super::client_errors::{self, HasClientErrors, Listener};
use super::config::{self, Connection};
use super::error::KafkaFailure;
use sandbar_record::OutputHeaders;
use sandbar_record::Shutdown;

/// How long one request may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long a broker may take that creates topics on request.
const CREATION: Duration = Duration::from_secs(10);
/// The time between two requests.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// Waits until the brokers answer and `topic` exists. `key` is the key of the
/// manifest that names it; `listen` makes sure that the client receives its errors.
///
/// # Errors
/// If the topic does not exist, or the brokers refuse this client. Brokers that
/// do not answer are waited for until `shutdown`: `Ok(false)`.
pub fn await_topic<C: HasClientErrors>(
    client: &Client<C>,
    listen: impl Fn(),
    brokers: &str,
    topic: &str,
    key: &'static str,
    shutdown: &Shutdown,
) -> Result<bool, KafkaFailure> {
    let mut unknown_since: Option<Instant> = None;
    while !shutdown.requested() {
        let code = match client.fetch_metadata(Some(topic), PATIENCE) {
            Ok(metadata) => match metadata.topics().iter().find_map(|found| found.error()) {
                None => return Ok(true),
                Some(error) => RDKafkaErrorCode::from(error),
            },
            Err(KafkaError::MetadataFetch(code)) => code,
            Err(cause) => return Err(KafkaFailure::Consumer(cause)),
        };
        if is_refusal(code) {
            let (brokers, what) = (brokers.to_owned(), format!("topic '{topic}' ({key})"));
            return Err(KafkaFailure::Refused { brokers, what, cause: code });
        }
        if is_unknown(code) {
            if unknown_since.get_or_insert_with(Instant::now).elapsed() > CREATION {
                let (topic, brokers) = (topic.to_owned(), brokers.to_owned());
                return Err(KafkaFailure::NoTopic { topic, brokers, key });
            }
            shutdown.wait(PAUSE);
            continue;
        }
        listen();
        if let Some(refusal) = client.context().client_errors().refusal(brokers) {
            return Err(refusal);
        }
        tracing::warn!(brokers, topic, error = %code, "brokers not reachable yet, retrying");
        shutdown.wait(PAUSE);
    }
    Ok(false)
}

/// The same for all topics that a pipeline writes, each of which a broker may create on
/// request.
///
/// # Errors
/// As [`await_topic`].
pub fn await_written<C: HasClientErrors>(
    client: &Client<C>,
    brokers: &str,
    labels: &OutputHeaders,
    shutdown: &Shutdown,
) -> Result<bool, KafkaFailure> {
    let OutputHeaders { topics, named_by, dead_letters, .. } = labels;
    let written = topics.iter().zip(named_by.iter().copied());
    for (topic, key) in written.chain([(dead_letters, "[dead-letter] topic")]) {
        // A producer receives its errors on a thread of its own.
        if !await_topic(client, || (), brokers, topic, key, shutdown)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A topic as the brokers have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Existing {
    /// Its partitions.
    pub partitions: usize,
    /// Replicas of its first partition.
    pub replication: usize,
}

/// All topics that this client may see. Asking creates none, whatever the brokers do on request.
///
/// # Errors
/// If the brokers refuse this client, or none answers within 15 seconds.
pub fn existing(connection: &Connection) -> Result<BTreeMap<String, Existing>, KafkaFailure> {
    let mut config = config::consumer(connection, "sandbar-topics");
    config.remove("statistics.interval.ms");
    let consumer: BaseConsumer<Listener> = config
        .create_with_context(Listener::default())
        .map_err(config::unsaid)
        .map_err(|cause| KafkaFailure::Config { client: "consumer", cause })?;
    let begun = Instant::now();
    let metadata = loop {
        match consumer.fetch_metadata(None, PATIENCE) {
            Ok(metadata) => break metadata,
            Err(cause) => {
                client_errors::listen(|time| drop(consumer.poll(time)));
                let heard = consumer.context().client_errors();
                if let Some(refusal) = heard.refusal(&connection.brokers) {
                    return Err(refusal);
                }
                if begun.elapsed() > CREATION {
                    let brokers = connection.brokers.clone();
                    return Err(KafkaFailure::Silent { brokers, cause });
                }
            }
        }
    };
    let topic = |topic: &MetadataTopic| {
        let first = topic.partitions().first();
        let replication = first.map_or(0, |partition| partition.replicas().len());
        let existing = Existing { partitions: topic.partitions().len(), replication };
        (topic.name().to_owned(), existing)
    };
    Ok(metadata.topics().iter().filter(|topic| topic.error().is_none()).map(topic).collect())
}

/// Whether waiting does not help: this client's identity is refused.
pub(super) fn is_refusal(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::InvalidTopic
    )
}

/// Whether a topic does not exist.
pub(super) fn is_unknown(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition
    )
}
