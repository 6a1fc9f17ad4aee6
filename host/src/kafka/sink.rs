//! The producer: predictions, routed records and dead letters.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, Headers as _, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;

use super::config::{Connection, producer};
use super::{KafkaFailure, topics};
use crate::failure::{Code, Failure};
use crate::pipeline::Shutdown;
use crate::pipeline::chain::Output;
use crate::pipeline::delivery::{Parcel, Ticket};
use crate::records::Record;

/// Header of an output: the model that made it, `name@version`.
pub const MODEL_HEADER: &str = "sandbar-model";

/// Where the outputs of a pipeline go. Shared by its workers.
pub struct Sink {
    producer: ThreadedProducer<Context>,
    brokers: String,
    pipeline: String,
    /// The sink's topic, then those that transformers route to.
    topics: Vec<String>,
    dead_letters: String,
    /// Of the model that makes the predictions.
    model: Option<String>,
}

/// What the sink must know of its pipeline.
pub struct SinkPlan {
    /// The pipeline's name.
    pub pipeline: String,
    /// The sink's topic, then those that transformers route to.
    pub topics: Vec<String>,
    /// The topic of dead letters.
    pub dead_letters: String,
    /// The model that makes the predictions, `name@version`.
    pub model: Option<String>,
}

impl Sink {
    /// Makes the producer. It connects by itself.
    ///
    /// # Errors
    /// Where librdkafka refuses its configuration.
    pub fn new(connection: &Connection, plan: SinkPlan) -> Result<Self, KafkaFailure> {
        let producer = producer(connection)
            .create_with_context(Context)
            .map_err(|cause| KafkaFailure::Config { client: "producer", cause })?;
        let SinkPlan { pipeline, topics, dead_letters, model } = plan;
        let brokers = connection.brokers.clone();
        Ok(Sink { producer, brokers, pipeline, topics, dead_letters, model })
    }

    /// Waits for the brokers and looks for the topics, each of which a broker may
    /// create when it is asked. `Ok(false)`: `shutdown` came first.
    ///
    /// # Errors
    /// As [`topics::await_topic`].
    pub fn await_topics(&self, shutdown: &Shutdown) -> Result<bool, KafkaFailure> {
        let routed = self.topics[1..].iter().map(|topic| (topic, "the stage's `topics`"));
        let all = [(&self.topics[0], "[sink] topic"), (&self.dead_letters, "[dead-letter] topic")];
        for (topic, key) in all.into_iter().chain(routed) {
            let client = self.producer.client();
            if !topics::await_topic(client, &self.brokers, topic, key, shutdown)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sends an output that came of the ticket's record at `origin`.
    pub fn output(&self, output: &Output<'_>, ticket: &Arc<Ticket>, origin: usize) {
        let record = &output.record;
        let mut headers = copy_headers(record, 1);
        if let Some(model) = self.model.as_deref().filter(|_| output.prediction) {
            headers = headers.insert(Header { key: MODEL_HEADER, value: Some(model) });
        }
        let parcel = Delivery { ticket: ticket.clone(), record: origin, what: Parcel::Output };
        let content = (record.key(), output.value, record.timestamp());
        self.send(&self.topics[output.topic], content, headers, parcel);
    }

    /// Sends the record that failed to the dead-letter topic: its own key, value,
    /// headers and timestamp, and headers that say where it came from and why it
    /// failed.
    pub fn dead_letter(&self, ticket: &Arc<Ticket>, failure: &Failure) {
        let record = ticket.batch().record(failure.record);
        let headers = self.describe(copy_headers(&record, 7), &record, failure);
        let content = (record.key(), record.value(), record.timestamp());
        let what = Parcel::DeadLetter;
        let parcel = Delivery { ticket: ticket.clone(), record: failure.record, what };
        self.send(&self.dead_letters, content, headers, parcel);
    }

    /// Sends a dead letter without what the record carried, after the topic refused
    /// it whole. Topic, partition and offset say where it can be found.
    pub fn notice(&self, ticket: &Arc<Ticket>, failure: &Failure) {
        let record = ticket.batch().record(failure.record);
        let headers = self.describe(OwnedHeaders::new_with_capacity(8), &record, failure);
        let truncated = Header { key: "sandbar-truncated", value: Some("true") };
        let parcel =
            Delivery { ticket: ticket.clone(), record: failure.record, what: Parcel::Notice };
        let content = (None, None, record.timestamp());
        self.send(&self.dead_letters, content, headers.insert(truncated), parcel);
    }

    fn describe(
        &self,
        headers: OwnedHeaders,
        record: &Record<'_>,
        failure: &Failure,
    ) -> OwnedHeaders {
        let text = |key, value| Header { key, value: Some(value) };
        headers
            .insert(text("sandbar-pipeline", self.pipeline.as_str()))
            .insert(text("sandbar-stage", &failure.stage))
            .insert(text("sandbar-code", failure.code.as_str()))
            .insert(text("sandbar-message", &failure.message))
            .insert(text("sandbar-topic", record.topic()))
            .insert(text("sandbar-partition", &record.partition().to_string()))
            .insert(text("sandbar-offset", &record.offset().to_string()))
    }

    /// Puts a message into the producer's queue; waits while that is full.
    fn send(
        &self,
        topic: &str,
        (key, value, timestamp): (Option<&[u8]>, Option<&[u8]>, Option<i64>),
        headers: OwnedHeaders,
        delivery: Delivery,
    ) {
        let mut record = BaseRecord::with_opaque_to(topic, Box::new(delivery));
        record.key = key;
        record.payload = value;
        record.timestamp = timestamp;
        if headers.count() > 0 {
            record.headers = Some(headers);
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => return,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    self.producer.poll(Duration::from_millis(10));
                }
                Err((cause, back)) => {
                    back.delivery_opaque.failed(topic, &cause);
                    return;
                }
            }
        }
    }

    /// Waits until the producer's queue is empty, for `patience` at the most.
    pub fn flush(&self, patience: Duration) {
        let _ = self.producer.flush(patience);
    }
}

fn copy_headers(record: &Record<'_>, more: usize) -> OwnedHeaders {
    let own = record.headers();
    let count = own.clone().count();
    own.fold(OwnedHeaders::new_with_capacity(count + more), |headers, (key, value)| {
        headers.insert(Header { key, value })
    })
}

/// What the producer carries along with each message.
/// See [`Sink::send`].
struct Delivery {
    ticket: Arc<Ticket>,
    record: usize,
    what: Parcel,
}

impl Delivery {
    /// Sorts out what happens with a record whose output was not accepted.
    fn failed(self, topic: &str, cause: &KafkaError) {
        let code = cause.rdkafka_error_code();
        let code = match code {
            Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize) => {
                Some(Code::TooLarge)
            }
            Some(RDKafkaErrorCode::InvalidRecord | RDKafkaErrorCode::InvalidTimestamp) => {
                Some(Code::Sink)
            }
            _ => None,
        };
        match code {
            Some(code) if self.what != Parcel::Notice => {
                let message = format!("topic '{topic}' refuses the record: {cause}");
                let failure = Failure { record: self.record, stage: "sink".into(), code, message };
                self.ticket.refused(failure, self.what);
            }
            _ => self.ticket.broken(format!("topic '{topic}': {cause}")),
        }
    }
}

struct Context;

impl ClientContext for Context {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "Kafka producer");
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Box<Delivery>) {
        if let Err((cause, message)) = result {
            delivery.failed(message.topic(), cause);
        }
    }
}
