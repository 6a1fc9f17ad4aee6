//! Cases: what goes into an operator or a pipeline, and what is expected to come out, as
//! a TOML file says it. They run in the sandbox, with its limits, and without Kafka;
//! `sandbar test` is the verb.
//!
//! - [`syntax`], [`values`], [`expectation`]: what a case says; `validate`: what its types
//!   cannot say.
//! - [`find`]: from paths to suites of cases.
//! - [`run`]: a case through [`harness`](crate::harness); `input`: what goes in, `came`:
//!   what came; `seen`: that in the words of what is expected; `compare`: the verdict.
//! - [`diff`]: the two side by side, `report` in words and [`junit`] for build servers;
//!   [`bless`]: the one written in place of the other.

pub mod bless;
mod came;
mod compare;
pub mod diff;
pub mod expectation;
pub mod find;
mod input;
pub mod junit;
mod report;
pub mod run;
mod seen;
pub mod syntax;
mod validate;
pub mod values;

pub use compare::Difference;
pub use find::{FindError, Finder, Operator, Subject, Suite};
pub use run::{Report, Runner, Verdict};
pub use syntax::Test;
pub(crate) use validate::{Of, locate, problems};
