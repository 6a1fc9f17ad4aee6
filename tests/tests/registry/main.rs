//! The registry as people and pipelines use it: in a folder and in object stores.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod commands;
mod fixture;
mod garbage;
mod pipelines;
mod trust;
mod versions;
