//! Cases: what goes into an operator or a pipeline, and what is expected to come out, as
//! a TOML file says it. They run in the sandbox, with its limits, and without Kafka;
//! `sandbar test` is the verb.
//!
//! - [`syntax`], `values`, [`expectation`]: what a case says; `validate`: what its types
//!   cannot say.
//! - [`find`]: from paths to suites of cases.
//! - [`run`]: a case through [`harness`](crate::harness), and what came compared with what
//!   is expected; `input`: what goes in.
//! - [`diff`]: the two side by side, `report` in words and [`junit`] for build servers;
//!   [`bless`]: the one written in place of the other.

pub mod bless;
pub mod diff;
pub mod expectation;
pub mod find;
mod input;
pub mod junit;
mod report;
pub mod run;
pub mod syntax;
mod validate;
pub mod values;

pub use find::{FindError, Finder, Subject, Suite};
pub use run::{Difference, Report, Runner, Verdict};
pub use syntax::Test;
pub(crate) use validate::{Of, locate, problems};
