//! `cargo xtask demo`: builds everything and runs the demonstration.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};
use clap::Args;

use crate::{cargo, operators, process};

/// The package in the root workspace that is the demonstration.
const PACKAGE: &str = "sandbar-demo";

/// What `cargo xtask demo` takes.
#[derive(Args)]
pub struct DemoArguments {
    /// Arguments of the demonstration; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds the components, then becomes the demonstration: it has our terminal,
/// gets our signals, and its exit code is ours.
///
/// # Errors
/// When something does not compile.
pub fn run(arguments: DemoArguments) -> Result<()> {
    operators::build()?;
    // First a build, so that a compile error is reported as one.
    process::run(cargo::host().args(["build", "--release", "--package", PACKAGE]))?;
    let error = cargo::host()
        .args(["run", "--quiet", "--release", "--package", PACKAGE, "--"])
        .args(arguments.arguments)
        .exec();
    Err(error).context("cannot run the demonstration")
}
