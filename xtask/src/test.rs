//! `cargo xtask test`: the one command that runs every test.

use std::ffi::OsString;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;

use crate::kafka::{Cluster, Installation, Lifetime, Unavailable};
use crate::{cargo, languages, operators, process};

/// Where tests find an Apache Kafka: `HOST:PORT`.
pub const KAFKA_VARIABLE: &str = "SANDBAR_TEST_KAFKA";

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
    let mut report = Report::default();
    note_about_data(&mut report);

    process::heading("components");
    report.time("components", operators::build)?;

    process::heading("tests of the operators");
    let operators = report.time("tests of the operators", || {
        process::run(cargo::operators_natively().args(["test", "--workspace", "--no-fail-fast"]))
    });
    report.test("tests of the operators", operators)?;

    process::heading("Apache Kafka");
    let kafka = report.time("Apache Kafka", || start_kafka(arguments.no_kafka))?;

    process::heading("Python and JavaScript");
    let languages = report.time("Python and JavaScript", languages::look)?;

    process::heading("tests of the host");
    let mut command = cargo::host();
    command.args(["test", "--release", "--workspace", "--no-fail-fast"]);
    let mut available = Vec::new();
    for language in languages {
        match language.missing {
            None => available.push(language.name),
            Some(why) => report.skipped(format!("operators in {} ({why})", language.name)),
        }
    }
    command.env(LANGUAGES_VARIABLE, available.join(","));
    match &kafka {
        Kafka::Running(cluster) => {
            command.env(KAFKA_VARIABLE, cluster.bootstrap());
            command.env(LAUNCHER_VARIABLE, "1");
        }
        Kafka::LeftOut(why) => {
            command.env_remove(KAFKA_VARIABLE);
            report.skipped(format!("tests against Apache Kafka ({why})"));
        }
        Kafka::Given => {}
    }
    if !arguments.arguments.is_empty() {
        command.arg("--").args(&arguments.arguments);
    }
    let host = report.time("tests of the host", || process::run(&mut command));
    if let (Err(_), Kafka::Running(cluster)) = (&host, &kafka)
        && !process::interrupted()
    {
        cluster.keep_log();
    }
    report.test("tests of the host", host)?;

    drop(kafka);
    report.finish()
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
        Ok(installation) => installation,
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

/// The results, for the summary.
#[derive(Default)]
struct Report {
    seconds: Vec<(&'static str, u64)>,
    failed: Vec<String>,
    skipped: Vec<String>,
}

impl Report {
    fn time<T>(&mut self, what: &'static str, step: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let outcome = step();
        self.seconds.push((what, start.elapsed().as_secs()));
        outcome
    }

    /// Remembers a failure and lets the run go on, so that one run shows all
    /// that fails; an interrupt ends it.
    fn test(&mut self, what: &str, outcome: Result<()>) -> Result<()> {
        match outcome {
            Err(error) if process::interrupted() => Err(error),
            Err(error) => {
                eprintln!("{error:#}");
                self.failed.push(what.to_owned());
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn skipped(&mut self, what: String) {
        self.skipped.push(what);
    }

    fn finish(self) -> Result<()> {
        process::heading("summary");
        for (what, seconds) in &self.seconds {
            eprintln!("{seconds:>5} s  {what}");
        }
        for what in &self.skipped {
            eprintln!("skipped: {what}");
        }
        if !self.failed.is_empty() {
            bail!("failed: {}", self.failed.join(", "));
        }
        eprintln!("all tests that ran have passed");
        Ok(())
    }
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
    fn a_failed_step_fails_the_run_at_its_end() -> Result<()> {
        let mut report = Report::default();
        report.test("one", Err(anyhow::anyhow!("no")))?;
        report.test("two", Ok(()))?;
        let error = report.finish().map_err(|error| error.to_string());
        assert_eq!(error, Err("failed: one".to_owned()));
        Ok(())
    }
}
