//! `cargo xtask differential`: holds the engine of graphs against ONNX Runtime and the tests of
//! the onnx package, operator by operator, and writes what the gate at load reads.
//!
//! The cases are made by Python (`tests/differential`), the comparison is a program of
//! `sandbar-inference`, so that this crate need not know of tract.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::{cargo, process};

/// Where the gate's tables are, and the cases of the ordinary tests.
const TABLES: &str = "host/inference/src/gate";
/// The table as a page for readers.
const PAGE: &str = "docs/reference/graph-operators.md";
const SHORT: &str = "host/inference/tests/differential/cases.bin";

/// What `cargo xtask differential` takes.
#[derive(Args)]
pub struct DifferentialArguments {
    /// Compare with cases that were made before, and make none.
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// Write the gate's table, and the cases of the ordinary tests.
    #[arg(long)]
    write: bool,
    /// Print each case that is not right.
    #[arg(long)]
    verbose: bool,
}

/// Makes the cases, compares, and prints counts by operator.
///
/// # Errors
/// If Python's packages cannot be installed, or the cases not be made or read.
pub fn run(arguments: &DifferentialArguments) -> Result<()> {
    let root = cargo::root();
    let cases = match &arguments.cases {
        Some(cases) => cases.clone(),
        None => make(arguments.write)?,
    };
    let mut command = cargo::example("differential")?;
    command.arg(cases);
    if arguments.write {
        command.arg("--table").arg(root.join(TABLES).join("compared.txt"));
        command.arg("--page").arg(root.join(PAGE));
        command.arg("--short").arg(root.join(SHORT));
    }
    if arguments.verbose {
        command.arg("--verbose");
    }
    process::run(&mut command)
}

/// Has Python make the cases, in an environment of its own under `target`.
fn make(write: bool) -> Result<PathBuf> {
    let folder = cargo::root().join("target/differential");
    let (environment, source) = (folder.join("python"), cargo::root().join("tests/differential"));
    let python = environment.join("bin/python");
    if !python.exists() {
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "-r"]).arg(source.join("requirements.txt"));
    process::run(&mut install)?;
    process::run(Command::new(&python).arg(source.join("generate.py")).arg(&folder))?;
    if write {
        let (from, to) = (folder.join("schema.txt"), cargo::root().join(TABLES).join("schema.txt"));
        std::fs::copy(&from, &to).with_context(|| to.display().to_string())?;
    }
    Ok(folder.join("cases.bin"))
}
