//! A best-effort producer for records that are written beside the stream. It never waits, and
//! what it cannot deliver is lost and counted: the stream has precedence.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};

use super::config::{Connection, producer};
use super::headers::owned;
use super::topics::PATIENCE;
use sandbar_record::{BestEffort, Output};
use sandbar_record::{OUTPUT_HEADERS, OutputHeaders};

/// Writes outputs to a topic that the pipeline does not otherwise use.
pub struct BestEffortProducer {
    producer: ThreadedProducer<Losses>,
    topic: String,
    labels: OutputHeaders,
    lost: Arc<AtomicU64>,
}

/// Counts the records that are not delivered.
struct Losses(Arc<AtomicU64>);

impl ClientContext for Losses {}

impl ProducerContext for Losses {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, message)) = result {
            use rdkafka::message::Message as _;
            tracing::debug!(%error, topic = message.topic(), "best-effort record not delivered, it is lost and counted");
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl BestEffortProducer {
    /// Creates the producer and checks that the topic exists.
    ///
    /// # Errors
    /// If it does not exist, or the brokers do not answer.
    pub fn new(
        connection: &Connection,
        topic: &str,
        labels: OutputHeaders,
    ) -> Result<Self, String> {
        let mut config = producer(connection);
        config
            // Nobody waits for its records, and few may be queued.
            .set("message.timeout.ms", "30000")
            .set("queue.buffering.max.kbytes", "8192")
            .set("enable.idempotence", "false");
        let lost = Arc::new(AtomicU64::new(0));
        let producer: ThreadedProducer<Losses> = config
            .create_with_context(Losses(lost.clone()))
            .map_err(crate::config::unsaid)
            .map_err(|error: KafkaError| error.to_string())?;
        let metadata = producer
            .client()
            .fetch_metadata(Some(topic), PATIENCE)
            .map_err(|error| error.to_string())?;
        match metadata.topics().iter().find_map(|found| found.error()) {
            Some(error) => {
                let code = rdkafka::types::RDKafkaErrorCode::from(error);
                Err(format!("{code}; create the topic, or name an existing one"))
            }
            None => Ok(BestEffortProducer { producer, topic: topic.to_owned(), labels, lost }),
        }
    }
}

impl BestEffort for BestEffortProducer {
    fn write(&self, output: &Output<'_>) {
        let record = &output.record;
        let count = record.headers().count() + OUTPUT_HEADERS;
        let mut message = BaseRecord::<[u8], [u8], _>::with_opaque_to(&self.topic, ())
            .headers(owned(count, self.labels.output(output)));
        (message.key, message.payload) = (record.key(), output.value);
        message.timestamp = record.timestamp();
        if self.producer.send(message).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    fn finish(&self, patience: Duration) {
        // What has not arrived by then is lost, like any other record that is not delivered.
        let _ = self.producer.flush(patience);
    }
}
