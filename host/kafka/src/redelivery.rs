//! Redelivery: how messages that a topic rejected in a transaction are sent again.
//!
//! A rejection takes the neighbours in the request with it, and Kafka does not say which of
//! them caused it. So in the next attempt all of them are sent alone; what is rejected alone
//! is replaced by a dead letter, and a dead letter by a notice.

use std::collections::HashMap;

use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::rejected::refusal;
use super::topics;
use sandbar_record::Code;

/// A message of a transaction: its batch, and its index among the batch's outputs. The same
/// batch gives the same messages when it is processed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct OutputPosition {
    pub(super) sequence: u64,
    pub(super) number: usize,
}

/// A message that was not delivered.
pub(super) struct Undelivered {
    pub(super) place: OutputPosition,
    pub(super) topic: String,
    pub(super) cause: KafkaError,
}

/// How a rejected message is redelivered.
#[derive(Debug, Clone)]
pub(super) struct Redelivery {
    /// The fallback: what is sent in its place.
    pub(super) instead: Fallback,
    /// Why it was rejected.
    pub(super) code: Code,
    /// The same for a person.
    pub(super) message: String,
}

/// What is sent in a message's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fallback {
    /// Itself, in a request of its own.
    Itself,
    /// The record that it was made of, as a dead letter.
    Letter,
    /// A dead letter that carries nothing of the record.
    Notice,
}

/// Whether a topic accepts nothing that this producer writes: the next attempt would fail
/// the same way.
fn is_unfit(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::PolicyViolation
            | RDKafkaErrorCode::UnsupportedForMessageFormat
            | RDKafkaErrorCode::UnsupportedCompressionType
            | RDKafkaErrorCode::UnsupportedVersion
            | RDKafkaErrorCode::InvalidRequiredAcks
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
    )
}

/// The redeliveries for the next attempt at a transaction.
#[derive(Default)]
pub(super) struct Redeliveries(HashMap<OutputPosition, Redelivery>);

impl Redeliveries {
    /// The redelivery of a message; `None`: it is sent as it is.
    pub(super) fn of(&self, place: OutputPosition) -> Option<&Redelivery> {
        self.0.get(&place)
    }

    /// Forgets all: the transaction was committed.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Decides how what was not delivered is sent in the next attempt. Returns whether
    /// anything was rejected for its content; otherwise the cause lies elsewhere, and may be
    /// transient.
    ///
    /// # Errors
    /// If the run cannot go on: a topic does not exist, or even the notice is rejected.
    pub(super) fn add(
        &mut self,
        undelivered: Vec<Undelivered>,
        dead_letters: &str,
    ) -> Result<bool, String> {
        let mut refused = false;
        for Undelivered { place, topic, cause } in undelivered {
            match refusal(&cause) {
                Some(code) => {
                    self.refuse(place, &topic, topic == dead_letters, code, &cause)?;
                    refused = true;
                }
                None => {
                    let lasting = |code| {
                        topics::is_unknown(code) || topics::is_refusal(code) || is_unfit(code)
                    };
                    if cause.rdkafka_error_code().is_some_and(lasting) {
                        return Err(format!("topic '{topic}': {cause}"));
                    }
                }
            }
        }
        Ok(refused)
    }

    fn refuse(
        &mut self,
        place: OutputPosition,
        topic: &str,
        is_letter: bool,
        code: Code,
        cause: &KafkaError,
    ) -> Result<(), String> {
        let before = self.0.remove(&place);
        let instead = match before.as_ref().map(|redelivery| redelivery.instead) {
            None => Fallback::Itself,
            Some(Fallback::Itself) if !is_letter => Fallback::Letter,
            Some(Fallback::Itself | Fallback::Letter) => Fallback::Notice,
            Some(Fallback::Notice) => return Err(format!("topic '{topic}': {cause}")),
        };
        if instead != Fallback::Itself {
            // What was sent alone before has been delivered.
            self.0.retain(|other, redelivery| {
                redelivery.instead != Fallback::Itself
                    || other.sequence != place.sequence
                    || other.number > place.number
            });
        }
        // Why an output was rejected says more than why its dead letter was.
        let redelivery = match before {
            Some(before) if is_letter => Redelivery { instead, ..before },
            _ => {
                let message = format!("topic '{topic}': record rejected: {cause}");
                Redelivery { instead, code, message }
            }
        };
        self.0.insert(place, redelivery);
        Ok(())
    }
}
