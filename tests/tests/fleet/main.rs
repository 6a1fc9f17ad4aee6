//! Runners of one group that follow the same desired state, as processes on an Apache Kafka.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what a test says is for those who run it"
)]

mod fixture;
mod guide;
mod promotion;
mod rollout;
mod trouble;
