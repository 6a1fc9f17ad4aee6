//! Kafka at both ends of a pipeline.
//!
//! - [`config`]: the properties that librdkafka is given.
//! - [`source`]: polls the consumer; [`batcher`] forms batches for the workers;
//!   [`offset_tracker`] tracks what is delivered and may be committed; [`group`] handles
//!   rebalances.
//! - [`sink`]: the producer of predictions and of dead letters; `rejected` deals with
//!   rejected records; [`queue`] is what waits in front of a producer.
//! - [`transactions`] and `redelivery`: the same for exactly once; `transactional_producer`
//!   asks the transaction's coordinator, and fences off what comes too late;
//!   `transaction_error`: why a transaction was not committed.
//! - [`subscription`]: which topics are read; [`initial_offsets`]: where partitions are to be
//!   read; `position_check`: whether they are.
//! - [`best_effort`]: a best-effort producer for what is written beside the stream.
//! - [`to_the_end`]: a topic, read to its current end; [`dead_letters`]: dead letters, read back.
//! - [`topics`]: do the topics exist? [`client_errors`]: why does no broker answer?
//! - [`mock_broker`]: a mock broker inside this process, for demonstrations and tests.
//! - `headers`: the headers of a message; `partitions`: lists of partitions, in words; `events`:
//!   log lines and counters; `error`: why a runner cannot go on with Kafka ([`KafkaFailure`]).
//!
//! It may use `sandbar-record`, `-config`, `-telemetry` and `-manifest`, and nothing of the pipeline:
//! batches go out with an acknowledgement handle, outputs come in through a sink.

pub mod batcher;
pub mod best_effort;
pub mod client_errors;
pub mod config;
pub mod dead_letters;
mod delivery_reports;
mod error;
mod events;
pub mod group;
mod headers;
pub mod initial_offsets;
pub mod mock_broker;
pub mod offset_tracker;
mod partitions;
mod position_check;
pub mod queue;
mod redelivery;
mod rejected;
pub mod sink;
pub mod source;
pub mod subscription;
pub mod to_the_end;
pub mod topics;
mod transaction_error;
mod transactional_producer;
pub mod transactions;

pub use error::KafkaFailure;
pub use events::{TransactionAborted, TransactionCommitted};
