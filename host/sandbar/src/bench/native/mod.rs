//! An operator's crate as a native program: what the same code costs without a sandbox.
//!
//! A small crate is written that links the operator's and nothing else ([`program`]); it
//! is built by the user's cargo, with the release profile and the lock file of the
//! operator's workspace, and runs one measurement after the other. The SDK has the
//! other side (`operators/sdk/src/bench.rs`).

mod program;
mod work;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::operator::Counts;
use super::work::Work;
use sandbar_inference::{Artifact, Content};
use sandbar_sandbox::Operator;

/// A native program that waits for requests.
pub(super) struct Native {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Native {
    /// Builds the operator's crate in `folder`, and starts it with what `operator` is
    /// granted and the same work.
    ///
    /// # Errors
    /// If the crate does not build, or the operator refuses its configuration there.
    pub(super) fn start(folder: &Path, operator: &Operator, work: &Work) -> Result<Native> {
        let is_graph = |(_, model): &&(_, Artifact)| matches!(model.content, Content::Graph(_));
        if let Some((name, _)) = operator.grants.models.iter().find(is_graph) {
            bail!(
                "model '{name}' is a graph that the host computes, which a native build cannot use"
            );
        }
        tracing::info!(path = %folder.display(), "building the operator natively");
        let program = program::build(folder)?;
        let path = program.with_extension("work.json");
        let file = File::create(&path).with_context(|| format!("{}", path.display()))?;
        serde_json::to_writer(BufWriter::new(file), &work::Message::new(&operator.grants, work))
            .with_context(|| format!("{}", path.display()))?;
        let mut child = Command::new(&program)
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("{}: cannot open its input and output", program.display());
        };
        Ok(Native { child, questions, answers: BufReader::new(answers) })
    }

    /// Makes it run all the work several times: CPU time, and the counts
    /// of the last pass.
    ///
    /// # Errors
    /// If it has ended; its standard error, which is ours, has the reason.
    pub(super) fn passes(&mut self, passes: u32) -> Result<(Duration, Counts)> {
        let mut line = String::new();
        let asked = writeln!(self.questions, "{passes}").and_then(|()| self.questions.flush());
        let read = asked.and_then(|()| self.answers.read_line(&mut line));
        read.context("the native program does not answer; see its output for the reason")?;
        let numbers: Result<Vec<u64>, _> = line.split_whitespace().map(str::parse).collect();
        match numbers.unwrap_or_default()[..] {
            [nanoseconds, outputs, failures] => {
                Ok((Duration::from_nanos(nanoseconds), Counts { outputs, failures }))
            }
            _ => bail!("the native program has ended; see its output for the reason"),
        }
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        // It only waits for us; its exit status does not matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
