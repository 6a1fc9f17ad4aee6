//! What the process that serves asks of a child, and what it is told.

use std::sync::{Arc, Once};
use std::time::Duration;

use sandbar_confine::{Child, Ended, Patience};
use sandbar_manifest::Preparation;
use sandbar_model::{FileDigests, Sha256};
use sandbar_record::{Batch, Shutdown};
use sandbar_sandbox::{Sandbox, component};
use serde::{Deserialize, Serialize};

use super::error::PreparationError;
use super::form::{Answer, Outcome};
use super::subject::Subject;
use crate::definition::Definition;
use crate::revision::Tried;
use crate::validation::Untried;

/// What begins a line that says what a child is about.
pub(crate) const ABOUT: &str = "about ";
/// Bytes of an answer at most: what it says, and compiled components, by the bytes of the
/// components. Compiled, ours have two to four times as many.
const ANSWER: u64 = 8 << 20;
const COMPILED: u64 = 32;

/// What a child has found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The files that it has read.
    pub(crate) files: FileDigests,
    /// How many samples were reproduced.
    pub(crate) samples: usize,
    /// Samples that no stage can try.
    pub(crate) untried: Vec<Untried>,
    /// What became of the batch, if it was given one.
    #[serde(skip)]
    pub(crate) tried: Option<Result<Tried, String>>,
}

impl Report {
    /// Whether it is of files with this content.
    pub(super) fn agrees(&self, expected: &FileDigests) -> bool {
        let differs = |(path, digest)| self.files.get(path).is_some_and(|it: &Sha256| it != digest);
        !expected.iter().any(differs)
    }
}

/// For how long what is prepared is wanted, and how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Until this is requested.
    pub(crate) stop: &'a Shutdown,
    /// For this time at most.
    pub(crate) timeout: Option<Duration>,
    /// Whether something serves meanwhile, which comes first.
    pub(crate) yields: bool,
}

/// The program that prepares a pipeline, unless this is left to the process that serves.
pub(crate) fn child<'a>(definition: &Definition, sandbox: &'a Sandbox) -> Option<&'a Child> {
    let apart = definition.manifest.runner.preparation == Preparation::ChildProcess;
    sandbox.child().filter(|_| apart).map(Arc::as_ref)
}

/// Has a child prepare a pipeline, and try it with `batch`.
///
/// # Errors
/// If the pipeline cannot run, cannot be prepared within its limits, or is not wanted any more.
pub(crate) fn prepare(
    child: &Child,
    subject: &Subject,
    sandbox: &Sandbox,
    batch: Option<&Batch>,
    wanted: Wanted<'_>,
) -> Result<Report, PreparationError> {
    let limits = &subject.definition.manifest.limits;
    let mut request = subject.request(sandbox);
    request.yields = wanted.yields;
    let request = request.write(batch);
    let request = request.map_err(|error| failed("the pipeline", &error))?;
    let most = limits.load_deadline();
    let deadline = wanted.timeout.unwrap_or(most).min(most);
    let patience = Patience { deadline, answer: answer(subject), stop: wanted.stop };
    let answer = child.ask(request, &patience).map_err(|failure| {
        let about = failure.said.lines().rev().find_map(|line| line.strip_prefix(ABOUT));
        let about = about.unwrap_or("the pipeline").to_owned();
        match failure.how {
            Ended::Deadline(timeout) if timeout < most => {
                PreparationError::Timeout { about, timeout }
            }
            Ended::Deadline(deadline) => PreparationError::Deadline { about, deadline },
            Ended::Cpu => PreparationError::Deadline { about, deadline: most },
            Ended::Memory => PreparationError::Memory { about, memory: limits.load_memory() },
            Ended::Stopped => PreparationError::Cancelled { about },
            how => PreparationError::Child { about, reason: how.to_string() },
        }
    })?;
    let unreadable = || failed("the pipeline", &"its answer cannot be read");
    let (Answer { outcome, files, confined, .. }, compiled) =
        Answer::read(&answer).ok_or_else(unreadable)?;
    if !confined {
        tell_confinement();
    }
    sandbox.accept(compiled);
    match outcome {
        Outcome::Ready { samples, untried, tried } => Ok(Report { files, samples, untried, tried }),
        Outcome::Refused(reason) => Err(PreparationError::Refused(reason)),
    }
}

fn failed(about: &str, reason: &impl ToString) -> PreparationError {
    PreparationError::Child { about: about.to_owned(), reason: reason.to_string() }
}

/// Bytes of an answer at most.
fn answer(subject: &Subject) -> u64 {
    let definition = &subject.definition;
    let files =
        definition.manifest.stages.iter().filter_map(|stage| definition.component(stage).ok());
    let sizes = files.map(|file| component::size(&file));
    ANSWER.saturating_add(sizes.sum::<u64>().saturating_mul(COMPILED))
}

fn tell_confinement() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            "this system lacks seccomp or Landlock, what is prepared is confined by limits of memory and time alone"
        );
    });
}
