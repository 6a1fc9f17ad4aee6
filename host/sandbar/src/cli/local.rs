//! `sandbar run --stdin` and `--file`: a pipeline over lines or files instead of topics.

use std::path::PathBuf;

use clap::Args;
use sandbar_pipeline::Plan;
use sandbar_record::Shutdown;

use crate::local::LocalRun;
use crate::totals::tell_totals;

/// Options of `sandbar run` without Kafka.
#[derive(Debug, Args)]
#[command(next_help_heading = "Without Kafka")]
pub(super) struct Local {
    /// Read records from standard input, one a line, instead of from Kafka.
    ///
    /// Predictions go to standard output, one a line; a record that fails to standard
    /// error, as a JSON object with stage, code, message, file, line and value. A line's
    /// end does not belong to its record; an empty line is an empty record. Lines that
    /// come slowly do not wait for a full batch longer than 20 ms.
    #[arg(long, group = "local", conflicts_with = "brokers")]
    stdin: bool,
    /// Read records from files, one a line, instead of from Kafka. The rest is as with
    /// --stdin.
    ///
    /// May be given several times. PIPELINE goes before it.
    #[arg(
        long = "file",
        value_name = "PATH",
        group = "local",
        num_args = 1..,
        conflicts_with = "brokers"
    )]
    files: Vec<PathBuf>,
    /// Take each file as one record, whose key is the file's path: for images.
    #[arg(long, requires = "files", conflicts_with = "stdin")]
    whole: bool,
    /// Print the topic of each output and a tab before it: for pipelines that route.
    #[arg(long, requires = "local")]
    with_topic: bool,
    /// End with status 1 if any record failed.
    #[arg(long, requires = "local")]
    strict: bool,
}

impl Local {
    /// Whether records do not come from Kafka.
    pub(super) fn is_asked(&self) -> bool {
        self.stdin || !self.files.is_empty()
    }

    /// Checks that the files exist, before the pipeline is set up.
    pub(super) fn look(&self) -> anyhow::Result<()> {
        self.run().check()
    }

    /// Runs all records through the pipeline.
    pub(super) fn execute(&self, plan: &Plan) -> anyhow::Result<()> {
        let (end, closed) = self.run().run(plan, &Shutdown::default())?;
        if !closed {
            tell_totals(&end);
        }
        if self.strict {
            let (failed, records) = (end.failed(), end.records);
            anyhow::ensure!(
                failed == 0,
                "{failed} of {records} records failed, and --strict is set"
            );
        }
        Ok(())
    }

    fn run(&self) -> LocalRun {
        let (files, whole, with_topic) = (self.files.clone(), self.whole, self.with_topic);
        LocalRun { files, whole, with_topic }
    }
}
