//! A process that confines itself as `sandbar prepare` does, and then tries what a hostile model
//! or component would do there if it had taken it over. The tests of `local::confinement` start it.
//!
//! `confined WHAT MEMORY SECONDS [READABLE...]`; what the rest of the arguments mean is up to WHAT.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what it says is for the test that started it"
)]

#[cfg(target_os = "linux")]
mod attempts;
#[cfg(target_os = "linux")]
mod ends;

#[cfg(target_os = "linux")]
fn main() {
    use sandbar::confine::{Bounds, Confinement};
    use std::path::PathBuf;
    use std::time::Duration;

    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap();
    if what == "ask" {
        return ends::ask(arguments.collect());
    }
    let memory = arguments.next().unwrap().parse().unwrap();
    let cpu = Duration::from_secs(arguments.next().unwrap().parse().unwrap());
    let places: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let inherited = attempts::descriptors();
    // The first place may be read, the second may not.
    let readable = &places[..places.len().min(1)];
    let confinement = Confinement::enter(Bounds { memory, cpu, yields: false }, readable).unwrap();
    match what.as_str() {
        "attempts" => attempts::all(confinement.is_whole(), inherited, &places),
        other => ends::end(other),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
