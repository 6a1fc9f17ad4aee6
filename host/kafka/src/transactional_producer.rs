//! The producer of one worker's transactions: claims its id, asks the coordinator, and is
//! replaced where nothing of it may count any longer.
//!
//! The brokers tell a producer from the one that it replaces by the epoch, which each claim of
//! the transactional id moves on: they end what the old one left open, and refuse whatever of
//! it arrives late.

use std::cell::Cell;
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
/// librdkafka's `retry.backoff.ms` and `retry.backoff.max.ms`, in milliseconds.
const DEFAULT_BACKOFF: (u64, u64) = (100, 1000);
/// The time before librdkafka sends the offsets of a transaction again, half a second (in
/// `rd_kafka_txn_handle_TxnOffsetCommit`), and a little less.
const OFFSETS_SENT_AGAIN: Duration = Duration::from_millis(400);
/// How long purging the messages of an abandoned transaction may take.
const LEFTOVERS: Duration = Duration::from_secs(1);

/// A producer with a transactional id, and those that come after it under the same id.
pub(super) struct TransactionalProducer {
    config: ClientConfig,
    client: ThreadedProducer<DeliveryReports>,
    /// Set when nothing more is to be delivered.
    abandoned: Arc<AtomicBool>,
    /// Whether this producer has sent offsets before.
    knows_group: bool,
    /// How long the last transaction waited for an answer, if a request of it may have been sent
    /// more than once.
    late: Option<Duration>,
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
        Ok(TransactionalProducer { config, client, abandoned, knows_group: false, late: None })
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
        self.configured("transaction.timeout.ms", DEFAULT_TIMEOUT)
    }

    /// An answer to a request that was sent once takes less than this.
    ///
    /// librdkafka sends a request again that has lost its connection or found no answer in time,
    /// and waits before that: for `retry.backoff.ms`, less a fifth at most by chance
    /// (`rd_kafka_broker_buf_retry`). It tells nobody: a lost connection is no error to it.
    fn sent_again_after(&self) -> Duration {
        let (backoff, most) = DEFAULT_BACKOFF;
        let backoff = self.configured("retry.backoff.ms", backoff);
        backoff.min(self.configured("retry.backoff.max.ms", most)) * 3 / 4
    }

    /// A time in the configuration, which has milliseconds.
    fn configured(&self, key: &str, default: u64) -> Duration {
        let milliseconds = self.config.get(key).and_then(|value| value.parse().ok());
        Duration::from_millis(milliseconds.unwrap_or(default))
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
        &mut self,
        offsets: &TopicPartitionList,
        metadata: &ConsumerGroupMetadata,
    ) -> Result<(), TransactionError> {
        // The first of a producer look for the group's coordinator, and connect to it.
        let most = match std::mem::replace(&mut self.knows_group, true) {
            true => self.sent_again_after().min(OFFSETS_SENT_AGAIN),
            false => PATIENCE,
        };
        let begun = Instant::now();
        let sent =
            self.insist(|client| client.send_offsets_to_transaction(offsets, metadata, PATIENCE));
        self.note(begun, most);
        sent
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
        let (begun, failed) = (Instant::now(), Cell::new(false));
        let ended = self.insist(|client| action(client).inspect_err(|_| failed.set(true)));
        self.note(begun, if failed.get() { Duration::ZERO } else { self.sent_again_after() });
        ended
    }

    /// Notes whether a request may have been sent more than once: its answer took `most` or
    /// longer.
    fn note(&mut self, begun: Instant, most: Duration) {
        let took = begun.elapsed();
        if took >= most {
            self.late = self.late.max(Some(took));
        }
    }

    /// Makes the coordinators refuse what may still be on its way of the last transaction.
    ///
    /// A request that gets no answer is sent again, and the first may arrive when the next
    /// transaction is open, which it would end, or whose offsets it would put back. A coordinator
    /// tells them apart by the producer's epoch alone, and librdkafka keeps that from one
    /// transaction to the next (KIP-890 is about it; librdkafka's issue 5423). Another producer
    /// has the next epoch.
    fn fence(&mut self) -> Result<(), TransactionError> {
        let Some(took) = self.late.take() else { return Ok(()) };
        tracing::warn!(
            took_seconds = took.as_secs_f64(),
            "transaction ended late or after an error, replacing the producer"
        );
        self.renew()
    }

    /// Another producer in place of this one, of the same id: it ends what the old one left
    /// open.
    ///
    /// # Errors
    /// If the run cannot go on.
    pub(super) fn renew(&mut self) -> Result<(), TransactionError> {
        (self.knows_group, self.late) = (false, None);
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
        .map_err(crate::config::unsaid)
        .map_err(|cause| KafkaFailure::Config { client: "producer", cause })
}

fn is_retriable(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if error.is_retriable())
}
