//! The producer of one worker's transactions: claims its id, asks the coordinator, and is
//! replaced where nothing of it may count any longer.
//!
//! The brokers tell a producer from the one that it replaces by the epoch, which each claim of
//! the transactional id moves on: they end what the old one left open, and refuse whatever of
//! it arrives late.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::{Producer, PurgeConfig, ThreadedProducer};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::delivery_reports::DeliveryReports;
use super::error::KafkaFailure;
use super::redelivery::Undelivered;
use super::topics;
use super::transaction_error::TransactionError;
use sandbar_record::Shutdown;

/// How long one request to the transaction's coordinator may take before checking whether
/// somebody still wants it.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The time between two attempts at something that may be transient.
pub(super) const PAUSE: Duration = Duration::from_millis(50);
/// librdkafka's `transaction.timeout.ms`, in milliseconds.
const DEFAULT_TIMEOUT: u64 = 60_000;
/// How long purging the messages of an abandoned transaction may take.
const LEFTOVERS: Duration = Duration::from_secs(1);
/// How soon a coordinator answers that it has ended a transaction. An answer that takes longer,
/// or an error meanwhile: the request may have been sent more than once.
const ANSWERED: Duration = Duration::from_secs(1);

/// A producer with a transactional id, and those that come after it under the same id.
pub(super) struct TransactionalProducer {
    config: ClientConfig,
    client: ThreadedProducer<DeliveryReports>,
    /// Set when nothing more is to be delivered.
    abandoned: Arc<AtomicBool>,
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

impl TransactionalProducer {
    /// A producer of this configuration, which has not claimed its id yet.
    ///
    /// # Errors
    /// If librdkafka rejects the configuration.
    pub(super) fn new(
        config: ClientConfig,
        abandoned: Arc<AtomicBool>,
    ) -> Result<Self, KafkaFailure> {
        let client = make(&config)?;
        Ok(TransactionalProducer { config, client, abandoned, ending: None })
    }

    /// The producer of the moment.
    pub(super) fn client(&self) -> &ThreadedProducer<DeliveryReports> {
        &self.client
    }

    /// What the producer of the moment has not delivered.
    pub(super) fn undelivered(&self) -> MutexGuard<'_, Vec<Undelivered>> {
        self.client.context().undelivered()
    }

    /// Whether remaining work is pointless.
    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// How long a transaction may be open before the brokers end it.
    pub(super) fn timeout(&self) -> Duration {
        let configured = self.config.get("transaction.timeout.ms");
        let milliseconds = configured.and_then(|value| value.parse().ok());
        Duration::from_millis(milliseconds.unwrap_or(DEFAULT_TIMEOUT))
    }

    /// Claims the transactional id. `Ok(false)`: `shutdown` came first.
    ///
    /// # Errors
    /// Where the brokers refuse the id.
    pub(super) fn claim(&self, shutdown: &Shutdown) -> Result<bool, KafkaFailure> {
        while !shutdown.requested() {
            let Err(error) = self.client.init_transactions(PATIENCE) else { return Ok(true) };
            if !is_retriable(&error) {
                return Err(KafkaFailure::Transactions(error));
            }
            tracing::warn!(%error, "cannot initialise transactions yet, retrying");
            shutdown.wait(PAUSE);
        }
        Ok(false)
    }

    /// Begins a transaction, into which nothing of the last one can get any more.
    ///
    /// # Errors
    /// If the run cannot go on.
    pub(super) fn begin(&mut self) -> Result<(), TransactionError> {
        if self.client.in_flight_count() > 0 {
            self.client.purge(PurgeConfig::default().queue().inflight());
            if self.client.flush(LEFTOVERS).is_err() {
                tracing::warn!(
                    "messages of the last transaction are still queued, replacing the producer"
                );
                self.renew()?;
            }
        }
        self.fence()?;
        self.undelivered().clear();
        self.client.begin_transaction().map_err(|error| self.sort(error))
    }

    /// Makes offsets of the group part of the transaction.
    ///
    /// # Errors
    /// If that fails; then the transaction must be aborted.
    pub(super) fn send_offsets(
        &self,
        offsets: &TopicPartitionList,
        metadata: &ConsumerGroupMetadata,
    ) -> Result<(), TransactionError> {
        self.insist(|client| client.send_offsets_to_transaction(offsets, metadata, PATIENCE))
    }

    /// Asks the coordinator to commit, until it answers.
    ///
    /// # Errors
    /// If that fails; it may have been done all the same.
    pub(super) fn commit(&mut self) -> Result<(), TransactionError> {
        self.end(|client| client.commit_transaction(PATIENCE))
    }

    /// Asks the coordinator to abort, until it answers.
    ///
    /// # Errors
    /// If that fails; then [`TransactionalProducer::renew`] does it.
    pub(super) fn abort(&mut self) -> Result<(), TransactionError> {
        self.end(|client| client.abort_transaction(PATIENCE))
    }

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
    ///
    /// Not noticed: a request that is sent again within [`ANSWERED`], after an error that
    /// librdkafka does not report, as it does with one that it has reported less than half a
    /// minute before.
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
        self.client.poll(Duration::ZERO);
        self.client.context().errors()
    }

    /// Another producer in place of this one, of the same id: it ends what the old one left
    /// open.
    ///
    /// # Errors
    /// If the run cannot go on.
    pub(super) fn renew(&mut self) -> Result<(), TransactionError> {
        self.ending = None;
        self.client =
            make(&self.config).map_err(|error| TransactionError::Hopeless(error.to_string()))?;
        self.insist(|client| client.init_transactions(PATIENCE)).map_err(|trouble| {
            TransactionError::Hopeless(format!("cannot initialise transactions: {trouble}"))
        })
    }

    /// Does something that the coordinator may report as retriable.
    fn insist(
        &self,
        action: impl Fn(&ThreadedProducer<DeliveryReports>) -> KafkaResult<()>,
    ) -> Result<(), TransactionError> {
        let begun = Instant::now();
        let mut told = Duration::ZERO;
        loop {
            match action(&self.client) {
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
    /// with another producer.
    pub(super) fn sort(&self, error: KafkaError) -> TransactionError {
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

fn is_retriable(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if error.is_retriable())
}
