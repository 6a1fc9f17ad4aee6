//! Telemetry: events, each a log line and a counter in one,
//! the counters, and the current state ([`now`]); all of that as [`metrics`].
//!
//! Counters move once per batch; only failures are reported one by one.

pub mod events;
mod log;
mod memory;
pub mod metrics;
pub mod now;
mod rollout_metrics;
mod stats;
mod times;

pub use log::{LogFormat, init};
pub use memory::resident_bytes;
pub use stats::{Failed, Snapshot, Stats};
pub use times::CallTimes;
