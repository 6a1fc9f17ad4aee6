//! Test cases: inputs of an operator or a pipeline and the expected outputs, in
//! a TOML file. They run in the sandbox, with its limits, and without Kafka;
//! `sandbar test` is the verb.
//!
//! - [`syntax`], [`values`], [`expectation`]: the format of a case; `validate`: the rules that
//!   its types cannot express.
//! - [`find`]: from paths to suites of cases.
//! - [`run`]: runs a case in a [`harness`](crate::harness); `input`: its inputs, `came`: the
//!   actual results; `seen`: normalized to the expectation's form; `compare`: the verdict.
//! - [`diff`]: the differences, `report` as text and [`junit`] for build servers;
//!   [`bless`]: writes actual results over expectations.

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
