//! Operators in their sandbox: WebAssembly components that have access only to what
//! they are granted, within limits of memory and time.
//!
//! - [`engine`]: one wasmtime engine for the process, its clock and its linker.
//! - [`component`]: a component from its file, checked for its world; [`cache`]
//!   keeps compiled components; [`imports`] describes what components import,
//!   and [`inspect`] reports everything known about a file.
//!   `handed`: compiled forms on their way between processes.
//! - `footprint`: what wasmtime keeps for an instance of a component, known before it is
//!   compiled; `budget`: the memory of an instance, against its limit.
//! - `brought`: graphs that guests bring, tried in a process of their own.
//! - [`state`]: what belongs to one instance: grants, budget, `log`; and
//!   [`determinism`], the deterministic clock and random numbers.
//! - [`stage`]: a warm instance of an operator that is called batch by batch and
//!   replaced after a trap; [`worlds`] has the calls of each world, and [`check`]
//!   validates everything that is returned.
//! - `capabilities`: what of the host a guest may import: artifacts, `wasi:nn`, schemas; `offer`: an
//!   interface that the linker provides, and what is behind it; `nn_resources`: what a guest holds
//!   of `wasi:nn`; `schema_waits`: how long it waits for schemas.
//! - `bindings`: what wasmtime generates from `wit/`; `schema`: what a scorer declares of its
//!   predictions.
//! - [`limits`]: `[limits]` of documents; [`operator_folder`]: `operator.toml`, how one
//!   operator is built.
//!
//! It may use `sandbar-builtin`, `-files`, `-record`, `-config`, `-telemetry`, `-confine`, `-model`,
//! `-schemas` and `-inference`.

mod bindings;
#[doc(hidden)] // for `sandbar prepare`
pub mod brought;
mod budget;
pub mod cache;
mod capabilities;
#[doc(hidden)] // for host/fuzz
pub mod check;
pub mod component;
pub mod determinism;
pub mod engine;
mod footprint;
mod handed;
pub mod imports;
pub mod inspect;
pub mod limits;
mod log;
mod nn_resources;
mod offer;
pub mod operator_folder;
mod schema;
mod schema_waits;
pub mod stage;
pub mod state;
pub mod worlds;

pub use component::{Component, ComponentError, World};
pub use determinism::{CallSeed, Clock};
pub use engine::Sandbox;
pub use handed::Handed;
pub use inspect::Inspection;
pub use limits::{LimitsSection, MEMORY_LIMIT, Overrides, limit_problems, stage_name_problem};
pub use schema::OutputSchema;
pub use stage::{Blame, CallError, Crossing, Operator, StageError, Usage};
pub use state::{Grants, Limits};
pub use worlds::{Extractor, Scorer, Transformer};

pub use bindings::extraction::Extracted;
pub use bindings::scoring::Scored;
pub use bindings::transformation::{Emitted, Transformed};
pub use bindings::types::{
    ColumnResult as Column, FieldResult as Field, FieldTypeResult as FieldType,
    TableResult as Table, TensorShapeResult as TensorShape, TextResult as Text,
};
#[doc(hidden)] // for host/fuzz
pub use bindings::types::{ElementType, Failure, FailureCode};
pub use check::row_bytes;
