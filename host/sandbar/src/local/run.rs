//! Puts a local run together.

use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::Context;
use sandbar_pipeline::Plan;
use sandbar_pipeline::harness::Harness;
use sandbar_record::{Shutdown, Source};
use sandbar_telemetry::Snapshot;

use super::lines::{self, LineSource};
use super::printer::Printer;
use super::source::LineFeed;
use crate::output;

/// What is read, and how its results are printed. Predictions go to standard output, one a
/// line; a record that fails to standard error, as a JSON object.
#[derive(Debug, Clone, Default)]
pub struct LocalRun {
    /// The files to read; standard input if there are none.
    pub files: Vec<PathBuf>,
    /// Whether each file is one record, whose key is the file's path; else each line is one.
    pub whole: bool,
    /// Whether the topic of each output and a tab are printed before it.
    pub with_topic: bool,
}

impl LocalRun {
    /// Checks that the files exist, before the pipeline is set up.
    ///
    /// # Errors
    /// If one does not, or is a folder.
    pub fn check(&self) -> anyhow::Result<()> {
        Ok(self.files.iter().try_for_each(|path| lines::look(path))?)
    }

    /// Runs all records through the pipeline. Returns the counters, and whether whoever read
    /// the output has closed it before everything was printed, as `head` does.
    ///
    /// # Errors
    /// If the input cannot be read, the output cannot be written, or an operator cannot be
    /// used any more.
    pub fn run(&self, plan: &Plan, shutdown: &Shutdown) -> anyhow::Result<(Snapshot, bool)> {
        let mut harness = Harness::new(plan)?;
        let mut printer = Printer {
            output: output::records(),
            on_terminal: output::is_terminal(),
            labels: harness.labels().clone(),
            with_topic: self.with_topic,
            whole: self.whole,
            places: self.sources().iter().map(LineSource::name).collect(),
            broken: None,
        };
        let chunks =
            lines::read(self.sources(), self.whole).context("cannot start the reader thread")?;
        let (files, whole) = (self.files.as_slice(), self.whole);
        let feed = LineFeed { chunks, files, whole, harness: &mut harness, sink: &mut printer };
        let result = feed.run(shutdown);
        let end = harness.stats();
        match printer.broken.take() {
            Some(cause) if cause.kind() == ErrorKind::BrokenPipe => Ok((end, true)),
            Some(cause) => Err(cause).context("cannot write the output"),
            None => result.map(|()| (end, false)),
        }
    }

    fn sources(&self) -> Vec<LineSource> {
        if self.files.is_empty() {
            return vec![LineSource::Stdin];
        }
        self.files.iter().cloned().map(LineSource::File).collect()
    }
}
