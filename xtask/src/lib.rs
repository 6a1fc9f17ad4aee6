//! The project's chores as one command, `cargo xtask VERB`.
//!
//! A file or folder a verb: [`operators`] builds the components, [`demo`] shows them
//! at work, [`test`] runs every test, [`check`] the format and the lints,
//! [`bench`] measures the budgets, [`reference`] writes the contract's page, [`faults`]
//! breaks things for long, [`differential`] compares the engine of graphs with ONNX Runtime, [`fuzz`] runs fuzz targets, [`book`] makes a site of the documents,
//! [`deny`] looks at licences and advisories, and [`kafka`] starts and stops an Apache Kafka
//! for tests.
//!
//! What they share: [`programs`] knows the programs of tests, [`report`] their outcome, [`process`] runs other programs,
//! [`lint`] has
//! cargo lint where it would build, [`toolchain`] makes sure that rustc can compile components, [`languages`] checks whether Python
//! and JavaScript are available, [`openssl`] chooses the OpenSSL that is linked, [`cargo`] knows
//! the two workspaces, [`metadata`] their packages, [`markdown`] the pages and their links, and
//! [`floors`] the order of crates and modules. Tests alone: `dependencies` keeps
//! `docs/dependencies.md` true, `logs` the reference of logs, `threats` the page on security.
//!
//! It is a library too, for the tests that start an Apache Kafka of their own.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "for those who develop Sandbar, whose terminal stays"
)]

pub mod bench;
pub mod book;
pub mod cargo;
pub mod check;
pub mod demo;
pub mod deny;
mod dependencies;
pub mod differential;
pub mod faults;
pub mod floors;
pub mod fuzz;
pub mod kafka;
pub mod languages;
pub mod lint;
mod logs;
pub mod markdown;
pub mod metadata;
pub mod openssl;
pub mod operators;
pub mod process;
pub mod programs;
pub mod reference;
pub mod report;
pub mod test;
mod threats;
pub mod toolchain;
