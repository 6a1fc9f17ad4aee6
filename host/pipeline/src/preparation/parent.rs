//! What the process that serves asks of a child, and what it is told.

use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use sandbar_confine::{Ended, Patience};
use sandbar_manifest::{Admin, Preparation, Properties};
use sandbar_record::{Batch, Shutdown};
use sandbar_registry::{ArtifactSource, RegistryError};
use sandbar_sandbox::Sandbox;
use thiserror::Error;

use super::form::{Answer, Outcome, Request};
use crate::definition::Definition;
use crate::revision::Tried;
use crate::validation::Untried;

/// What begins a line that says what a child is about.
pub(crate) const ABOUT: &str = "about ";
/// Bytes of an answer at most: compiled components.
const ANSWER: u64 = 1 << 30;

/// What a child has found.
#[derive(Debug)]
pub(crate) struct Report {
    /// How many samples were reproduced.
    pub(crate) samples: usize,
    /// Samples that no stage can try.
    pub(crate) untried: Vec<Untried>,
    /// What became of the batch, if it was given one.
    pub(crate) tried: Option<Result<Tried, String>>,
}

/// For how long what is prepared is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Until this is requested.
    pub(crate) stop: &'a Shutdown,
    /// For this time at most.
    pub(crate) timeout: Option<Duration>,
}

/// Why a pipeline was not prepared.
#[derive(Debug, Error)]
pub enum PreparationError {
    /// It cannot run: what is wrong with it.
    #[error("{0}")]
    Refused(String),
    /// The registry does not provide a model.
    #[error("model '{name}': {error}")]
    Model {
        /// The pipeline's name for it.
        name: String,
        /// Why not.
        error: Box<RegistryError>,
    },
    /// The registry does not provide a component.
    #[error("stage '{stage}': {error}")]
    Component {
        /// The stage.
        stage: String,
        /// Why not.
        error: Box<RegistryError>,
    },
    /// It takes longer than who asks for it waits.
    #[error("{about} is not prepared within {timeout:?}, the timeout of the request")]
    Timeout {
        /// What was prepared.
        about: String,
        /// How long was waited.
        timeout: Duration,
    },
    /// It takes too long.
    #[error(
        "{about} cannot be prepared within {deadline:?}: make it smaller, or raise load-deadline of [limits]"
    )]
    Deadline {
        /// What was prepared.
        about: String,
        /// `[limits] load-deadline`.
        deadline: Duration,
    },
    /// It takes too much memory.
    #[error(
        "{about} takes more than {memory} of memory to prepare: make it smaller, or raise load-memory of [limits]"
    )]
    Memory {
        /// What was prepared.
        about: String,
        /// `[limits] load-memory`.
        memory: bytesize::ByteSize,
    },
    /// Nobody wants it any more.
    #[error("cancelled while {about} was prepared")]
    Cancelled {
        /// What was prepared.
        about: String,
    },
    /// The child cannot be used.
    #[error("{about} cannot be prepared in a process of its own: {reason}")]
    Child {
        /// What was prepared.
        about: String,
        /// Why not.
        reason: String,
    },
}

/// Has a child prepare a pipeline, and try it with `batch`. `None` if this is left to the process
/// that serves.
///
/// # Errors
/// If the pipeline cannot run, cannot be prepared within its limits, or is not wanted any more.
pub(crate) fn prepare(
    definition: &Definition,
    sandbox: &Sandbox,
    batch: Option<&Batch>,
    wanted: Wanted<'_>,
) -> Result<Option<Report>, PreparationError> {
    let child = sandbox.child();
    let Some(child) =
        child.filter(|_| definition.manifest.runner.preparation == Preparation::ChildProcess)
    else {
        return Ok(None);
    };
    let limits = &definition.manifest.limits;
    let request = request(definition, sandbox)?;
    // External payloads are fetched from the network, which a child does not have.
    let batch = batch.filter(|_| definition.manifest.references.is_none());
    let request = request.write(batch).map_err(|error| failed("the pipeline", &error))?;
    let most = limits.load_deadline();
    let deadline = wanted.timeout.unwrap_or(most).min(most);
    let patience = Patience { deadline, answer: ANSWER, stop: wanted.stop };
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
    let (Answer { outcome, confined, .. }, compiled) =
        Answer::read(&answer).ok_or_else(unreadable)?;
    if !confined {
        tell_confinement();
    }
    sandbox.accept(compiled);
    match outcome {
        Outcome::Ready { samples, untried, tried } => Ok(Some(Report { samples, untried, tried })),
        Outcome::Refused(reason) => Err(PreparationError::Refused(reason)),
    }
}

fn failed(about: &str, reason: &impl ToString) -> PreparationError {
    PreparationError::Child { about: about.to_owned(), reason: reason.to_string() }
}

/// The manifest as a child needs it: with files in place of what a registry has, without secrets.
fn request(definition: &Definition, sandbox: &Sandbox) -> Result<Request, PreparationError> {
    let limits = &definition.manifest.limits;
    let mut manifest = definition.manifest.clone();
    (manifest.registry, manifest.fleet, manifest.references) = (None, None, None);
    // It is connected to nothing.
    for properties in [
        &mut manifest.kafka.properties,
        &mut manifest.source.properties,
        &mut manifest.sink.properties,
    ] {
        *properties = Properties::default();
    }
    manifest.admin = Admin::default();
    let mut readable = Vec::from_iter(sandbox.cache_folder());
    let mut known_as = std::collections::BTreeMap::new();
    for (name, source) in &mut manifest.models {
        let (folder, known) = definition.locate_model(name).map_err(|error| {
            PreparationError::Model { name: name.clone(), error: Box::new(error) }
        })?;
        known_as.extend(known.map(|known| (name.clone(), known)));
        let folder = absolute(&folder);
        readable.extend(files(&folder));
        readable.push(folder.clone());
        *source = ArtifactSource::Path(folder);
    }
    for (stage, place) in definition.manifest.stages.iter().zip(&mut manifest.stages) {
        let file = definition.component(stage).map_err(|error| PreparationError::Component {
            stage: stage.name.clone(),
            error: Box::new(error),
        })?;
        let file = absolute(&file);
        readable.push(file.clone());
        place.component = ArtifactSource::Path(file);
    }
    let mut request = Request::new(manifest.print(), manifest.path().to_owned());
    request.known_as = known_as;
    request.cache = sandbox.cache_folder();
    request.readable = readable;
    request.memory = limits.load_memory().as_u64();
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let cores = u32::try_from(cores).unwrap_or(u32::MAX);
    request.cpu = limits.load_deadline().saturating_mul(cores);
    Ok(request)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// What the links in a model's folder lead to.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    links.filter_map(|entry| entry.path().canonicalize().ok()).collect()
}

fn tell_confinement() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            "this system lacks seccomp or Landlock, what is prepared is confined by limits of memory and time alone"
        );
    });
}
