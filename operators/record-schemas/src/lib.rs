//! Records whose schema is somewhere else: Avro and Protobuf, read straight into the places that
//! are wanted, without a tree of values for each record.
//!
//! - [`wire`]: which schema a record was written with, by what is in front of it or in a header.
//! - [`place`]: what is wanted of a record; [`found`]: what was found there.
//! - [`avro`], [`protobuf`]: a plan is made of a schema and the places once, and reads records.
//! - [`records`]: records of a stage, with the schemas that they name.
//! - [`fault`]: why a record cannot be read.
//!
//! Records and schemas are untrusted: what they may take is bounded, and nothing here panics.

pub mod avro;
pub mod fault;
pub mod found;
pub mod place;
pub mod protobuf;
pub mod records;
pub mod wire;

pub use fault::Fault;
pub use found::{Found, Value};
pub use place::Place;
pub use records::{Format, Records, Written};

/// Levels of values in values at most: records of recursive schemas can have any number.
pub const DEPTH: usize = 64;
