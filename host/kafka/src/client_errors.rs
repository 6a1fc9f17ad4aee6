//! Client errors: what a client reports of its connections. librdkafka retries whatever the
//! cause is, and tells a caller only that no broker answers. So the cause that it reports
//! is kept here, for those who wait.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::error::KafkaFailure;

/// How long a consumer is polled for errors, and at most for one event.
const LISTEN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(10));

/// Lets a consumer that has nothing to read yet receive errors of its connections, by polling
/// it. One poll may serve one of librdkafka's log lines, of which there may be hundreds.
pub fn listen<T>(poll: impl Fn(Duration) -> T) {
    let end = Instant::now() + LISTEN.0;
    while Instant::now() < end {
        poll(LISTEN.1);
    }
}

/// The latest error that a retry does not help against, as librdkafka words it.
#[derive(Default)]
pub struct ClientErrors(Mutex<Option<ClientError>>);

#[derive(Clone)]
struct ClientError {
    reason: String,
    /// The properties that the error is about.
    properties: &'static str,
}

/// A client that keeps the errors it is told.
pub trait HasClientErrors: ClientContext {
    /// The errors it was told.
    fn client_errors(&self) -> &ClientErrors;
}

/// A consumer's context that does nothing but keep its errors.
#[derive(Default)]
pub struct Listener(ClientErrors);

impl HasClientErrors for Listener {
    fn client_errors(&self) -> &ClientErrors {
        &self.0
    }
}

impl ClientContext for Listener {
    fn error(&self, error: KafkaError, reason: &str) {
        self.0.hear("consumer", &error, reason);
    }
}

impl ConsumerContext for Listener {}

const CREDENTIALS: &str = "\"sasl.mechanism\", \"sasl.username\" and \"sasl.password\"";
const AUTHORITY: &str = "\"ssl.ca.location\"";
const CERTIFICATE: &str = "\"ssl.certificate.location\" and \"ssl.key.location\"";

impl ClientErrors {
    /// Takes what a client's `error` callback is told, and logs it.
    pub fn hear(&self, client: &'static str, error: &KafkaError, reason: &str) {
        tracing::warn!(client, error = %format!("{error}: {reason}"), "Kafka client error, the client retries");
        if let Some(properties) = lasting(error.rdkafka_error_code(), reason) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(ClientError { reason: reason.to_owned(), properties });
        }
    }

    /// Why the brokers refuse this client, as long as its configuration stays as it is.
    pub(super) fn refusal(&self, brokers: &str) -> Option<KafkaFailure> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.clone().map(|ClientError { reason, properties }| KafkaFailure::NoEntry {
            brokers: brokers.to_owned(),
            reason,
            properties,
        })
    }
}

/// The properties to correct; `None` if the network may be the cause, or a broker that is
/// about to stop.
fn lasting(code: Option<RDKafkaErrorCode>, reason: &str) -> Option<&'static str> {
    let says = |text: &str| reason.contains(text);
    if code == Some(RDKafkaErrorCode::Authentication) {
        // A connection that breaks meanwhile is reported as a failed authentication too.
        let passing = ["transport failure", "timed out", "Disconnected"].iter().any(|it| says(it));
        return (!passing).then_some(CREDENTIALS);
    }
    if says("certificate verify failed") || says("verify broker certificate") {
        return Some(AUTHORITY);
    }
    // With TLS 1.3 the broker checks it after the client considers the handshake done.
    let refused = says("SSL alert number") || says("client SSL authentication might be required");
    refused.then_some(CERTIFICATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of librdkafka 2.12 and Apache Kafka 4.4.
    #[test]
    fn what_passes_is_told_from_what_does_not() {
        let authentication = Some(RDKafkaErrorCode::Authentication);
        let transport = Some(RDKafkaErrorCode::BrokerTransportFailure);
        for (code, reason, expected) in [
            (
                authentication,
                "SASL authentication error: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512",
                Some(CREDENTIALS),
            ),
            (
                authentication,
                "SASL PLAIN mechanism handshake failed: Local: Broker transport failure: broker's supported mechanisms: ",
                None,
            ),
            (
                Some(RDKafkaErrorCode::SSL),
                "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not be verified",
                Some(AUTHORITY),
            ),
            (transport, "Connect to ipv4#127.0.0.1:9092 failed: Connection refused", None),
            (
                transport,
                "SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?",
                None,
            ),
        ] {
            assert_eq!(lasting(code, reason), expected, "{reason}");
        }
    }
}
