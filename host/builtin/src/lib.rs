//! The operators that come with the command: a user needs neither this repository nor a wasm
//! toolchain to run a MOJO or a graph.
//!
//! A manifest names one as `component = "builtin:tabular-score"`. Its component is part of the
//! program (`build.rs`). It may use no other crate of the runner.

use std::path::Path;

use thiserror::Error;

/// What the name of one begins with, where a path of a component could be.
pub const SCHEME: &str = "builtin:";

/// An operator that comes with the command.
#[derive(Debug)]
pub struct Operator {
    /// Its name, without the scheme.
    pub name: &'static str,
    /// What it does, in words.
    pub purpose: &'static str,
    component: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/operators.rs"));

/// Why there is no such operator.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Missing {
    /// None has this name.
    #[error("no operator of this name comes with the command; choose one of {}", names())]
    Unknown,
    /// The program was built without it.
    #[error(
        "this command was built without its operators: run `cargo xtask operators`, then build it \
         again"
    )]
    LeftOut,
}

/// All of them.
pub fn operators() -> &'static [Operator] {
    &OPERATORS
}

/// The component of the operator with this name.
///
/// # Errors
/// If there is none.
pub fn component(name: &str) -> Result<&'static [u8], Missing> {
    let operator = OPERATORS.iter().find(|operator| operator.name == name);
    operator.ok_or(Missing::Unknown)?.component.ok_or(Missing::LeftOut)
}

/// The operator that stands where a path of a component could be.
pub fn of_path(path: &Path) -> Option<&str> {
    path.to_str()?.strip_prefix(SCHEME)
}

fn names() -> String {
    let names = OPERATORS.iter().map(|operator| format!("{SCHEME}{}", operator.name));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    #[test]
    fn a_name_that_is_none_is_told_what_there_is() {
        let error = component("h2o").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no operator of this name comes with the command; choose one of \
             builtin:image-features, builtin:nn-score, builtin:record-features, \
             builtin:record-filter, builtin:tabular-score"
        );
    }
}
