//! What becomes of the messages of a transaction.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::ProducerContext;

use super::client_errors::{ClientErrors, HasClientErrors};
use super::redelivery::{OutputPosition, Undelivered};

/// Receives the delivery report of each message.
#[derive(Default)]
pub(super) struct DeliveryReports {
    undelivered: Mutex<Vec<Undelivered>>,
    client_errors: ClientErrors,
}

impl DeliveryReports {
    /// What was not delivered.
    pub(super) fn undelivered(&self) -> MutexGuard<'_, Vec<Undelivered>> {
        self.undelivered.lock().unwrap_or_else(PoisonError::into_inner)
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
    type DeliveryOpaque = Box<OutputPosition>;

    fn delivery(&self, result: &DeliveryResult<'_>, place: Box<OutputPosition>) {
        let Err((cause, message)) = result else { return };
        let (topic, cause) = (message.topic().to_owned(), cause.clone());
        self.undelivered().push(Undelivered { place: *place, topic, cause });
    }
}
