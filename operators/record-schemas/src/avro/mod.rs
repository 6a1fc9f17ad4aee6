//! Avro's binary form.
//!
//! - `schema`: the JSON, with names resolved; `names`: how these are made.
//! - `plan`: records of a schema, for the places that are wanted; `node`: what is done with each
//!   value; `resolve`: how a value of the writer's schema becomes one of the reader's; `defaults`:
//!   what a field has that only the reader's schema has.
//! - `read`: a record, by its plan; `input`: its numbers and lengths, bounded by what is left.
//! - `logical`: numbers that are bytes.

mod defaults;
mod input;
mod logical;
mod names;
mod node;
mod plan;
mod read;
mod resolve;
mod schema;

pub use plan::Plan;
pub use schema::Schema;
