//! A change of the desired version, by compare and set: a writer claims the
//! fleet's only transactional id, by which Kafka fences every other writer,
//! reads the topic to its end, and commits the next change only if there was no other. No lock
//! is left by a writer that is killed meanwhile.

use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::error::{FleetError, MOST_PATIENCE};
use super::log::Log;
use super::record::{FleetChange, FleetName};
use super::state::{FleetState, KEPT};
use sandbar_kafka::config;
use sandbar_kafka::config::Connection;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Milliseconds after which an unfinished change is undone: its writer was killed.
const TRANSACTION: &str = "10000";
/// The time between two attempts at something that may be transient.
const PAUSE: Duration = Duration::from_millis(50);

/// Where changes are written.
pub(super) struct Writer<'a> {
    pub(super) connection: &'a Connection,
    pub(super) topic: &'a str,
    pub(super) fleet: &'a FleetName,
}

/// The result of an attempt to commit.
enum Attempt {
    Committed,
    /// It was not, and this is why.
    Aborted(String),
    /// Another producer claimed the id.
    Fenced,
    /// It may have been committed.
    Unknown(String),
}

impl Writer<'_> {
    /// Writes `changes`, numbered from the one behind `expected`, if that is the newest.
    ///
    /// # Errors
    /// If it is not ([`FleetError::Conflict`]), or writing it fails.
    pub(super) fn write(&self, expected: u64, changes: &[FleetChange]) -> Result<(), FleetError> {
        let end = Instant::now() + MOST_PATIENCE;
        let producer = self.claim(end)?;
        let view = self.view(end)?;
        if view.last() != expected {
            return Err(outdated(&view, expected));
        }
        match self.commit(&producer, &view, changes, end) {
            Attempt::Committed => Ok(()),
            Attempt::Aborted(reason) => {
                Err(FleetError::Refused(format!("the change was not written: {reason}")))
            }
            Attempt::Fenced => self.look(changes, expected, end),
            Attempt::Unknown(reason) => {
                tracing::warn!(error = %reason, "outcome of a change not known yet, reading the control topic again");
                // Claiming the id waits for the end of the open transaction.
                drop(producer);
                let _claimed = self.claim(end)?;
                self.look(changes, expected, end)
            }
        }
    }

    /// Claims the fleet's transactional id.
    fn claim(&self, end: Instant) -> Result<BaseProducer, FleetError> {
        // It begins with the group's name, like those that brokers must allow for exactly-once
        // delivery.
        let id = format!("{}-sandbar-fleet-{}", self.fleet.group, self.fleet.pipeline);
        let mut config = config::transactional(self.connection, &id);
        config.set("transaction.timeout.ms", TRANSACTION).set("linger.ms", "0");
        let producer: BaseProducer = config.create().map_err(config::unsaid)?;
        loop {
            match producer.init_transactions(PATIENCE) {
                Ok(()) => return Ok(producer),
                Err(error) if is_retriable(&error) => {
                    if Instant::now() >= end {
                        return Err(self.silent(error.to_string()));
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(error) if is_fenced(&error) => {
                    return Err(FleetError::Conflict(BUSY.to_owned()));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// All that the topic says.
    fn view(&self, end: Instant) -> Result<FleetState, FleetError> {
        let log = Log::new(self.connection, self.topic, self.fleet)?;
        let mut view = FleetState::default();
        let take = |entry| {
            view.take(entry, false);
        };
        log.read_all(end, take).map_err(|reason| self.silent(reason))?;
        Ok(view)
    }

    fn commit(
        &self,
        producer: &BaseProducer,
        view: &FleetState,
        changes: &[FleetChange],
        end: Instant,
    ) -> Attempt {
        let Some(last) = changes.last() else { return Attempt::Committed };
        let send = || -> Result<(), String> {
            producer.begin_transaction().map_err(|error| error.to_string())?;
            for change in changes {
                let value = serde_json::to_vec(change).map_err(|error| error.to_string())?;
                let key = self.fleet.change_key(change.revision);
                let record = BaseRecord::to(self.topic).partition(0).key(&key).payload(&value);
                producer.send(record).map_err(|(error, _)| error.to_string())?;
            }
            // Old ones are deleted by tombstones; compaction does the rest.
            let kept = last.revision.saturating_sub(KEPT);
            for number in view.numbers().take_while(|number| *number <= kept) {
                let key = self.fleet.change_key(number);
                let record = BaseRecord::<_, [u8]>::to(self.topic).partition(0).key(&key);
                producer.send(record).map_err(|(error, _)| error.to_string())?;
            }
            Ok(())
        };
        if let Err(reason) = send() {
            let _ = producer.abort_transaction(PATIENCE);
            return Attempt::Aborted(reason);
        }
        loop {
            let error = match producer.commit_transaction(PATIENCE) {
                Ok(()) => return Attempt::Committed,
                Err(error) => error,
            };
            if is_fenced(&error) {
                return Attempt::Fenced;
            }
            if is_retriable(&error) && Instant::now() < end {
                std::thread::sleep(PAUSE);
                continue;
            }
            let aborts = matches!(&error, KafkaError::Transaction(it) if it.txn_requires_abort());
            return match aborts.then(|| producer.abort_transaction(PATIENCE)) {
                Some(Ok(())) => Attempt::Aborted(error.to_string()),
                _ => Attempt::Unknown(error.to_string()),
            };
        }
    }

    /// Whether `changes` are there, after all.
    fn look(&self, changes: &[FleetChange], expected: u64, end: Instant) -> Result<(), FleetError> {
        let view = self.view(end)?;
        let is_there =
            |change: &FleetChange| view.change(change.revision).is_some_and(|it| it == change);
        if changes.iter().all(is_there) {
            return Ok(());
        }
        if view.last() == expected {
            return Err(FleetError::Conflict(BUSY.to_owned()));
        }
        Err(outdated(&view, expected))
    }

    fn silent(&self, reason: String) -> FleetError {
        FleetError::Silent { fleet: self.fleet.clone(), reason }
    }
}

const BUSY: &str = "another change is in progress; nothing was done: re-read and retry";

/// The change was based on an outdated revision.
pub(super) fn outdated(view: &FleetState, expected: u64) -> FleetError {
    let who = match view.desired() {
        Ok(Some(change)) => format!(", by {} at {}", change.by, sandbar_registry::time(change.at)),
        _ => String::new(),
    };
    FleetError::Conflict(format!(
        "the desired revision is {}{who}, not {expected}: changed concurrently; re-read \
         and retry",
        view.last()
    ))
}

fn is_retriable(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if error.is_retriable())
}

fn is_fenced(error: &KafkaError) -> bool {
    use rdkafka::types::RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch)
    )
}
