//! The native side: a program of the operators' workspace that runs one
//! pass after the other (`bench/native`).

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A native program that waits for requests.
pub struct Native {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// The figures of one pass over the records.
pub struct Pass {
    /// CPU time of the extractor.
    pub extract: Duration,
    /// CPU time of the scorer; zero if there is none.
    pub score: Duration,
    /// A sum over the results.
    pub sum: u64,
}

impl Native {
    /// Starts it with a workload.
    ///
    /// # Errors
    /// If it is not built.
    pub fn start(program: &Path, workload: &[&str]) -> Result<Native> {
        let mut child = Command::new(program)
            .args(workload)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| {
                format!("cannot start {}; run `cargo xtask bench`", program.display())
            })?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("{}: cannot open its input and output", program.display());
        };
        Ok(Native { child, questions, answers: BufReader::new(answers) })
    }

    /// Makes it run the records through the operators once.
    ///
    /// # Errors
    /// If it has ended; its standard error, which is ours, has the reason.
    pub fn pass(&mut self) -> Result<Pass> {
        let mut line = String::new();
        let read = self.questions.write_all(b"\n").and_then(|()| self.answers.read_line(&mut line));
        read.context("the native program does not answer")?;
        let numbers = line.split_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>()?;
        let [extract, score, sum] = numbers[..] else { bail!("the native program has ended") };
        let [extract, score] = [extract, score].map(Duration::from_nanos);
        Ok(Pass { extract, score, sum })
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        // It only waits for us; its exit status does not matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
