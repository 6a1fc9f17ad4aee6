//! Cases: what goes into an operator or a pipeline, and what is expected to come out, as
//! a TOML file says it. They run in the sandbox, with its limits, and without Kafka;
//! `sandbar test` is the verb.
//!
//! What a case says is the manifest crate's ([`sandbar_manifest::cases`]).
//!
//! - [`find`]: from paths to suites of cases.
//! - [`run`]: a case through [`harness`](sandbar_pipeline::harness); `input`: what goes in, `came`:
//!   what came; `compare`: the verdict.
//! - [`diff`]: the two side by side, `report` in words and [`junit`] for build servers;
//!   [`bless`]: the one written in place of the other.

pub mod bless;
mod came;
mod compare;
pub mod diff;
pub mod find;
mod input;
pub mod junit;
mod report;
pub mod run;

pub use compare::Difference;
pub use find::{FindError, Finder, Operator, Subject, Suite};
pub use run::{Report, Runner, Verdict};
