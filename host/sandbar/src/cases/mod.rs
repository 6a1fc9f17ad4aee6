//! Test cases: inputs of an operator or a pipeline and the expected outputs, in
//! a TOML file. They run in the sandbox, with its limits, and without Kafka;
//! `sandbar test` is the verb.
//!
//! What a case says is the manifest crate's ([`sandbar_manifest::cases`]).
//!
//! - [`find`]: from paths to suites of cases.
//! - [`run`]: a case through [`harness`](sandbar_pipeline::harness); `input`: what goes in, `actual`:
//!   what came; `compare`: the `verdict`.
//! - [`diff`]: the differences, `report` as text and [`junit`] for build servers;
//!   [`bless`]: writes actual results over expectations.

mod actual;
pub mod bless;
mod compare;
pub mod diff;
pub mod find;
mod input;
pub mod junit;
mod report;
pub mod run;
mod verdict;

pub use find::{FindError, Finder, Operator, Subject, Suite};
pub use run::{CaseReport, Runner};
pub use verdict::{Difference, Verdict};
