//! Protobuf's binary form.
//!
//! - `schema`: `.proto` files, read by protox, and the message that a record is.
//! - `plan`: records that are a message, for the places that are wanted; `field`: what is done with
//!   each field; `compile`: how that is made.
//! - `read`: a record, by its plan; `input`: its tags, numbers and lengths.

mod compile;
mod field;
mod input;
mod plan;
mod read;
mod schema;

pub use plan::Plan;
pub use schema::Schema;
