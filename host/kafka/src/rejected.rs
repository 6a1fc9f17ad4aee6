//! Rejected records: what happens to a message that its topic rejects.
//!
//! Kafka rejects by the batch: one record that is too large, or whose timestamp the
//! topic does not accept, takes its neighbours with it. So rejected records are sent
//! again by the single-record producer, which puts one message in each request. A record
//! rejected then is itself to blame: an output becomes a dead letter, a dead letter is sent
//! once more without what it carried.

use std::sync::{Arc, OnceLock, Weak};

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;

use super::client_errors::{ClientErrors, HasClientErrors};
use super::headers::{letter, owned};
use crate::events::RecordRejected;
use sandbar_record::AckHandle;
use sandbar_record::{Code, Failure};
use sandbar_record::{DEAD_LETTER_HEADERS, OutputHeaders};
use sandbar_telemetry::Stats;

/// What the producer carries along with each message.
pub(super) struct Delivery {
    pub(super) ack: Arc<AckHandle>,
    /// The record of the batch that the message comes from.
    pub(super) record: usize,
    pub(super) kind: MessageKind,
    /// Whether it was sent in a request of its own.
    pub(super) alone: bool,
}

/// What kind of message is in flight.
pub(super) enum MessageKind {
    /// A prediction or a transformed record.
    Output,
    /// A record that failed, with the cause.
    DeadLetter(Failure),
    /// A dead letter that carries nothing of the record.
    Notice,
}

/// Why a message was rejected for its content; `None` if the cause lies elsewhere.
pub(super) fn refusal(cause: &KafkaError) -> Option<Code> {
    match cause.rdkafka_error_code()? {
        RDKafkaErrorCode::MessageSizeTooLarge
        | RDKafkaErrorCode::InvalidMessageSize
        | RDKafkaErrorCode::MessageBatchTooLarge => Some(Code::TooLarge),
        RDKafkaErrorCode::InvalidRecord
        | RDKafkaErrorCode::InvalidDifferentRecord
        | RDKafkaErrorCode::InvalidTimestamp => Some(Code::Sink),
        _ => None,
    }
}

/// The single-record producer, created when it is first needed.
pub(super) struct SingleRecordProducer {
    config: ClientConfig,
    labels: Arc<OutputHeaders>,
    stats: Arc<Stats>,
    producer: OnceLock<ThreadedProducer<DeliveryReports>>,
}

impl SingleRecordProducer {
    /// With the properties of `config`, except for the size of its batches.
    pub(super) fn new(
        mut config: ClientConfig,
        labels: Arc<OutputHeaders>,
        stats: Arc<Stats>,
    ) -> Arc<Self> {
        config
            .set("batch.num.messages", "1")
            .set("linger.ms", "0")
            // What is queued here is bounded by what the source has in flight.
            .set("queue.buffering.max.messages", "0")
            .set("queue.buffering.max.kbytes", "2147483647");
        Arc::new(SingleRecordProducer { config, labels, stats, producer: OnceLock::new() })
    }

    fn producer(self: &Arc<Self>) -> Result<&ThreadedProducer<DeliveryReports>, KafkaError> {
        if let Some(producer) = self.producer.get() {
            return Ok(producer);
        }
        let reports = DeliveryReports::to(self);
        let made = self.config.create_with_context(reports).map_err(crate::config::unsaid)?;
        Ok(self.producer.get_or_init(|| made))
    }

    /// Takes a message that was rejected to its next form.
    fn take(
        self: &Arc<Self>,
        delivery: Delivery,
        message: &BorrowedMessage<'_>,
        cause: &KafkaError,
    ) {
        let topic = message.topic();
        let Some(code) = refusal(cause) else {
            return delivery.ack.broken(format!("topic '{topic}': {cause}"));
        };
        if !delivery.alone {
            let headers = message.headers().map(|headers| headers.detach());
            let content = (message.key(), message.payload(), message.timestamp().to_millis());
            return self.send(topic, content, headers, Delivery { alone: true, ..delivery });
        }
        let Delivery { ack, record: index, kind, alone } = delivery;
        let batch = ack.batch();
        let record = batch.record(index);
        match kind {
            MessageKind::Output => {
                let message = format!("topic '{topic}': record rejected: {cause}");
                let failure = Failure { record: index, stage: "sink".into(), code, message };
                RecordRejected { record, failure: &failure }.emit(&self.stats);
                let headers = letter(&self.labels, &record, &failure);
                let content = (record.key(), record.value(), record.timestamp());
                let kind = MessageKind::DeadLetter(failure);
                let delivery = Delivery { ack: ack.clone(), record: index, kind, alone };
                self.send(&self.labels.dead_letters, content, Some(headers), delivery);
            }
            MessageKind::DeadLetter(failure) => {
                let truncated = Header { key: "sandbar-truncated", value: Some("true") };
                let headers = owned(DEAD_LETTER_HEADERS + 1, self.labels.notice(&record, &failure));
                let headers = headers.insert(truncated);
                let kind = MessageKind::Notice;
                let delivery = Delivery { ack: ack.clone(), record: index, kind, alone };
                self.send(&self.labels.dead_letters, (None, None, None), Some(headers), delivery);
            }
            MessageKind::Notice => ack.broken(format!("topic '{topic}': {cause}")),
        }
    }

    fn send(
        self: &Arc<Self>,
        topic: &str,
        (key, value, timestamp): (Option<&[u8]>, Option<&[u8]>, Option<i64>),
        headers: Option<OwnedHeaders>,
        delivery: Delivery,
    ) {
        let producer = match self.producer() {
            Ok(producer) => producer,
            Err(cause) => return delivery.ack.broken(format!("topic '{topic}': {cause}")),
        };
        let mut record = BaseRecord::with_opaque_to(topic, Box::new(delivery));
        record.key = key;
        record.payload = value;
        record.timestamp = timestamp;
        record.headers = headers;
        if let Err((cause, back)) = producer.send(record) {
            back.delivery_opaque.ack.broken(format!("topic '{topic}': {cause}"));
        }
    }
}

/// Receives the delivery report of each message.
pub(super) struct DeliveryReports {
    alone: Weak<SingleRecordProducer>,
    client_errors: ClientErrors,
}

impl DeliveryReports {
    /// Rejected records go to `alone`.
    pub(super) fn to(alone: &Arc<SingleRecordProducer>) -> Self {
        DeliveryReports { alone: Arc::downgrade(alone), client_errors: ClientErrors::default() }
    }
}

impl HasClientErrors for DeliveryReports {
    fn client_errors(&self) -> &ClientErrors {
        &self.client_errors
    }
}

impl ClientContext for DeliveryReports {
    fn error(&self, error: KafkaError, reason: &str) {
        self.client_errors.hear("producer", &error, reason);
    }
}

impl ProducerContext for DeliveryReports {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Box<Delivery>) {
        let Err((cause, message)) = result else { return };
        match self.alone.upgrade() {
            Some(alone) => alone.take(*delivery, message, cause),
            // The sink is gone, and with it the receiver of this report.
            None => delivery.ack.broken(format!("topic '{}': {cause}", message.topic())),
        }
    }
}
