//! Runners of one group that follow the same desired state, as processes on an Apache Kafka.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod fixture;
mod guide;
mod promotion;
mod rollout;
mod trouble;
