//! Why a fleet operation failed.

use std::time::Duration;

use thiserror::Error;

use super::record::FleetName;
use sandbar_kafka::KafkaFailure;
use sandbar_pipeline::swap::SwapError;
use sandbar_registry::RegistryError;

/// How long writing a change may take, including waiting for other writers.
pub(super) const MOST_PATIENCE: Duration = Duration::from_secs(30);

/// Why a fleet operation failed.
#[derive(Debug, Error)]
pub enum FleetError {
    /// The control topic cannot be used.
    #[error("[fleet] topic '{topic}' on {brokers} {problem}; {command}", command = command(topic))]
    Topic {
        /// The topic.
        topic: String,
        /// The brokers that were asked.
        brokers: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] KafkaFailure),
    /// A client cannot be created, or a request failed.
    #[error("control topic: {0}")]
    Client(#[from] rdkafka::error::KafkaError),
    /// The system provides no more threads.
    #[error("cannot start a thread for the fleet: {0}")]
    Thread(#[from] std::io::Error),
    /// The request cannot be fulfilled in this pipeline.
    #[error("{0}")]
    Refused(String),
    /// Another change was made concurrently.
    #[error("{0}")]
    Conflict(String),
    /// The registry does not provide what was requested.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// It does not work.
    #[error(transparent)]
    Swap(#[from] SwapError),
    /// The brokers do not answer, so the outcome is unknown.
    #[error(
        "control topic of {fleet}: no answer within {} s: {reason}; the change may or may not be \
         written: check `sandbar status`", MOST_PATIENCE.as_secs()
    )]
    Silent {
        /// The fleet.
        fleet: FleetName,
        /// What was waited for.
        reason: String,
    },
}

/// How to create a control topic.
fn command(topic: &str) -> String {
    format!(
        "create it with `kafka-topics.sh --bootstrap-server HOST:PORT --create --topic {topic} \
         --partitions 1 --config cleanup.policy=compact --config segment.ms=3600000`, or correct \
         [fleet] topic"
    )
}
