//! Sandbar runs machine-learning models as sandboxed operators in a Kafka stream.
//!
//! A program of your own runs a pipeline in a few lines:
//!
//! ```no_run
//! use std::path::Path;
//!
//! use sandbar::manifest::Manifest;
//! use sandbar::record::Shutdown;
//! use sandbar::Runner;
//!
//! fn main() -> anyhow::Result<()> {
//!     let manifest = Manifest::load(Path::new("pipelines/flights.toml"))?;
//!     let shutdown = Shutdown::default();
//!     // `shutdown.request()` from another thread ends it, once everything is delivered.
//!     Runner::new(manifest).brokers("localhost:9092").run(&shutdown)?;
//!     Ok(())
//! }
//! ```
//!
//! What it is made of. Each crate uses only those before it in this list:
//!
//! - [`record`]: batches, failures, acknowledgement handles; [`config`]: documents with
//!   places; [`telemetry`]: counters and logs.
//! - [`confine`]: a child process that can do little;
//! - [`model`]: model folders; [`inference`]: graphs that the host computes.
//! - [`sandbox`]: operators, WebAssembly components within limits.
//! - [`registry`]: versions of models and operators that machines share; [`manifest`]: what a
//!   pipeline is.
//! - [`kafka`]: the source, the sink, and what is delivered.
//! - [`pipeline`]: the stages, and batches through them.
//! - this crate: [`runner`], with [`Runner`], puts all of that together; [`fleet`]: runners that
//!   serve the same; [`admin`]: metrics, health and changes over HTTP; [`local`]: a pipeline over
//!   lines and files; [`cases`]: what one expects of a pipeline; [`bench`]: how fast operators are;
//!   [`project`]: new operators; [`starter`]: new pipelines; and [`cli`], the verbs of the command `sandbar`.

pub mod admin;
pub mod bench;
pub mod cases;
pub mod cli;
pub mod fleet;
pub mod local;
mod output;
pub mod project;
pub mod runner;
pub mod starter;
mod totals;

pub use sandbar_builtin as builtin;
pub use sandbar_config as config;
pub use sandbar_confine as confine;
pub use sandbar_inference as inference;
pub use sandbar_kafka as kafka;
pub use sandbar_manifest as manifest;
pub use sandbar_model as model;
pub use sandbar_pipeline as pipeline;
pub use sandbar_record as record;
pub use sandbar_registry as registry;
pub use sandbar_sandbox as sandbox;
pub use sandbar_telemetry as telemetry;

pub use runner::Runner;
