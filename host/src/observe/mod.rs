//! What a runner says about itself: events, each a log line and a counter in one,
//! and the counters.
//!
//! Nothing here is called once per record: counters move once per batch.

pub mod events;
mod log;
mod stats;

pub use log::{LogFormat, init};
pub use stats::{Snapshot, Stats};
