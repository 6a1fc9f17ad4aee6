//! The schema of test cases: what goes into an operator or a pipeline, and what is expected
//! to come out, as a TOML file says it.
//!
//! - [`syntax`]: the tables of a case; [`values`]: values that have more than one form;
//!   [`expectation`]: the form of what is expected and of the actual result; `normalized`: the
//!   latter, as far as the former speaks of it.

pub mod expectation;
mod normalized;
pub mod syntax;
pub mod values;

pub use syntax::Test;
