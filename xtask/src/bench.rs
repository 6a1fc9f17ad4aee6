//! `cargo xtask bench`: builds everything and measures the budgets.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};
use clap::Args;

use crate::{cargo, operators, process};

/// What `cargo xtask bench` takes.
#[derive(Args)]
pub struct BenchArguments {
    /// Arguments of the benchmark; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds the components, their code as a native program, the runner and the
/// benchmark; then becomes the benchmark.
///
/// # Errors
/// When something does not compile.
pub fn run(arguments: BenchArguments) -> Result<()> {
    operators::build()?;
    // The benchmark expects it in that folder, whatever the environment says.
    process::run(
        cargo::operators_natively()
            .args(["build", "--release", "--package", "sandbar-bench-native", "--target-dir"])
            .arg(cargo::operators().join("target")),
    )?;
    let mut benchmark = cargo::programs(&["sandbar", "sandbar-bench"])?;
    let error = benchmark.args(arguments.arguments).exec();
    Err(error).context("cannot run the benchmark")
}
