//! What is untrusted is prepared in a process of its own: components are compiled, models read,
//! optimised and tried, stages configured and given their samples and a recent batch. Only when
//! that has succeeded, within limits, does the process that serves load the same.
//!
//! - `form`: the request and the answer, as bytes.
//! - `parent`: what the process that serves asks, and what it is told.
//!
//! What the child does with the request is in [`prepare`](crate::prepare).

pub(crate) mod form;
mod parent;

pub use parent::PreparationError;
pub(crate) use parent::{ABOUT, Report, Wanted, prepare};
