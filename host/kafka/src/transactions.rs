//! Exactly once: the outputs of batches, and the offsets behind them, in one transaction.
//!
//! Each worker has a producer with a transactional id of its own. A transaction that
//! cannot be committed is aborted, and its batches, which are still in memory, are
//! processed again. Offsets are sent with the group's metadata: the broker refuses those of
//! a runner that has lost its partitions meanwhile.
//!
//! A rejected record fails the whole transaction; what is done about it is in
//! `redelivery`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::Producer;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

use super::config::{Connection, transactional};
use super::error::KafkaFailure;
use super::group::Group;
use super::headers::{letter, owned};
use super::queue::{Content, put};
use super::redelivery::{Fallback, OutputPosition, Redeliveries, Redelivery};
use super::topics;
use super::transactional_producer::{PATIENCE, PAUSE, TransactionalProducer};
use sandbar_record::AckHandle;
use sandbar_record::Failure;
use sandbar_record::Output;
use sandbar_record::Shutdown;
use sandbar_record::{DEAD_LETTER_HEADERS, OUTPUT_HEADERS, OutputHeaders};

pub use super::transaction_error::TransactionError;

/// The transactions of one worker, and its messages in them.
pub struct Transactions {
    producer: TransactionalProducer,
    brokers: String,
    labels: Arc<OutputHeaders>,
    /// How messages that were rejected in an earlier attempt are redelivered.
    redeliveries: Redeliveries,
    /// The topic of a message of the open transaction that the producer did not even accept,
    /// and why.
    spoilt: Option<(String, KafkaError)>,
    /// Whether the producer's sequence numbers are off: messages that are rejected leave a
    /// gap, over which it stumbles in the next transaction.
    stale: bool,
    /// Whether the coordinator was asked to commit the last transaction, so that it may have
    /// done so, whatever the answer was.
    asked: bool,
}

impl Transactions {
    /// Creates the producer of one worker, with an id that no other has. `abandoned` is set
    /// when nothing more is to be delivered.
    ///
    /// # Errors
    /// If librdkafka rejects its configuration.
    pub fn new(
        connection: &Connection,
        id: &str,
        labels: Arc<OutputHeaders>,
        abandoned: Arc<AtomicBool>,
    ) -> Result<Self, KafkaFailure> {
        Ok(Transactions {
            producer: TransactionalProducer::new(transactional(connection, id), abandoned)?,
            brokers: connection.brokers.clone(),
            labels,
            redeliveries: Redeliveries::default(),
            spoilt: None,
            stale: false,
            asked: false,
        })
    }

    /// Waits for the brokers, checks the topics, and claims the transactional id.
    /// `Ok(false)`: `shutdown` came first.
    ///
    /// # Errors
    /// As [`topics::await_topic`], or where the brokers refuse the id.
    pub fn start(&self, shutdown: &Shutdown) -> Result<bool, KafkaFailure> {
        let client = self.producer.client().client();
        if !topics::await_written(client, &self.brokers, &self.labels, shutdown)? {
            return Ok(false);
        }
        self.producer.claim(shutdown)
    }

    /// How long a transaction may be open before the brokers end it.
    pub fn timeout(&self) -> Duration {
        self.producer.timeout()
    }

    /// Whether remaining work is pointless.
    pub fn is_abandoned(&self) -> bool {
        self.producer.is_abandoned()
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// If the run cannot go on.
    pub fn begin(&mut self) -> Result<(), TransactionError> {
        self.spoilt = None;
        self.asked = false;
        self.producer.begin()
    }

    /// Sends an output of the batch; `number` is how many messages of the batch were sent
    /// before.
    pub fn output(&mut self, ack: &AckHandle, number: usize, output: &Output<'_>) {
        let place = OutputPosition { sequence: ack.sequence(), number };
        match self.redeliveries.of(place) {
            Some(Redelivery { instead: Fallback::Letter | Fallback::Notice, code, message }) => {
                let (code, message) = (*code, message.clone());
                let record = output.origin;
                let failure = Failure { record, stage: "sink".into(), code, message };
                self.dead_letter(ack, number, &failure);
            }
            treatment => {
                let alone = treatment.is_some();
                let record = &output.record;
                let headers =
                    owned(record.headers().count() + OUTPUT_HEADERS, self.labels.output(output));
                let content = (record.key(), output.value, record.timestamp());
                let labels = self.labels.clone();
                self.send(labels.topic(output), content, headers, place, alone);
            }
        }
    }

    /// Sends the record that failed to the dead-letter topic.
    pub fn dead_letter(&mut self, ack: &AckHandle, number: usize, failure: &Failure) {
        let place = OutputPosition { sequence: ack.sequence(), number };
        let record = ack.batch().record(failure.record);
        let treatment = self.redeliveries.of(place);
        let (headers, content) = match treatment {
            Some(Redelivery { instead: Fallback::Notice, .. }) => {
                let truncated = Header { key: "sandbar-truncated", value: Some("true") };
                let headers = owned(DEAD_LETTER_HEADERS + 1, self.labels.notice(&record, failure));
                (headers.insert(truncated), (None, None, None))
            }
            _ => {
                let content = (record.key(), record.value(), record.timestamp());
                (letter(&self.labels, &record, failure), content)
            }
        };
        let (labels, alone) = (self.labels.clone(), treatment.is_some());
        self.send(&labels.dead_letters, content, headers, place, alone);
    }

    /// Commits what was sent, and the offsets behind the batches of `acks`.
    ///
    /// # Errors
    /// If that fails; then the transaction must be aborted.
    pub fn commit(
        &mut self,
        group: &Group,
        acks: &[Arc<AckHandle>],
    ) -> Result<(), TransactionError> {
        self.flush()?;
        // First the metadata, then whether the partitions are ours: what the group decides
        // after the metadata was read makes the broker refuse the offsets.
        let Some(metadata) = group.metadata() else {
            return Err(TransactionError::Again(
                "this runner is not a member of its consumer group".into(),
            ));
        };
        if !acks.iter().all(|ack| group.owns(ack)) {
            return Err(TransactionError::Disowned);
        }
        self.producer.send_offsets(&offsets(acks), &metadata)?;
        self.asked = true;
        self.producer.commit()?;
        self.redeliveries.clear();
        Ok(())
    }

    /// Aborts the open transaction. A producer that can no longer be used is replaced by one of
    /// the same id, which ends what the old one left open.
    ///
    /// # Errors
    /// If the run cannot go on.
    pub fn abort(&mut self) -> Result<(), TransactionError> {
        if !std::mem::take(&mut self.stale) {
            match self.producer.abort() {
                Ok(()) => return Ok(()),
                Err(trouble) => tracing::warn!(
                    error = %trouble,
                    "cannot abort the transaction, replacing the producer"
                ),
            }
        }
        self.producer.renew()
    }

    /// Whether the transaction that [`Transactions::commit`] failed at was committed all the
    /// same: a coordinator that goes away may have committed it before. Its offsets tell,
    /// once it has been aborted or its producer replaced, which waits for its end.
    ///
    /// # Errors
    /// Where nobody wants to know any more.
    pub fn was_committed(
        &mut self,
        group: &Group,
        acks: &[Arc<AckHandle>],
    ) -> Result<bool, TransactionError> {
        if !self.asked {
            return Ok(false);
        }
        let expected = offsets(acks);
        while !self.is_abandoned() {
            match group.has_committed(&expected, PATIENCE) {
                Ok(committed) => {
                    if committed {
                        self.redeliveries.clear();
                    }
                    return Ok(committed);
                }
                Err(error) => {
                    tracing::warn!(%error, "outcome of a transaction not known yet, retrying")
                }
            }
            std::thread::sleep(PAUSE);
        }
        Err(TransactionError::Hopeless(
            "stopped before the outcome of a transaction was known".into(),
        ))
    }

    /// Waits until every message has arrived.
    fn flush(&mut self) -> Result<(), TransactionError> {
        while let Err(error) = self.arrive() {
            if !is_late(&error) || self.is_abandoned() {
                return Err(TransactionError::Again(error.to_string()));
            }
        }
        let undelivered = std::mem::take(&mut *self.producer.undelivered());
        if let Some(first) = undelivered.first() {
            let message = format!("topic '{}': {}", first.topic, first.cause);
            let letters = &self.labels.dead_letters;
            let refused =
                self.redeliveries.add(undelivered, letters).map_err(TransactionError::Hopeless)?;
            self.stale |= refused;
            return Err(TransactionError::Again(message));
        }
        match self.spoilt.take() {
            // A deleted topic does not come back by waiting.
            Some((topic, error)) if error.rdkafka_error_code().is_some_and(topics::is_unknown) => {
                Err(TransactionError::Hopeless(format!("topic '{topic}': {error}")))
            }
            Some((_, error)) => Err(self.producer.sort(error)),
            None => Ok(()),
        }
    }

    /// Puts a message into the producer's queue, if `alone` after what is in it is delivered.
    fn send(
        &mut self,
        topic: &str,
        content: Content<'_>,
        headers: OwnedHeaders,
        place: OutputPosition,
        alone: bool,
    ) {
        if self.spoilt.is_some() {
            return;
        }
        if alone {
            self.settle();
        }
        let wanted = || !self.is_abandoned();
        let put = put(self.producer.client(), topic, content, headers, Box::new(place), wanted);
        if let Err((cause, _)) = put {
            self.spoilt = Some((topic.to_owned(), cause));
        } else if alone {
            self.settle();
        }
    }

    /// Waits for what is in flight, so that the next message shares no request with it.
    /// Whether it was delivered is checked at the end.
    fn settle(&self) {
        while !self.is_abandoned() && self.arrive().is_err() {
            if !self.producer.undelivered().is_empty() {
                return;
            }
        }
    }

    /// Waits for what is in flight, for [`PATIENCE`] at most.
    fn arrive(&self) -> KafkaResult<()> {
        self.producer.client().flush(PATIENCE).inspect_err(|error| {
            if is_late(error) {
                let messages = self.producer.client().in_flight_count();
                tracing::warn!(messages, "messages of a transaction not acknowledged yet, waiting");
            }
        })
    }
}

fn is_late(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::OperationTimedOut)
}

/// Behind the last record of each partition.
fn offsets(acks: &[Arc<AckHandle>]) -> TopicPartitionList {
    let mut next: HashMap<(&str, i32), i64> = HashMap::new();
    for ack in acks {
        let batch = ack.batch();
        let Some(last) = batch.offsets.last() else { continue };
        let offset = next.entry((&batch.topic, batch.partition)).or_default();
        *offset = (*offset).max(last + 1);
    }
    let mut list = TopicPartitionList::new();
    for ((topic, partition), offset) in next {
        // It rejects only offsets that no record has.
        let _ = list.add_partition_offset(topic, partition, Offset::Offset(offset));
    }
    list
}
