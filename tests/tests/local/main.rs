//! What one machine does without Kafka: the command, operators, models, manifests.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bench;
mod cases;
mod cli;
mod confinement;
mod exclusive;
mod inference;
mod manifest;
mod models;
mod operators;
mod preparation;
mod projects;
mod properties;
mod routes;
mod schemas;
