//! Kafka at both ends of a pipeline.
//!
//! - [`config`]: the properties that librdkafka is given.
//! - [`source`]: polls the consumer; [`batcher`] forms batches for the workers;
//!   [`progress`] tracks what is delivered and may be committed; [`group`] handles
//!   rebalances.
//! - [`sink`]: the producer of predictions and of dead letters; `refusal` deals with
//!   rejected records; `queue` is what waits in front of a producer.
//!   [`transactions`] and `treatments`: the same for exactly
//!   once.
//! - [`subscription`]: which topics are read; [`start`]: the start offsets of a group.
//! - [`aside`]: a best-effort producer for what is written beside the stream.
//! - [`letters`]: dead letters, read back.
//! - [`topics`]: do the topics exist? `complaints`: why does no broker answer?
//! - [`practice`]: a mock broker inside this process, for demonstrations and tests.
//!
//! It may use `sandbar-record`, `-telemetry` and `-manifest`, and nothing of the pipeline:
//! batches go out with an acknowledgement handle, outputs come in through a sink.

pub mod aside;
pub mod batcher;
pub mod complaints;
pub mod config;
mod error;
mod events;
pub mod group;
mod headers;
pub mod letters;
mod partitions;
pub mod practice;
pub mod progress;
pub mod queue;
mod refusal;
pub mod sink;
pub mod source;
pub mod start;
pub mod subscription;
pub mod topics;
pub mod transactions;
mod treatments;
mod trouble;

pub use error::KafkaFailure;
pub use events::{TransactionAborted, TransactionCommitted};
