//! What becomes of messages that a topic refused in a transaction.
//!
//! A refusal takes the neighbours in the request with it, and Kafka does not say which of
//! them it was. So in the next attempt all of them are sent alone; what is refused alone is
//! replaced by a dead letter, and a dead letter by a notice.

use std::collections::HashMap;

use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::refusal::refusal;
use super::topics;
use sandbar_record::Code;

/// Which message of a transaction: of which batch, and the how manyth of it. The same
/// batch gives the same messages when it is run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) sequence: u64,
    pub(super) number: usize,
}

/// A message that was not delivered.
pub(super) struct Undelivered {
    pub(super) place: Place,
    pub(super) topic: String,
    pub(super) cause: KafkaError,
}

/// How a message is sent that was refused.
#[derive(Debug, Clone)]
pub(super) struct Treatment {
    /// What is sent in its place.
    pub(super) instead: Instead,
    /// Why it was refused.
    pub(super) code: Code,
    /// The same for a person.
    pub(super) message: String,
}

/// What is sent in a message's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instead {
    /// Itself, in a request of its own.
    Itself,
    /// The record that it comes of, as a dead letter.
    Letter,
    /// A dead letter that carries nothing of the record.
    Notice,
}

/// Whether a topic takes nothing of the kind that this producer writes: the next attempt
/// would fare no better.
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

/// The treatments for the next attempt at a transaction.
#[derive(Default)]
pub(super) struct Treatments(HashMap<Place, Treatment>);

impl Treatments {
    /// That of a message; `None`: it is sent as it is.
    pub(super) fn of(&self, place: Place) -> Option<&Treatment> {
        self.0.get(&place)
    }

    /// Forgets all: the transaction was committed.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Decides how what was not delivered goes out in the next attempt. Returns whether
    /// anything was refused for what it is; else the cause lies elsewhere, and may pass.
    ///
    /// # Errors
    /// Where there is no way on: a topic is not there, or even the notice is refused.
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
        place: Place,
        topic: &str,
        is_letter: bool,
        code: Code,
        cause: &KafkaError,
    ) -> Result<(), String> {
        let before = self.0.remove(&place);
        let instead = match before.as_ref().map(|treatment| treatment.instead) {
            None => Instead::Itself,
            Some(Instead::Itself) if !is_letter => Instead::Letter,
            Some(Instead::Itself | Instead::Letter) => Instead::Notice,
            Some(Instead::Notice) => return Err(format!("topic '{topic}': {cause}")),
        };
        if instead != Instead::Itself {
            // What went alone before it has arrived.
            self.0.retain(|other, treatment| {
                treatment.instead != Instead::Itself
                    || other.sequence != place.sequence
                    || other.number > place.number
            });
        }
        // What an output was refused for says more than what its letter was.
        let treatment = match before {
            Some(before) if is_letter => Treatment { instead, ..before },
            _ => {
                let message = format!("topic '{topic}' refuses the record: {cause}");
                Treatment { instead, code, message }
            }
        };
        self.0.insert(place, treatment);
        Ok(())
    }
}
