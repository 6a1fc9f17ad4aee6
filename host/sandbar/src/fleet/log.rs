//! The control topic, read from its beginning, without a consumer group.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

use super::error::FleetError;
use super::record::{Entry, FleetName};
use sandbar_kafka::client_errors;
use sandbar_kafka::client_errors::{ClientErrors, HasClientErrors};
use sandbar_kafka::config;
use sandbar_kafka::config::Connection;
use sandbar_kafka::{KafkaFailure, topics};
use sandbar_model::http::Runtime;
use sandbar_record::Shutdown;

/// A name for the consumer; it joins no group and commits nothing.
const GROUP: &str = "sandbar-fleet";
/// How long one answer of the brokers may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time between two checks of a condition that is waited for.
const PAUSE: Duration = Duration::from_millis(20);
/// The key of the manifest that names it.
const KEY: &str = "[fleet] topic";

/// A reader of the topic.
pub(super) struct Log {
    consumer: BaseConsumer<ErrorLog>,
    connection: Connection,
    topic: String,
    fleet: FleetName,
}

/// The result of reading the topic.
pub(super) enum Read {
    /// A record.
    Entry(Entry),
    /// All that there is now has been read.
    End,
    /// Nothing came.
    Nothing,
    /// A transient error.
    Trouble(KafkaError),
}

impl Log {
    /// A reader; no request is sent to the brokers yet.
    ///
    /// # Errors
    /// If librdkafka refuses its configuration.
    pub(super) fn new(
        connection: &Connection,
        topic: &str,
        fleet: &FleetName,
    ) -> Result<Self, FleetError> {
        let mut config = config(connection);
        config.set("isolation.level", "read_committed").set("enable.partition.eof", "true");
        let consumer = config
            .create_with_context(ErrorLog::default())
            .map_err(config::unsaid)
            .map_err(|cause| KafkaFailure::Config { client: "consumer", cause })?;
        let (connection, topic, fleet) = (connection.clone(), topic.to_owned(), fleet.clone());
        Ok(Log { consumer, connection, topic, fleet })
    }

    /// Waits for the brokers, and checks the settings of the topic. `Ok(false)`:
    /// `shutdown` came first.
    ///
    /// # Errors
    /// If they are wrong, or the brokers refuse this client.
    pub(super) fn check(&self, shutdown: &Shutdown) -> Result<bool, FleetError> {
        let (client, brokers) = (self.consumer.client(), &self.connection.brokers);
        // Before anything is assigned only errors can arrive.
        let listen = || client_errors::listen(|time| drop(self.consumer.poll(time)));
        match topics::await_topic(client, listen, brokers, &self.topic, KEY, shutdown) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(KafkaFailure::NoTopic { .. }) => return Err(self.wrong("does not exist")),
            Err(error) => return Err(error.into()),
        }
        let metadata = client.fetch_metadata(Some(&self.topic), PATIENCE)?;
        let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        if partitions != 1 {
            return Err(self.wrong(&format!(
                "has {partitions} partitions, expected 1: changes are ordered within one partition only"
            )));
        }
        match self.policy() {
            Ok(Some(policy)) if policy != "compact" => Err(self.wrong(&format!(
                "has cleanup.policy={policy}, expected compact: changes would be deleted"
            ))),
            Ok(_) => Ok(true),
            // A client without the right to read settings may still read records.
            Err(reason) => {
                tracing::debug!(topic = self.topic, error = %reason, "cannot read cleanup.policy, assuming compact");
                Ok(true)
            }
        }
    }

    fn wrong(&self, problem: &str) -> FleetError {
        FleetError::Topic {
            topic: self.topic.clone(),
            brokers: self.connection.brokers.clone(),
            problem: problem.to_owned(),
        }
    }

    /// The topic's cleanup.policy, if the brokers tell.
    fn policy(&self) -> Result<Option<String>, String> {
        let mut config = config(&self.connection);
        config.remove("group.id");
        let admin: AdminClient<DefaultClientContext> =
            config.create().map_err(config::unsaid).map_err(|error| error.to_string())?;
        let runtime = Runtime::start().map_err(|error| error.to_string())?;
        let options = AdminOptions::new().request_timeout(Some(PATIENCE));
        let topics = [ResourceSpecifier::Topic(&self.topic)];
        let answer = runtime.handle().block_on(admin.describe_configs(&topics, &options));
        let mut answer = answer.map_err(|error| error.to_string())?;
        let resource = answer.pop().ok_or("no answer")?.map_err(|error| error.to_string())?;
        let entry = resource.entries.into_iter().find(|entry| entry.name == "cleanup.policy");
        Ok(entry.and_then(|entry| entry.value))
    }

    /// Begins with the first record.
    pub(super) fn begin(&self) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, 0, Offset::Beginning)?;
        self.consumer.assign(&list)
    }

    /// What comes next, after waiting for it.
    pub(super) fn read(&self, patience: Duration) -> Read {
        match self.consumer.poll(patience) {
            Some(Ok(message)) => Read::Entry(self.fleet.read(message.key(), message.payload())),
            Some(Err(KafkaError::PartitionEOF(_))) => Read::End,
            Some(Err(error)) => Read::Trouble(error),
            None => Read::Nothing,
        }
    }

    /// Reads everything that was written before this call, and passes it on.
    ///
    /// # Errors
    /// If that is not done by `end`.
    pub(super) fn read_all(&self, end: Instant, mut take: impl FnMut(Entry)) -> Result<(), String> {
        // The end of the topic, also behind what may not be read yet: another fleet's
        // transaction may be open, and hide what was committed after it began.
        let mut config = config(&self.connection);
        config.set("isolation.level", "read_uncommitted");
        let all: BaseConsumer =
            config.create().map_err(config::unsaid).map_err(|error| error.to_string())?;
        let watermark = |end: KafkaResult<(i64, i64)>| end.map(|(_, end)| end);
        let mut trouble = String::new();
        let mut insist = |ask: &dyn Fn() -> KafkaResult<i64>, expected: i64| {
            while Instant::now() < end {
                match ask() {
                    Ok(found) if found >= expected => return Some(found),
                    Ok(_) => trouble = "a transaction of another producer is open".to_owned(),
                    Err(error) => trouble = error.to_string(),
                }
                std::thread::sleep(PAUSE);
            }
            None
        };
        let last = insist(&|| watermark(all.fetch_watermarks(&self.topic, 0, PATIENCE)), 0);
        let visible = |expected| {
            insist(
                &|| watermark(self.consumer.fetch_watermarks(&self.topic, 0, PATIENCE)),
                expected,
            )
        };
        if last.and_then(visible).is_none() {
            return Err(trouble);
        }
        self.begin().map_err(|error| error.to_string())?;
        while Instant::now() < end {
            match self.read(PAUSE) {
                Read::Entry(entry) => take(entry),
                Read::End => return Ok(()),
                Read::Nothing => {}
                Read::Trouble(error) => trouble = error.to_string(),
            }
        }
        Err(trouble)
    }
}

/// The configuration of whatever reads.
fn config(connection: &Connection) -> ClientConfig {
    let mut config = config::consumer(connection, GROUP);
    config
        .remove("statistics.interval.ms")
        // A reader that waits for a change waits for a single record.
        .set("fetch.min.bytes", "1");
    config
}

/// Hears why no broker answers.
#[derive(Default)]
struct ErrorLog(ClientErrors);

impl HasClientErrors for ErrorLog {
    fn client_errors(&self) -> &ClientErrors {
        &self.0
    }
}

impl ClientContext for ErrorLog {
    fn error(&self, error: KafkaError, reason: &str) {
        // The end of the partition is reported here too, and is no error.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF) {
            return;
        }
        self.0.hear("control topic's consumer", &error, reason);
    }
}

impl ConsumerContext for ErrorLog {}
