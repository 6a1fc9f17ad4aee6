//! Sandbar runs machine-learning models as sandboxed operators in a Kafka stream.
//!
//! The way of a record through the modules:
//!
//! - [`manifest`]: what a pipeline is, read from its TOML file.
//! - [`models`]: model folders: name, version, digest.
//! - [`references`]: what records name instead of carrying it.
//! - [`registry`]: versions of models and operators that machines share.
//! - [`inference`]: graphs that the host computes for operators (`wasi:nn`).
//! - [`sandbox`]: operators, WebAssembly components within limits.
//! - [`pipeline`]: the stages, and the workers that take batches through them.
//! - [`kafka`]: the source, the sink, and what is delivered.
//! - [`records`], [`failure`], [`output`]: a batch, why a record failed, and how a
//!   prediction is written.
//! - [`observe`]: log events and counters; [`admin`] serves them over HTTP.
//! - [`fleet`]: the runners of one group, which serve the same.
//! - [`harness`]: a pipeline without Kafka; [`cases`]: what one expects of it.
//! - [`bench`]: how fast operators are, and where their time goes.
//! - [`operator_folder`], [`project`]: how one operator is built; new ones.
//! - [`cli`]: the verbs of the command `sandbar`.

pub mod admin;
pub mod bench;
pub mod cases;
pub mod cli;
pub mod failure;
pub mod fleet;
pub mod harness;
mod http;
pub mod inference;
pub mod kafka;
pub mod manifest;
pub mod models;
pub mod observe;
pub mod operator_folder;
pub mod output;
pub mod pipeline;
pub mod project;
pub mod records;
pub mod references;
pub mod registry;
pub mod sandbox;
