//! What a runner says about itself: events, each a log line and a counter in one,
//! and the counters.
//!
//! Counters move once per batch; only failures are told one by one.

pub mod events;
mod log;
mod memory;
mod stats;

pub use log::{LogFormat, init};
pub use memory::resident_bytes;
pub use stats::{Snapshot, Stats};
