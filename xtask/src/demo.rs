//! `cargo xtask demo`: builds everything and runs the demonstration.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};
use clap::Args;

use crate::{cargo, operators};

/// The program that is the demonstration.
const PROGRAM: &str = "sandbar-demo";

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
    // The host embeds some of the components.
    operators::build_for_users()?;
    let mut program = cargo::programs(&[PROGRAM])?;
    let error = program.args(arguments.arguments).exec();
    Err(error).context("cannot run the demonstration")
}
