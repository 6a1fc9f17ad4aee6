//! `cargo xtask differential`: holds the engine of graphs against ONNX Runtime and the tests of
//! the onnx package, and against TensorFlow, operator by operator, and writes what the gate at
//! load reads.
//!
//! The cases are made by Python (`tests/differential`), the comparison is a program of
//! `sandbar-inference`, so that this crate need not know of tract.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::{cargo, process};

/// Where the gate's tables are, and the cases of the ordinary tests.
const TABLES: &str = "host/inference/src/gate";
/// The tables as pages for readers.
const PAGES: &str = "docs/reference";
const SHORT: &str = "host/inference/tests/differential";

/// What `cargo xtask differential` takes.
#[derive(Args)]
pub struct DifferentialArguments {
    /// With which of them to compare.
    #[arg(value_enum, default_value = "all")]
    judge: Judge,
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

/// Who says what is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Judge {
    /// ONNX Runtime, and the onnx package's tests.
    Onnx,
    /// TensorFlow.
    Tensorflow,
    /// Both.
    All,
}

/// The files of one of them.
struct Files {
    /// Below `tests/differential`: where its generator is.
    source: &'static str,
    /// What the generator writes: cases, and what is said of operators.
    cases: &'static str,
    schema: &'static str,
    /// Among the gate's: its table, and the latter.
    table: &'static str,
    kept: &'static str,
    /// The table as a page for readers.
    page: &'static str,
    /// The cases of the ordinary tests.
    short: &'static str,
}

const ONNX: Files = Files {
    source: "",
    cases: "cases.bin",
    schema: "schema.txt",
    table: "compared.txt",
    kept: "schema.txt",
    page: "graph-operators.md",
    short: "cases.bin",
};

const TENSORFLOW: Files = Files {
    source: "tensorflow",
    cases: "tensorflow.bin",
    schema: "tensorflow-schema.txt",
    table: "compared-tensorflow.txt",
    kept: "schema-tensorflow.txt",
    page: "tensorflow-operators.md",
    short: "tensorflow.bin.gz",
};

/// Makes the cases, compares, and prints counts by operator.
///
/// # Errors
/// If Python's packages cannot be installed, or the cases not be made or read.
pub fn run(arguments: &DifferentialArguments) -> Result<()> {
    let judges: &[Files] = match arguments.judge {
        Judge::Onnx => &[ONNX],
        Judge::Tensorflow => &[TENSORFLOW],
        Judge::All => &[ONNX, TENSORFLOW],
    };
    anyhow::ensure!(
        arguments.cases.is_none() || arguments.judge != Judge::All,
        "--cases: whose cases are these? Name the judge: differential onnx --cases FILE"
    );
    judges.iter().try_for_each(|files| compare(files, arguments))
}

fn compare(files: &Files, arguments: &DifferentialArguments) -> Result<()> {
    let root = cargo::root();
    let cases = match &arguments.cases {
        Some(cases) => cases.clone(),
        None => make(files, arguments.write)?,
    };
    let mut command = cargo::example("differential")?;
    command.arg(cases);
    if arguments.write {
        command.arg("--table").arg(root.join(TABLES).join(files.table));
        command.arg("--page").arg(root.join(PAGES).join(files.page));
        command.arg("--short").arg(root.join(SHORT).join(files.short));
    }
    if arguments.verbose {
        command.arg("--verbose");
    }
    process::run(&mut command)
}

/// Has Python make the cases, in an environment of its own under `target`.
fn make(files: &Files, write: bool) -> Result<PathBuf> {
    let folder = cargo::root().join("target/differential");
    let source = cargo::root().join("tests/differential").join(files.source);
    let python = environment(&folder.join(format!("python{}", files.source)), &source)?;
    process::run(Command::new(&python).arg(source.join("generate.py")).arg(&folder))?;
    if write {
        let (from, to) = (folder.join(files.schema), cargo::root().join(TABLES).join(files.kept));
        std::fs::copy(&from, &to).with_context(|| to.display().to_string())?;
    }
    Ok(folder.join(files.cases))
}

/// The Python of an environment that has what the generator needs.
fn environment(environment: &Path, source: &Path) -> Result<PathBuf> {
    let python = environment.join("bin/python");
    if !python.exists() {
        process::run(Command::new("python3").args(["-m", "venv"]).arg(environment))?;
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "-r"]).arg(source.join("requirements.txt"));
    process::run(&mut install)?;
    Ok(python)
}
