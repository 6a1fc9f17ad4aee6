//! Operators in their sandbox: WebAssembly components that have access only to what
//! the manifest grants, within limits of memory and time.
//!
//! - [`engine`]: one wasmtime engine for the process, its clock and its linker.
//! - [`component`]: a component from its file, checked for its world; [`cache`]
//!   keeps compiled components; [`imports`] describes what components import,
//!   and [`inspect`] reports everything known about a file.
//! - [`state`]: what belongs to one instance: grants, memory budget, [`log`]; and
//!   [`moment`], the deterministic clock and random numbers.
//! - [`stage`]: a warm instance of an operator that is called batch by batch and
//!   replaced after a trap; [`worlds`] has the calls of each world, and [`check`]
//!   validates everything that is returned.

pub(crate) mod bindings;
pub mod cache;
mod check;
pub mod component;
pub mod engine;
pub mod imports;
pub mod inspect;
mod log;
pub mod moment;
pub mod stage;
pub mod state;
pub mod worlds;

pub use component::{Component, ComponentError, World};
pub use engine::Sandbox;
pub use inspect::Inspection;
pub use moment::{Clock, Moment};
pub use stage::{CallError, Crossing, Operator, StageError, Usage};
pub use state::{Grants, Limits};
pub use worlds::{Extractor, Scorer, Transformer};

pub use bindings::extraction::Extracted;
pub use bindings::scoring::Scored;
pub use bindings::transformation::{Emitted, Transformed};
pub use bindings::types::{
    ColumnResult as Column, FieldResult as Field, FieldTypeResult as FieldType,
    TableResult as Table, TensorShapeResult as TensorShape, TextResult as Text,
};
pub(crate) use check::row_bytes;
