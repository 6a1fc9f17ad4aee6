//! What a runner says about itself: counters, histograms, what it is at now, all of that as
//! text for Prometheus, and where log lines go.
//!
//! - [`Stats`]: counters; [`now`]: what the reading end is at; [`CallTimes`]: a histogram.
//! - [`metrics`]: all of these as text, with whatever other collectors there are.
//! - [`init`]: sets logs up; [`visible`]: text from elsewhere, for a terminal and for logs;
//!   [`resident_bytes`], [`occupied_bytes`]: memory of this process.
//!
//! Counters move once per batch; only failures are told one by one. The events that move
//! them live beside what they are about, in `events.rs` of each crate.
//!
//! It knows nothing of records or models, and may use no other crate of the runner.

mod call_times;
mod log;
mod memory;
pub mod metrics;
pub mod now;
mod stats;
pub mod visible;

pub use call_times::CallTimes;
pub use log::{LogFormat, init};
pub use memory::{MemoryMeter, allocated_bytes, occupied_bytes, release_freed, resident_bytes};
pub use stats::{Counter, Failed, Snapshot, Stats};
