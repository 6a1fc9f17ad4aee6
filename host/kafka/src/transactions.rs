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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{Producer, PurgeConfig, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

use super::config::{Connection, transactional};
use super::delivery_reports::DeliveryReports;
use super::error::KafkaFailure;
use super::group::Group;
use super::headers::{letter, owned};
use super::queue::{Content, put};
use super::redelivery::{Fallback, OutputPosition, Redeliveries, Redelivery, Undelivered};
use super::topics;
use sandbar_record::AckHandle;
use sandbar_record::Failure;
use sandbar_record::Output;
use sandbar_record::Shutdown;
use sandbar_record::{DEAD_LETTER_HEADERS, OUTPUT_HEADERS, OutputHeaders};

pub use super::transaction_error::TransactionError;

/// How long one request to the transaction's coordinator may take before checking whether
/// somebody still wants it.
const PATIENCE: Duration = Duration::from_secs(5);
/// librdkafka's `transaction.timeout.ms`, in milliseconds.
const DEFAULT_TIMEOUT: u64 = 60_000;
/// How long purging the messages of an abandoned transaction may take.
const LEFTOVERS: Duration = Duration::from_secs(1);
/// How soon a coordinator answers that it has ended a transaction. An answer that takes longer,
/// or an error meanwhile: the request may have been sent more than once.
const ANSWERED: Duration = Duration::from_secs(1);
/// The time between two attempts at something that may be transient.
const PAUSE: Duration = Duration::from_millis(50);

/// The producer of one worker.
pub struct Transactions {
    config: ClientConfig,
    producer: ThreadedProducer<DeliveryReports>,
    brokers: String,
    labels: Arc<OutputHeaders>,
    /// Set when nothing more is to be delivered.
    abandoned: Arc<AtomicBool>,
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
    /// How the coordinator was asked to end the last transaction.
    ending: Option<Ending>,
}

/// How the coordinator was asked to end a transaction.
#[derive(Clone, Copy)]
struct Ending {
    /// The producer's errors before that.
    errors: u64,
    /// How long the answer took.
    took: Duration,
}

impl Transactions {
    /// Creates the producer of one worker, with an id that no other has.
    ///
    /// # Errors
    /// If librdkafka rejects its configuration.
    pub fn new(
        connection: &Connection,
        id: &str,
        labels: Arc<OutputHeaders>,
        abandoned: Arc<AtomicBool>,
    ) -> Result<Self, KafkaFailure> {
        let config = transactional(connection, id);
        let producer = make(&config)?;
        Ok(Transactions {
            config,
            producer,
            brokers: connection.brokers.clone(),
            labels,
            abandoned,
            redeliveries: Redeliveries::default(),
            spoilt: None,
            stale: false,
            asked: false,
            ending: None,
        })
    }

    /// Waits for the brokers, checks the topics, and claims the transactional id.
    /// `Ok(false)`: `shutdown` came first.
    ///
    /// # Errors
    /// As [`topics::await_topic`], or where the brokers refuse the id.
    pub fn start(&self, shutdown: &Shutdown) -> Result<bool, KafkaFailure> {
        if !topics::await_written(self.producer.client(), &self.brokers, &self.labels, shutdown)? {
            return Ok(false);
        }
        while !shutdown.requested() {
            let Err(error) = self.producer.init_transactions(PATIENCE) else { return Ok(true) };
            if !is_retriable(&error) {
                return Err(KafkaFailure::Transactions(error));
            }
            tracing::warn!(%error, "cannot initialise transactions yet, retrying");
            shutdown.wait(PAUSE);
        }
        Ok(false)
    }

    /// How long a transaction may be open before the brokers end it.
    pub fn timeout(&self) -> Duration {
        let configured = self.config.get("transaction.timeout.ms");
        let milliseconds = configured.and_then(|value| value.parse().ok());
        Duration::from_millis(milliseconds.unwrap_or(DEFAULT_TIMEOUT))
    }

    /// Whether remaining work is pointless.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// If the run cannot go on.
    pub fn begin(&mut self) -> Result<(), TransactionError> {
        // Nothing of the last transaction may get into this one.
        if self.producer.in_flight_count() > 0 {
            self.producer.purge(PurgeConfig::default().queue().inflight());
            if self.producer.flush(LEFTOVERS).is_err() {
                tracing::warn!(
                    "messages of the last transaction are still queued, replacing the producer"
                );
                self.renew()?;
            }
        }
        self.fence()?;
        self.undelivered().clear();
        self.spoilt = None;
        self.asked = false;
        match self.producer.begin_transaction() {
            Ok(()) => Ok(()),
            Err(error) => Err(self.sort(error)),
        }
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
        let offsets = offsets(acks);
        self.insist(|producer| {
            producer.send_offsets_to_transaction(&offsets, &metadata, PATIENCE)
        })?;
        self.asked = true;
        self.end(|producer| producer.commit_transaction(PATIENCE))?;
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
            match self.end(|producer| producer.abort_transaction(PATIENCE)) {
                Ok(()) => return Ok(()),
                Err(trouble) => tracing::warn!(
                    error = %trouble,
                    "cannot abort the transaction, replacing the producer"
                ),
            }
        }
        self.renew()
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

    /// Asks the coordinator to end the transaction, until it answers.
    fn end(
        &mut self,
        action: impl Fn(&ThreadedProducer<DeliveryReports>) -> KafkaResult<()>,
    ) -> Result<(), TransactionError> {
        let (begun, errors) = (Instant::now(), self.errors());
        let ended = self.insist(action);
        let earlier = self.ending.unwrap_or(Ending { errors, took: Duration::ZERO });
        let took = earlier.took.max(begun.elapsed());
        self.ending = Some(Ending { took, ..earlier });
        ended
    }

    /// Makes the coordinator refuse what may still be on its way of the last transaction's end.
    ///
    /// A request that gets no answer is sent again, and the first may arrive when the next
    /// transaction is open, which it would end. The coordinator tells them apart by the
    /// producer's epoch alone, and librdkafka keeps that from one transaction to the next
    /// (KIP-890 is about it; librdkafka's issue 5423). Another producer has the next epoch.
    fn fence(&mut self) -> Result<(), TransactionError> {
        let Some(ending) = self.ending.take() else { return Ok(()) };
        if ending.took < ANSWERED && self.errors() == ending.errors {
            return Ok(());
        }
        tracing::warn!(
            took_seconds = ending.took.as_secs_f64(),
            "transaction ended late or after an error, replacing the producer"
        );
        self.renew()
    }

    /// The errors of the producer until now.
    fn errors(&self) -> u64 {
        self.producer.poll(Duration::ZERO);
        self.producer.context().errors()
    }

    /// Another producer in place of this one, of the same id: it ends what the old one left
    /// open.
    fn renew(&mut self) -> Result<(), TransactionError> {
        self.ending = None;
        self.producer =
            make(&self.config).map_err(|error| TransactionError::Hopeless(error.to_string()))?;
        self.insist(|producer| producer.init_transactions(PATIENCE)).map_err(|trouble| {
            TransactionError::Hopeless(format!("cannot initialise transactions: {trouble}"))
        })
    }

    fn undelivered(&self) -> MutexGuard<'_, Vec<Undelivered>> {
        self.producer.context().undelivered()
    }

    /// Waits until every message has arrived.
    fn flush(&mut self) -> Result<(), TransactionError> {
        while let Err(error) = self.arrive() {
            if !is_late(&error) || self.is_abandoned() {
                return Err(TransactionError::Again(error.to_string()));
            }
        }
        let undelivered = std::mem::take(&mut *self.undelivered());
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
            Some((_, error)) => Err(self.sort(error)),
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
        let put = put(&self.producer, topic, content, headers, Box::new(place), wanted);
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
            if !self.undelivered().is_empty() {
                return;
            }
        }
    }

    /// Waits for what is in flight, for [`PATIENCE`] at most.
    fn arrive(&self) -> KafkaResult<()> {
        self.producer.flush(PATIENCE).inspect_err(|error| {
            if is_late(error) {
                let messages = self.producer.in_flight_count();
                tracing::warn!(messages, "messages of a transaction not acknowledged yet, waiting");
            }
        })
    }

    /// Does something that the coordinator may report as retriable.
    fn insist(
        &mut self,
        action: impl Fn(&ThreadedProducer<DeliveryReports>) -> KafkaResult<()>,
    ) -> Result<(), TransactionError> {
        let begun = Instant::now();
        let mut told = Duration::ZERO;
        loop {
            match action(&self.producer) {
                Ok(()) => return Ok(()),
                Err(error) if is_retriable(&error) && !self.is_abandoned() => {
                    let waited = begun.elapsed();
                    if waited >= told + PATIENCE {
                        told = waited;
                        tracing::warn!(%error, waited_seconds = waited.as_secs_f64(), "transaction not finished by the coordinator yet, retrying");
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(self.sort(error)),
            }
        }
    }

    /// What an error means for the transaction. Even a fatal one can be recovered from:
    /// with another producer, as [`Transactions::abort`] creates it.
    fn sort(&self, error: KafkaError) -> TransactionError {
        let code = error.rdkafka_error_code();
        if self.is_abandoned() || code.is_some_and(topics::is_refusal) {
            return TransactionError::Hopeless(error.to_string());
        }
        TransactionError::Again(error.to_string())
    }
}

fn make(config: &ClientConfig) -> Result<ThreadedProducer<DeliveryReports>, KafkaFailure> {
    config
        .create_with_context(DeliveryReports::default())
        .map_err(|cause| KafkaFailure::Config { client: "producer", cause })
}

fn is_late(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::OperationTimedOut)
}

fn is_retriable(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if error.is_retriable())
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
