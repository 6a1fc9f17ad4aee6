//! The producer: predictions, routed records and dead letters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{Producer, ThreadedProducer};

use super::config::{Connection, producer};
use super::error::KafkaFailure;
use super::headers::{letter, owned};
use super::queue::{Content, put};
use super::rejected::{Delivery, DeliveryReports, MessageKind, SingleRecordProducer};
use super::topics;
use sandbar_record::AckHandle;
use sandbar_record::Failure;
use sandbar_record::Output;
use sandbar_record::Shutdown;
use sandbar_record::{OUTPUT_HEADERS, OutputHeaders};
use sandbar_telemetry::Stats;

/// Where the outputs of a pipeline go. Shared by its workers.
pub struct KafkaSink {
    producer: ThreadedProducer<DeliveryReports>,
    /// For what the topics reject.
    _alone: Arc<SingleRecordProducer>,
    brokers: String,
    labels: Arc<OutputHeaders>,
    /// Set when nothing more is to be delivered.
    abandoned: Arc<AtomicBool>,
}

impl KafkaSink {
    /// Creates the producer. It connects by itself.
    ///
    /// # Errors
    /// If librdkafka rejects its configuration.
    pub fn new(
        connection: &Connection,
        labels: OutputHeaders,
        stats: &Arc<Stats>,
        abandoned: Arc<AtomicBool>,
    ) -> Result<Self, KafkaFailure> {
        let (config, labels) = (producer(connection), Arc::new(labels));
        let alone = SingleRecordProducer::new(config.clone(), labels.clone(), stats.clone());
        let producer = config
            .create_with_context(DeliveryReports::to(&alone))
            .map_err(crate::config::unsaid)
            .map_err(|cause| KafkaFailure::Config { client: "producer", cause })?;
        let brokers = connection.brokers.clone();
        Ok(KafkaSink { producer, _alone: alone, brokers, labels, abandoned })
    }

    /// Whether what is not delivered yet is given up: remaining work is pointless, and
    /// nobody waits for room in the queue any more.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// Waits for the brokers and checks the topics. `Ok(false)`: `shutdown` came first.
    ///
    /// # Errors
    /// As [`topics::await_topic`].
    pub fn await_topics(&self, shutdown: &Shutdown) -> Result<bool, KafkaFailure> {
        topics::await_written(self.producer.client(), &self.brokers, &self.labels, shutdown)
    }

    /// Sends an output of the batch.
    pub fn output(&self, output: &Output<'_>, ack: &Arc<AckHandle>) {
        let record = &output.record;
        let headers = owned(record.headers().count() + OUTPUT_HEADERS, self.labels.output(output));
        let content = (record.key(), output.value, record.timestamp());
        let delivery = Delivery {
            ack: ack.clone(),
            record: output.origin,
            kind: MessageKind::Output,
            alone: false,
        };
        self.send(self.labels.topic(output), content, headers, delivery);
    }

    /// Sends the record that failed to the dead-letter topic: its own key, value,
    /// headers and timestamp, and headers that say where it came from and why it
    /// failed.
    pub fn dead_letter(&self, ack: &Arc<AckHandle>, failure: &Failure) {
        let record = ack.batch().record(failure.record);
        let headers = letter(&self.labels, &record, failure);
        let content = (record.key(), record.value(), record.timestamp());
        let delivery = Delivery {
            ack: ack.clone(),
            record: failure.record,
            kind: MessageKind::DeadLetter(failure.clone()),
            alone: false,
        };
        self.send(&self.labels.dead_letters, content, headers, delivery);
    }

    fn send(&self, topic: &str, content: Content<'_>, headers: OwnedHeaders, delivery: Delivery) {
        let wanted = || !self.is_abandoned();
        let put = put(&self.producer, topic, content, headers, Box::new(delivery), wanted);
        if let Err((cause, delivery)) = put {
            delivery.ack.broken(format!("topic '{topic}': {cause}"));
        }
    }
}
