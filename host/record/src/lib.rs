//! Records on their way through a runner: what every other crate of the runner speaks.
//!
//! - `batch`: records of one partition in flat columns ([`Batch`]), and a view of one
//!   ([`Record`]); `input`: one that owns its parts ([`Input`]).
//! - `failure`: why a record failed ([`Failure`]); `output`: what became of one ([`Output`]);
//!   `headers`: its topic and headers ([`OutputHeaders`]).
//! - `source`: the trait by which records enter a pipeline ([`Source`]); `sink`: those by which
//!   outputs leave it ([`Sink`], [`BestEffort`]).
//! - `ack`: follows a batch until everything that came of it is acknowledged ([`AckHandle`]).
//! - `limits`: when a batch is full ([`BatchLimits`]); `shutdown`: the request to stop
//!   ([`Shutdown`]).
//! - `shortage`: how short of memory the process is ([`Shortage`]); `memory_gate`: what it may still
//!   begin ([`MemoryGate`]).
//!
//! It may use no other crate of the runner.

mod ack;
mod batch;
mod failure;
mod headers;
mod input;
mod limits;
mod memory_gate;
mod output;
mod shortage;
mod shutdown;
mod sink;
mod source;

pub use ack::{AckEvent, AckHandle, BatchEnd};
pub use batch::{Batch, Headers, NULL_KEY, NULL_VALUE, Record};
pub use failure::{Code, Failure, MESSAGE_LIMIT, REFERENCES, RESERVED_STAGES, shorten};
pub use headers::{
    DEAD_LETTER_HEADERS, MODEL_HEADER, OUTPUT_HEADERS, OutputHeaders, REPLAYED_HEADER,
    SCHEMA_HEADER, VARIANT_HEADER,
};
pub use input::{Input, OwnedHeaders};
pub use limits::{BatchLimits, LINGER};
pub use memory_gate::{MemoryGate, MemoryUse, Running, Stopped};
pub use output::{Output, SchemaHeader, Variant};
pub use shortage::Shortage;
pub use shutdown::Shutdown;
pub use sink::{BestEffort, OpenBestEffort, Sink};
pub use source::Source;
