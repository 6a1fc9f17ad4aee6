//! From topic to topic, on a broker in this process and on an Apache Kafka.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod changes;
mod embedding;
mod failures;
mod harness;
mod operations;
mod predictions;
mod pressure;
mod references;
mod source;
mod stream;
