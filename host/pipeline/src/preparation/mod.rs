//! What is untrusted is prepared in a process of its own: components are compiled, models read,
//! optimised and tried, stages configured and given their samples and a recent batch. Only when
//! that has succeeded, within limits, does the process that serves load the same.
//!
//! - `subject`: what is to be prepared, on this machine's disk.
//! - `form`: the request and the answer, as bytes.
//! - `parent`: what the process that serves asks, and what it is told.
//! - `memo`: what was prepared before.
//!
//! What the child does with the request is in [`prepare`](crate::prepare).

mod error;
pub(crate) mod form;
pub(crate) mod memo;
mod parent;
mod subject;

pub use error::PreparationError;
pub(crate) use parent::{ABOUT, Report, Wanted, child, prepare};
pub(crate) use subject::Subject;
