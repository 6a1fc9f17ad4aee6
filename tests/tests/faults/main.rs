//! Every promise while runners, their machine, brokers and the network break.
//!
//! Where `cargo xtask test` or `faults` is asked for long tests, these are.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what a test says is for those who run it"
)]

mod brokers;
mod exclusive;
mod runners;
