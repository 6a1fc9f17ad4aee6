//! The project's chores as one command, `cargo xtask VERB`.
//!
//! One file per verb: [`operators`] builds the components, [`demo`] shows them
//! at work, [`test`] runs every test, [`check`] the format and the lints,
//! [`bench`] measures the budgets, [`reference`] writes the contract's page, [`faults`]
//! breaks things for long, and [`kafka`] starts and stops an Apache Kafka for tests. What
//! they share:
//! [`programs`] knows the programs of tests, [`process`] runs other programs, [`toolchain`] sees to it that rustc can
//! compile components, [`languages`] whether Python and JavaScript can be had, [`cargo`]
//! knows the two workspaces.
//!
//! It is a library too, for the tests that start an Apache Kafka of their own ([`kafka`]).

pub mod bench;
pub mod cargo;
pub mod check;
pub mod demo;
pub mod faults;
pub mod kafka;
pub mod languages;
pub mod operators;
pub mod process;
pub mod programs;
pub mod reference;
pub mod test;
pub mod toolchain;
