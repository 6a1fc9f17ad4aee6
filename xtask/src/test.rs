//! `cargo xtask test`: the one command that runs every test.
//!
//! They come in parts, which `--only` picks: the operators' own tests on this machine, the
//! units of the host with the examples in its documentation, and the programs of
//! [`programs`], where real components meet real brokers. Each part runs to its end whatever
//! fails, and the summary has its time. Tests that must have the machine for themselves say so
//! by their module, see there. Some tests last as long as they are let; `--long` lets them.

use std::ffi::OsString;
use std::panic::resume_unwind;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread::ScopedJoinHandle;
use std::vec::IntoIter;

use anyhow::{Result, bail};
use clap::Args;

use crate::kafka::{Cluster, Installation, Lifetime, SchemaRegistry, Unavailable};
use crate::programs::{Built, Listed, Load, Program};
use crate::report::Report;
use crate::{cargo, languages, operators, process, programs};

/// Where tests find an Apache Kafka: `HOST:PORT`.
pub const KAFKA_VARIABLE: &str = "SANDBAR_TEST_KAFKA";

/// Set to `1` for the long form of tests that break things.
pub const LONG_VARIABLE: &str = "SANDBAR_TEST_LONG";

/// How many minutes the soak takes, which is skipped without it.
pub const SOAK_VARIABLE: &str = "SANDBAR_SOAK_MINUTES";

/// Minutes that the soak takes in a run of long tests, for each kind of delivery.
const SOAK_MINUTES: &str = "30";

/// Set for xtask's own tests if an Apache Kafka can be started here.
const LAUNCHER_VARIABLE: &str = "SANDBAR_TEST_KAFKA_LAUNCHER";

/// The languages besides Rust in which tests can build operators.
const LANGUAGES_VARIABLE: &str = "SANDBAR_TEST_LANGUAGES";

/// Where tests find large data: a folder, see docs/test-data.md.
const DATA_VARIABLE: &str = "SANDBAR_TEST_DATA";

/// What `cargo xtask test` takes.
#[derive(Args)]
pub struct TestArguments {
    /// Leave out the tests against Apache Kafka.
    #[arg(long)]
    no_kafka: bool,
    /// Let the tests last that break things, a hundred kills instead of ten, and run the soak
    /// too: two hours more.
    #[arg(long)]
    long: bool,
    /// Only this part of the tests; may be given more than once.
    #[arg(long, value_name = "PART", value_parser = parts())]
    only: Vec<String>,
    /// Arguments for the host's test programs: a name to filter by, --nocapture.
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

/// Builds the components, tests the operators natively, then the host with
/// those components and, if available, its own Apache Kafka.
///
/// # Errors
/// When something does not compile, a test fails, or in CI when a test would
/// be skipped for want of Java or Maven.
pub fn run(arguments: &TestArguments) -> Result<()> {
    let wanted = Wanted(&arguments.only);
    let mut report = Report::default();
    note_about_data(&mut report);

    // What must be fetched comes while processors are busy with what must be compiled.
    let (built, languages) = std::thread::scope(|scope| {
        let fetching = scope.spawn(|| {
            let given = std::env::var_os(KAFKA_VARIABLE).is_some_and(|value| !value.is_empty());
            if wanted.kafka() && !arguments.no_kafka && !given {
                // If that fails it does so again below, where it is told.
                let _ = Installation::resolve(None).map(Installation::archived);
                let _ = SchemaRegistry::resolve();
            }
            if wanted.is(LANGUAGES_PART) {
                languages::look().map(Vec::from)
            } else {
                Ok(Vec::new())
            }
        });
        let built = build(wanted, &mut report);
        process::heading("Python, JavaScript and Apache Kafka");
        let fetched = report.time("waiting for what is fetched", || fetching.join());
        (built, fetched.unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let built = built?;
    let languages = languages?;
    let Some(built) = built else { return report.finish() };
    let kafka = match wanted.kafka() {
        true => Some(report.time("Apache Kafka", || start_kafka(arguments.no_kafka))?),
        false => None,
    };
    if let Some(Kafka::LeftOut(why)) = &kafka {
        report.skipped(format!("tests against Apache Kafka ({why})"));
    }
    let mut available = Vec::new();
    for language in languages {
        match language.missing {
            None => available.push(language.name),
            Some(why) => report.skipped(format!("operators in {} ({why})", language.name)),
        }
    }

    let prepare = |command: &mut Command| {
        command.env(LANGUAGES_VARIABLE, available.join(","));
        match &kafka {
            Some(Kafka::Running(cluster)) => {
                command.env(KAFKA_VARIABLE, cluster.bootstrap());
                command.env(LAUNCHER_VARIABLE, "1");
            }
            Some(Kafka::LeftOut(_)) => {
                command.env_remove(KAFKA_VARIABLE);
            }
            Some(Kafka::Given) | None => {}
        }
        if arguments.long {
            command.env(LONG_VARIABLE, "1");
            if std::env::var_os(SOAK_VARIABLE).is_none() {
                command.env(SOAK_VARIABLE, SOAK_MINUTES);
            }
        }
    };
    run_parts(&built, wanted, &arguments.arguments, &prepare, &mut report)?;
    if let Some(Kafka::Running(cluster)) = &kafka
        && report.any_failed()
    {
        cluster.keep_log();
    }

    drop(kafka);
    report.finish()
}

/// How many programs that wait run at the same time: with more, clients miss their heartbeats.
const WAITING: usize = 2;

/// A part of the host's tests.
#[derive(Clone, Copy)]
enum Part<'a> {
    Units(&'a Built),
    Program(&'a Listed<'a>),
}

impl Part<'_> {
    fn name(self) -> &'static str {
        match self {
            Part::Units(_) => UNITS,
            Part::Program(tests) => tests.program.name,
        }
    }

    fn load(self) -> Load {
        match self {
            Part::Units(_) => Load::Works,
            Part::Program(tests) => tests.program.load,
        }
    }

    /// Runs what need not be alone.
    fn run(self, arguments: &[OsString], prepare: impl Fn(&mut Command)) -> Result<()> {
        match self {
            Part::Units(built) => built.run_units(arguments, prepare),
            Part::Program(tests) => tests.run_shared(arguments, prepare),
        }
    }
}

/// Runs the parts of the host: those that work beside those that wait, and then what must be
/// alone.
fn run_parts(
    built: &Built,
    wanted: Wanted<'_>,
    arguments: &[OsString],
    prepare: &(impl Fn(&mut Command) + Sync),
    report: &mut Report,
) -> Result<()> {
    let programs = programs::ALL.iter().filter(|program| wanted.is(program.name));
    let listed: Vec<Listed<'_>> =
        programs.map(|program| built.list(program, arguments, prepare)).collect::<Result<_>>()?;
    let units = wanted.is(UNITS).then_some(Part::Units(built));
    let parts: Vec<Part<'_>> = units.into_iter().chain(listed.iter().map(Part::Program)).collect();
    let has_company = parts.len() > 1;
    let (works, waits): (Vec<_>, Vec<_>) =
        parts.into_iter().partition(|part| part.load() == Load::Works);
    let [works, waits] = [works, waits].map(|parts| Mutex::new(parts.into_iter()));

    let run_queue = |queue: &Mutex<IntoIter<Part<'_>>>| {
        let mut report = Report::default();
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some(part) = next() {
            let run = || part.run(arguments, prepare);
            report.test(part.name(), || match has_company {
                true => process::named(part.name(), run),
                false => run(),
            })?;
        }
        Ok(report)
    };
    let workers = std::iter::once(&works).chain([&waits; WAITING]);
    let outcomes: Vec<Result<Report>> = std::thread::scope(|scope| {
        let threads: Vec<_> = workers.map(|queue| scope.spawn(|| run_queue(queue))).collect();
        let outcomes = threads.into_iter().map(ScopedJoinHandle::join);
        outcomes.map(|it| it.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    for outcome in outcomes {
        report.append(outcome?);
    }
    for tests in listed.iter().filter(|tests| tests.has_exclusive()) {
        let name = tests.program.name;
        let run = || tests.run_exclusive(arguments, prepare);
        report.test(name, || process::named(name, run))?;
    }
    Ok(())
}

/// Builds the components, of which the host embeds some, then what else is wanted, and tests the
/// operators beside it: the end of a build leaves cores idle. Returns the host's programs if any
/// of their tests are wanted and they compile.
fn build(wanted: Wanted<'_>, report: &mut Report) -> Result<Option<Built>> {
    process::heading("components");
    report.time("components", operators::build)?;
    if !wanted.host() {
        report.append(test_operators(wanted)?);
        return Ok(None);
    }
    let host = || {
        let (mut report, mut built) = (Report::default(), None);
        report.test("build of the host", || {
            built = Some(programs::build()?);
            Ok(())
        })?;
        Ok((report, built))
    };
    let operators = || test_operators(wanted);
    let ((host, built), operators) =
        process::side_by_side(("host", host), ("operators", operators))?;
    report.append(operators);
    report.append(host);
    Ok(built)
}

/// Runs the operators' own tests if they are wanted.
fn test_operators(wanted: Wanted<'_>) -> Result<Report> {
    let mut report = Report::default();
    if wanted.is(OPERATORS) {
        let mut tests = cargo::operators_natively();
        tests.args(["test", "--workspace", "--no-fail-fast"]);
        report.test("operators", || process::run(&mut tests))?;
    }
    Ok(report)
}

/// The part that is the operators' own tests.
const OPERATORS: &str = "operators";

/// The part that is the units of the host and of its tools.
const UNITS: &str = "units";

/// The part whose tests build operators in other languages than Rust.
const LANGUAGES_PART: &str = "local";

/// The parts that `--only` takes.
fn parts() -> Vec<&'static str> {
    let programs = programs::ALL.iter().map(|program| program.name);
    [OPERATORS, UNITS].into_iter().chain(programs).collect()
}

/// The parts that were asked for; none: all.
#[derive(Clone, Copy)]
struct Wanted<'a>(&'a [String]);

impl Wanted<'_> {
    fn is(self, part: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|it| it == part)
    }

    /// Whether any part is of the host.
    fn host(self) -> bool {
        self.is(UNITS) || programs::ALL.iter().any(|program| self.is(program.name))
    }

    /// Whether any part has tests against an Apache Kafka.
    fn kafka(self) -> bool {
        let some = |program: &Program| program.wants_kafka && self.is(program.name);
        self.is(UNITS) || programs::ALL.iter().any(some)
    }
}

/// The Apache Kafka that the tests get.
enum Kafka {
    /// Ours; it ends with this value.
    Running(Cluster),
    /// An external one, named by [`KAFKA_VARIABLE`].
    Given,
    /// None, and why.
    LeftOut(&'static str),
}

fn start_kafka(unwanted: bool) -> Result<Kafka> {
    if unwanted {
        eprintln!("skipped: --no-kafka");
        return Ok(Kafka::LeftOut("--no-kafka"));
    }
    if let Ok(address) = std::env::var(KAFKA_VARIABLE)
        && !address.is_empty()
    {
        eprintln!("using {address}, from {KAFKA_VARIABLE}");
        return Ok(Kafka::Given);
    }
    let installation = match Installation::resolve(None) {
        Ok(installation) => installation.archived(),
        Err(Unavailable::Failed(error)) => {
            return Err(error.context(
                "Apache Kafka is not available; `cargo xtask test --no-kafka` runs the other tests",
            ));
        }
        Err(Unavailable::Missing(what)) => {
            let message = format!(
                "The tests against Apache Kafka are skipped: {what}.\nTo run them install Java 17 \
                 or newer and Maven (on Debian: apt-get install default-jre-headless maven), or \
                 set {KAFKA_VARIABLE}=HOST:PORT to an Apache Kafka 4 that tests may write to, \
                 then run `cargo xtask test` again."
            );
            // A CI that skips tests silently would stay green when it should not.
            if in_ci() {
                bail!("{message}\nIn CI (CI is set) that is a failure; --no-kafka allows it.");
            }
            eprintln!("{message}");
            return Ok(Kafka::LeftOut("Java or Maven is missing"));
        }
    };
    let name = format!("test-{}", std::process::id());
    let cluster = Cluster::start(&installation, &name, 1, None, Lifetime::Ours)?;
    eprintln!("Apache Kafka {} is running at {}", installation.version(), cluster.bootstrap());
    Ok(Kafka::Running(cluster))
}

fn note_about_data(report: &mut Report) {
    if std::env::var_os(DATA_VARIABLE).is_none_or(|value| value.is_empty()) {
        eprintln!(
            "{DATA_VARIABLE} is not set: tests over the real flight records are skipped, see \
             docs/test-data.md"
        );
        report.skipped(format!("tests that need {DATA_VARIABLE}"));
    }
}

/// Whether this is a CI run: `CI` is set to a value that does not mean no.
fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| means_yes(&value))
}

fn means_yes(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "" | "0" | "false" | "no")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_is_on_unless_it_says_no() {
        for yes in ["true", "1", "woodpecker"] {
            assert!(means_yes(yes), "{yes}");
        }
        for no in ["", "0", "false", "False"] {
            assert!(!means_yes(no), "{no}");
        }
    }

    #[test]
    fn parts_are_picked() {
        let picked = |parts: &[&str]| {
            let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            let wanted = Wanted(&parts);
            (wanted.host(), wanted.kafka(), wanted.is("local"))
        };
        assert_eq!(picked(&[]), (true, true, true));
        assert_eq!(picked(&["operators"]), (false, false, false));
        assert_eq!(picked(&["local", "registry"]), (true, false, true));
        assert_eq!(picked(&["operators", "fleet"]), (true, true, false));
        assert!(parts().contains(&LANGUAGES_PART));
    }
}
