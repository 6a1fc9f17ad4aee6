//! `sandbar test`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use thiserror::Error;

use super::common::Common;
use crate::cases::bless::Blessing;
use crate::cases::diff::Colours;
use crate::cases::junit::JUnit;
use crate::cases::{CaseReport, Finder, Runner, Suite, Verdict};
use crate::output::{self, complain, say};
use sandbar_manifest::cases::Test as Case;
use sandbar_telemetry::visible;

/// The default log filter: what operators print. Failed records
/// are part of cases.
pub(super) const LOG: &str = "error,sandbar::operator=info";

/// Run test cases: inputs of an operator or a pipeline, and the expected outputs.
///
/// They run in the sandbox with its limits, and without Kafka (docs/reference/tests.md).
/// The exit status is 1 if a result differs from what is expected, and 2 if cases
/// cannot be read.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// An operator's folder with tests/*.toml; a pipeline's manifest with [[tests]], or
    /// with NAME.tests.toml beside it; a case file; a folder with some of these; or a
    /// component, to which the case files after it belong.
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Run only cases whose file or name contains TEXT.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// List the cases instead of running them.
    #[arg(long)]
    list: bool,
    /// Write the actual results into the case files as expectations, and show what
    /// changed.
    #[arg(long)]
    bless: bool,
    /// Write a report in JUnit's XML to FILE.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Cases cannot be read.
#[derive(Debug, Error)]
#[error("{0} of the paths cannot be tested")]
pub(super) struct Unreadable(usize);

/// The number of cases by result.
#[derive(Default)]
struct Totals {
    passed: usize,
    failed: usize,
    errors: usize,
    blessed: usize,
    left_out: usize,
}

impl Test {
    /// Of these cases.
    pub(super) fn of(path: &Path) -> Self {
        let (filter, list, bless, junit) = (None, false, false, None);
        Test { paths: vec![path.to_owned()], filter, list, bless, junit }
    }

    /// The same, which writes the actual results.
    pub(super) fn blessing(self) -> Self {
        Test { bless: true, ..self }
    }

    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        let start = Instant::now();
        let (mut finder, mut junit, mut unreadable) =
            (Finder::trusting(common.trust()), JUnit::default(), 0);
        for path in &self.paths {
            if let Err(error) = finder.add(path) {
                complain!("{error}");
                junit.unreadable(&path.display().to_string(), &error.to_string());
                unreadable += 1;
            }
        }
        if let Err(error) = finder.finish() {
            complain!("{error}");
            unreadable += 1;
        }
        let mut totals = Totals::default();
        if self.list {
            for suite in &finder.suites {
                for (_, test) in self.chosen(suite) {
                    say!("{}: {}", suite.path.display(), test.name);
                }
            }
        } else if !finder.suites.is_empty() {
            let mut runner = Runner::new(common.sandbox()?);
            for suite in &finder.suites {
                let reports = self.run(&mut runner, suite, &mut totals)?;
                if !reports.is_empty() {
                    junit.suite(suite, &reports);
                }
            }
            totals.tell(start);
        }
        if let Some(path) = &self.junit {
            let xml = junit.to_xml().context("cannot write the report as XML")?;
            std::fs::write(path, xml)
                .with_context(|| format!("{}: cannot be written", path.display()))?;
        }
        if unreadable > 0 {
            return Err(Unreadable(unreadable).into());
        }
        let Totals { passed, failed, errors, blessed, .. } = totals;
        let wrong = failed + errors;
        anyhow::ensure!(wrong == 0, "{wrong} of {} cases failed", passed + wrong + blessed);
        Ok(())
    }

    /// The cases of a file that pass the filter, with their indices.
    fn chosen<'a>(&'a self, suite: &'a Suite) -> impl Iterator<Item = (usize, &'a Case)> {
        let file = suite.path.display().to_string();
        suite.tests.iter().enumerate().filter(move |(_, test)| match &self.filter {
            Some(text) => test.name.contains(text) || file.contains(text),
            None => true,
        })
    }

    /// Runs the cases of a file, and prints the result of each.
    fn run(
        &self,
        runner: &mut Runner,
        suite: &Suite,
        totals: &mut Totals,
    ) -> anyhow::Result<Vec<CaseReport>> {
        let colours = Colours::of_stdout();
        let mut reports = Vec::new();
        let mut blessings = BTreeMap::new();
        for (index, test) in self.chosen(suite) {
            if reports.is_empty() {
                say!("{}", suite.path.display());
            }
            let report = runner.run(suite, test);
            let mut blessed = false;
            if self.bless && matches!(report.verdict, Verdict::Failed(_)) {
                let path = report.expectations.as_deref().unwrap_or(&suite.path);
                if !blessings.contains_key(path) {
                    blessings.insert(path.to_owned(), open(path, report.expectations.is_some())?);
                }
                let blessing = blessings.get_mut(path);
                blessed = blessing.is_some_and(|blessing| blessing.take(index, &report));
            }
            totals.count(&report, blessed);
            tell(suite, &report, blessed, colours);
            reports.push(report);
        }
        totals.left_out += suite.tests.len() - reports.len();
        for (path, blessing) in blessings {
            let name = path.display();
            blessing.write(&path).with_context(|| format!("{name}: cannot be written"))?;
            say!("{name} now:");
            blessing.diff("  ", colours).lines().for_each(output::coloured);
        }
        Ok(reports)
    }
}

/// A file to bless: with cases, or with expectations alone.
fn open(path: &Path, lines: bool) -> anyhow::Result<Blessing> {
    let opened = if lines { Blessing::of_lines(path) } else { Blessing::of_cases(path) };
    opened.with_context(|| path.display().to_string())
}

fn tell(suite: &Suite, report: &CaseReport, blessed: bool, colours: Colours) {
    let (word, colour) = match &report.verdict {
        Verdict::Passed => ("ok     ", "32"),
        Verdict::Failed(_) if blessed => ("blessed", "33"),
        Verdict::Failed(_) => ("FAILED ", "31"),
        Verdict::Error(_) => ("ERROR  ", "31"),
    };
    output::coloured(format_args!(
        "  {} {}",
        colours.paint(colour, word),
        visible::line(&report.name)
    ));
    let cost = report.cost();
    if !cost.is_empty() {
        output::coloured(format_args!("          {}", colours.paint("2", &cost)));
    }
    // Blessed changes are shown with the file.
    if !blessed {
        for line in report.explain(&suite.path, colours).lines() {
            output::coloured(format_args!("    {line}"));
        }
    }
}

impl Totals {
    fn count(&mut self, report: &CaseReport, blessed: bool) {
        *match report.verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed(_) if blessed => &mut self.blessed,
            Verdict::Failed(_) => &mut self.failed,
            Verdict::Error(_) => &mut self.errors,
        } += 1;
    }

    fn tell(&self, start: Instant) {
        let mut text = format!("{} passed", self.passed);
        let others = [
            (self.failed, "failed"),
            (self.errors, "could not run"),
            (self.blessed, "blessed"),
            (self.left_out, "left out by --filter"),
        ];
        for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
            text += &format!(", {count} {what}");
        }
        say!("{text} ({:.1?})", start.elapsed());
    }
}

impl Colours {
    /// Colours if standard output is a terminal and `NO_COLOR` is not set.
    fn of_stdout() -> Self {
        let objection = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Colours(output::is_terminal() && !objection)
    }
}
