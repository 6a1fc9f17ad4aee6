//! The programs of `tests/`: which there are, and how each is run.
//!
//! Each links all of the host, which takes minutes and a hundred megabytes; so they are few,
//! and each is a tree of modules. A test that must have the machine for itself, because it
//! measures time or memory, or must be done within milliseconds, stands in a module named
//! `exclusive`: those of all programs are run when all others are through, one after the other.
//!
//! Most tests wait for brokers and clocks; some keep every core busy. Programs of the one kind
//! and of the other run at the same time, see [`Load`].

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{cargo, process};

/// How many tests a program runs at once, unless its arguments say so.
const THREADS_VARIABLE: &str = "RUST_TEST_THREADS";

/// The module of tests that must have the machine for themselves.
const EXCLUSIVE: &str = "exclusive";

/// A program of tests.
#[derive(Debug)]
pub struct Program {
    /// Its name, and its folder below `tests/tests/`.
    pub name: &'static str,
    /// Whether some of its tests are skipped without an Apache Kafka.
    pub wants_kafka: bool,
    /// Whether its tests work or wait.
    pub load: Load,
    /// Tests at once for each core: more than one where tests wait.
    threads: usize,
}

/// What tests do with their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// They keep a core busy each: they compile. They leave the cores to those that wait when
    /// those need them, so that no client misses a heartbeat.
    Works,
    /// They wait for brokers and clocks.
    Waits,
}

/// All of them, in the order in which they are begun: of those that wait, the longest first.
pub static ALL: [Program; 6] = [
    Program { name: "local", wants_kafka: false, load: Load::Works, threads: 1 },
    Program { name: "kafka", wants_kafka: true, load: Load::Waits, threads: 3 },
    Program { name: "faults", wants_kafka: true, load: Load::Waits, threads: 3 },
    Program { name: "fleet", wants_kafka: true, load: Load::Waits, threads: 3 },
    Program { name: "exactly_once", wants_kafka: true, load: Load::Waits, threads: 2 },
    Program { name: "registry", wants_kafka: false, load: Load::Waits, threads: 1 },
];

/// All tests as built, but for the examples of the documentation.
#[derive(Debug)]
pub struct Built {
    /// The executable of each program, by its name.
    executables: HashMap<String, PathBuf>,
    /// The units, and programs of other packages.
    units: Vec<Unit>,
}

/// A program of units.
#[derive(Debug, PartialEq)]
struct Unit {
    executable: PathBuf,
    /// The folder of its package, in which it is run.
    folder: PathBuf,
}

/// Builds all programs and other tests, and the command that they start: cargo builds that for
/// the tests of its own package alone.
///
/// They are started without cargo: it would wait for the lock of its folder, which tests hold
/// while they build projects of their own; and `cargo test --lib` builds more than there are tests.
///
/// # Errors
/// When something does not compile, or cargo does not say where the programs are.
pub fn build() -> Result<Built> {
    let mut build = cargo::host();
    build.args(["build", "--release", "--workspace", "--bin", "sandbar", "--tests"]);
    process::run(&mut build)?;
    // All is there by now; this tells where.
    let messages = process::output_of(build.args(["--quiet", "--message-format", "json"]))?;
    built(&messages)
}

impl Built {
    /// Runs the tests that are no programs of `tests/`: the units, programs of other packages, and
    /// the examples of the documentation; `prepare` sets the environment.
    ///
    /// # Errors
    /// When a test fails; all others have run by then.
    pub fn run_units(&self, arguments: &[OsString], prepare: impl Fn(&mut Command)) -> Result<()> {
        let units = self.units.iter().map(|unit| {
            let mut command = Command::new(&unit.executable);
            command.current_dir(&unit.folder).args(arguments);
            command
        });
        let mut examples = cargo::host();
        // The whole workspace: a package by itself would be compiled with other features of what
        // all use, and all of that once more.
        examples.args(["test", "--release", "--workspace", "--no-fail-fast", "--doc", "--"]);
        examples.args(arguments);
        let outcomes: Vec<Result<()>> = units
            .chain([examples])
            .map(|command| {
                let mut command = process::with_less_priority(&command);
                prepare(&mut command);
                process::run(&mut command)
            })
            .collect();
        outcomes.into_iter().collect()
    }

    /// Runs a program; what is given to the command are arguments of a test program.
    ///
    /// # Errors
    /// When there is no program of that name.
    pub fn command(&self, name: &str) -> Result<Command> {
        let executable =
            self.executables.get(name).with_context(|| format!("there is no program '{name}'"))?;
        let mut command = Command::new(executable);
        // As cargo does.
        command.current_dir(cargo::root().join("tests"));
        Ok(command)
    }

    /// Lists a program's tests, of those that the arguments of a test program pick; `prepare`
    /// sets the environment.
    ///
    /// # Errors
    /// When the program does not list them.
    pub fn list(
        &self,
        program: &'static Program,
        arguments: &[OsString],
        prepare: impl Fn(&mut Command),
    ) -> Result<Listed<'_>> {
        let mut list = self.command(program.name)?;
        prepare(&mut list);
        list.args(["--list", "--format", "terse"]).args(arguments);
        let list = process::output_of(&mut list)?;
        let (exclusive, shared) = partition(&list);
        let exclusive = exclusive.into_iter().map(str::to_owned).collect();
        Ok(Listed { built: self, program, exclusive, shared })
    }
}

/// The program of a name.
pub fn named(name: &str) -> Option<&'static Program> {
    ALL.iter().find(|program| program.name == name)
}

/// A program and its tests.
#[derive(Debug)]
pub struct Listed<'a> {
    built: &'a Built,
    /// The program.
    pub program: &'static Program,
    /// The names of those that must be alone.
    exclusive: Vec<String>,
    /// How many others there are.
    shared: usize,
}

impl Listed<'_> {
    /// Whether it has tests that must be alone.
    pub fn has_exclusive(&self) -> bool {
        !self.exclusive.is_empty()
    }

    /// Runs the tests that need not be alone, with the arguments that they were listed with;
    /// `prepare` sets the environment.
    ///
    /// # Errors
    /// When a test fails; all others have run by then.
    pub fn run_shared(&self, arguments: &[OsString], prepare: impl Fn(&mut Command)) -> Result<()> {
        if self.shared == 0 {
            return Ok(());
        }
        let command = self.built.command(self.program.name)?;
        let mut command = match self.program.load {
            Load::Works => process::with_less_priority(&command),
            Load::Waits => command,
        };
        prepare(&mut command);
        command.args(["--skip", &format!("{EXCLUSIVE}::")]).args(arguments);
        if std::env::var_os(THREADS_VARIABLE).is_none() {
            let cores = available_parallelism().map_or(1, Into::into);
            command.env(THREADS_VARIABLE, (self.program.threads * cores).to_string());
        }
        process::run(&mut command)
    }

    /// Runs the tests that must be alone, one after the other.
    ///
    /// # Errors
    /// As [`Listed::run_shared`].
    pub fn run_exclusive(
        &self,
        arguments: &[OsString],
        prepare: impl Fn(&mut Command),
    ) -> Result<()> {
        if self.exclusive.is_empty() {
            return Ok(());
        }
        let mut command = self.built.command(self.program.name)?;
        prepare(&mut command);
        command.args(["--exact"]).args(flags(arguments)).args(&self.exclusive);
        command.env(THREADS_VARIABLE, "1");
        process::run(&mut command)
    }
}

/// Of a list of tests: those that want to be alone, and how many others there are.
fn partition(list: &str) -> (Vec<&str>, usize) {
    let tests = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let (exclusive, shared): (Vec<&str>, Vec<&str>) =
        tests.partition(|test| test.split("::").any(|module| module == EXCLUSIVE));
    (exclusive, shared.len())
}

/// The arguments of a test program without the names of tests, and without how it picks
/// tests and how many run at once.
fn flags(arguments: &[OsString]) -> Vec<&OsStr> {
    const WITH_A_VALUE: [&str; 4] = ["--color", "--format", "--logfile", "-Z"];
    let (mut flags, mut rest) = (Vec::new(), arguments.iter().map(OsString::as_os_str));
    while let Some(argument) = rest.next() {
        let Some(text) = argument.to_str().filter(|text| text.starts_with('-')) else { continue };
        match text {
            "--exact" => {}
            "--skip" | "--test-threads" => drop(rest.next()),
            _ if text.starts_with("--skip=") || text.starts_with("--test-threads=") => {}
            _ if WITH_A_VALUE.contains(&text) => flags.extend([Some(argument), rest.next()]),
            _ => flags.push(Some(argument)),
        }
    }
    flags.into_iter().flatten().collect()
}

/// Where the tests are, from what cargo writes of a build: a line of JSON for each target.
fn built(messages: &str) -> Result<Built> {
    let (mut executables, mut units) = (HashMap::new(), Vec::new());
    for line in messages.lines() {
        let message: Value =
            serde_json::from_str(line).context("cargo build did not write JSON")?;
        let (target, manifest) = (&message["target"], message["manifest_path"].as_str());
        let (true, Some(executable)) =
            (message["profile"]["test"] == true, message["executable"].as_str())
        else {
            continue;
        };
        let folder = manifest.and_then(|path| Path::new(path).parent());
        let folder = folder.context("cargo build does not say of which package a test is")?;
        let is_program = target["kind"] == serde_json::json!(["test"]);
        match ALL.iter().find(|program| is_program && target["name"] == program.name) {
            Some(program) => {
                executables.insert(program.name.to_owned(), executable.into());
            }
            None => units.push(Unit { executable: executable.into(), folder: folder.into() }),
        }
    }
    Ok(Built { executables, units })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_tells_where_tests_are() -> Result<()> {
        let messages = r#"{"reason": "compiler-artifact", "manifest_path": "/s/tests/Cargo.toml", "target": {"kind": ["lib"], "name": "fleet"}, "profile": {"test": false}, "executable": null}
{"reason": "compiler-artifact", "manifest_path": "/s/tests/Cargo.toml", "target": {"kind": ["test"], "name": "fleet"}, "profile": {"test": true}, "executable": "/a/fleet-1"}
{"reason": "compiler-artifact", "manifest_path": "/s/x/Cargo.toml", "target": {"kind": ["lib"], "name": "fleet"}, "profile": {"test": true}, "executable": "/a/fleet-2"}
{"reason": "compiler-artifact", "manifest_path": "/s/x/Cargo.toml", "target": {"kind": ["bin"], "name": "x"}, "profile": {"test": false}, "executable": "/a/x"}
{"reason": "build-finished", "success": true}"#;
        let Built { executables, units } = built(messages)?;
        let fleet = HashMap::from([("fleet".to_owned(), PathBuf::from("/a/fleet-1"))]);
        assert_eq!(executables, fleet);
        assert_eq!(units, [Unit { executable: "/a/fleet-2".into(), folder: "/s/x".into() }]);
        assert!(built("error: no manifest").is_err());
        Ok(())
    }

    #[test]
    fn each_program_has_its_folder() -> Result<()> {
        let folder = cargo::root().join("tests/tests");
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&folder).context("tests/tests cannot be read")? {
            let name = entry?.file_name();
            assert!(folder.join(&name).join("main.rs").is_file(), "{}", name.display());
            found.push(name);
        }
        found.sort();
        let mut known = ALL.each_ref().map(|program| OsString::from(program.name));
        known.sort();
        assert_eq!(found, known);
        Ok(())
    }

    #[test]
    fn what_is_exclusive_is_told_by_its_module() {
        let list = "a::exclusive::b: test\nexclusive::c::d: test\nnot_exclusive::e: test\n\
                    f_is_exclusive: test\n";
        assert_eq!(partition(list), (vec!["a::exclusive::b", "exclusive::c::d"], 2));
        assert_eq!(partition(""), (vec![], 0));
    }

    #[test]
    fn names_of_tests_are_no_flags() {
        let arguments = ["a", "--nocapture", "--skip", "b", "--exact", "--color", "always", "c"];
        let arguments = arguments.map(OsString::from);
        assert_eq!(flags(&arguments), ["--nocapture", "--color", "always"]);
        let arguments = ["--test-threads=1", "--test-threads", "2", "-q"].map(OsString::from);
        assert_eq!(flags(&arguments), ["-q"]);
    }
}
