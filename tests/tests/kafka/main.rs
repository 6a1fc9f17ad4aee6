//! From topic to topic, on a broker in this process and on an Apache Kafka.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what a test says is for those who run it"
)]

mod chains;
mod changes;
mod embedding;
mod failures;
mod harness;
mod operations;
mod predicted;
mod predictions;
mod pressure;
mod references;
mod schemas;
mod source;
mod stream;
