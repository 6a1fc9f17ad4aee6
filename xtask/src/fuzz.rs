//! `cargo xtask fuzz`: runs fuzz targets, by themselves and for longer than `test` does.
//!
//! The targets are in two packages, `operators/fuzz` and `host/fuzz`. Each is a test program
//! of its workspace, so `cargo xtask test` runs every target for two seconds as it is.

use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{cargo, process};

/// What `cargo xtask fuzz` takes.
#[derive(Args)]
pub struct FuzzArguments {
    /// A target; all of them if it is left out.
    target: Option<String>,
    /// How long each target runs.
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// What the inputs follow from. By default the clock; it is printed.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Let libFuzzer look for inputs that reach other code: needs a nightly toolchain and
    /// `cargo install cargo-fuzz`.
    #[arg(long)]
    coverage: bool,
    /// Run one input that is in a file, and show how it fails.
    #[arg(long, value_name = "FILE", requires = "target", conflicts_with = "coverage")]
    input: Option<PathBuf>,
    /// Print the names of the targets.
    #[arg(long, conflicts_with_all = ["coverage", "input", "target"])]
    list: bool,
}

/// A package of targets.
#[derive(Clone, Copy)]
struct Suite {
    /// Its folder, seen from the root.
    folder: &'static str,
    /// Runs its test program; the arguments follow.
    program: fn() -> Command,
}

/// All of them, the one that is built sooner first.
const SUITES: [Suite; 2] = [
    Suite { folder: "operators/fuzz", program: operators },
    Suite { folder: "host/fuzz", program: host },
];

fn operators() -> Command {
    let mut command = cargo::operators_natively();
    command.args(["test", "--quiet", "--profile", "fuzz", "--package", "sandbar-operators-fuzz"]);
    command.args(["--test", "fuzz", "--", "--fuzz"]);
    command
}

fn host() -> Command {
    let mut command = cargo::host();
    // As `cargo xtask test` builds it: with the features that the whole workspace asks for.
    command.args(["test", "--quiet", "--release", "--workspace"]);
    command.args(["--test", "fuzz", "--", "--fuzz"]);
    command
}

impl Suite {
    /// The names of its targets, as its table has them. To ask the program for them would
    /// take minutes where the host is not built yet.
    fn targets(&self) -> Result<Vec<String>> {
        let table = cargo::root().join(self.folder).join("src/lib.rs");
        let table = std::fs::read_to_string(&table).context(table.display().to_string())?;
        let names = table.split("name: \"").skip(1).filter_map(|rest| rest.split('"').next());
        Ok(names.map(str::to_owned).collect())
    }
}

/// Runs a target, or all.
///
/// # Errors
/// When a target fails, does not compile, or there is none of this name.
pub fn run(arguments: &FuzzArguments) -> Result<()> {
    if arguments.list {
        targets()?.iter().for_each(|target| println!("{target}"));
        return Ok(());
    }
    let suites = match &arguments.target {
        Some(target) => vec![suite_of(target)?],
        None => SUITES.to_vec(),
    };
    let seed = arguments.seed.map_or_else(clock, Ok)?;
    let mut failed = 0;
    for suite in suites {
        let mut command = (suite.program)();
        command.args(&arguments.target);
        command.args(["--seconds", &arguments.seconds.to_string(), "--seed", &seed.to_string()]);
        if arguments.coverage {
            command.arg("--coverage");
        }
        if let Some(input) = &arguments.input {
            let input = std::path::absolute(input).context("no current folder")?;
            command.arg("--input").arg(input);
        }
        if let Err(error) = process::run(&mut command) {
            if process::interrupted() {
                return Err(error);
            }
            failed += 1;
        }
    }
    match failed {
        0 => Ok(()),
        _ => bail!("a fuzz target failed"),
    }
}

/// The names of all targets.
///
/// # Errors
/// When a table cannot be read.
pub fn targets() -> Result<Vec<String>> {
    let targets = SUITES.iter().map(Suite::targets).collect::<Result<Vec<_>>>()?;
    Ok(targets.concat())
}

/// The package that has a target.
fn suite_of(target: &str) -> Result<Suite> {
    let mut known = Vec::new();
    for suite in SUITES {
        let targets = suite.targets()?;
        if targets.iter().any(|name| name == target) {
            return Ok(suite);
        }
        known.extend(targets);
    }
    bail!("{target}: no such fuzz target; there are {}", known.join(", "))
}

fn clock() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(now.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_found_by_its_name() -> Result<()> {
        for (suite, one) in SUITES.iter().zip(["mojo-entries", "guest-answers"]) {
            let targets = suite.targets()?;
            assert!(targets.iter().any(|name| name == one), "{targets:?}");
            assert_eq!(suite_of(one)?.folder, suite.folder);
        }
        assert!(suite_of("no-such-target").is_err());
        Ok(())
    }
}
