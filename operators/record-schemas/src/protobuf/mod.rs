//! Protobuf's binary form.
//!
//! - `schema`: `.proto` files, read by protox, and the message that a record is.
//! - `plan`: what to do with each field, for the places that are wanted; `compile`: how it is made.
//! - `read`: a record, by its plan; `input`: its tags, numbers and lengths.

mod compile;
mod input;
mod plan;
mod read;
mod schema;

pub use plan::Plan;
pub use schema::Schema;
