//! What the process that serves asks about a graph that a guest brings, and the answers that it
//! remembers: each instance of a stage, and each that takes the place of one, brings the same.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sandbar_confine::{Child, Ended, Failed, Patience, parts};
use sandbar_inference::{Error, ErrorCode};
use sandbar_model::{Kind, Sha256};
use sandbar_record::Shutdown;

use super::child::NAME;
use super::{Answer, Request, Takes};

/// Answers that are remembered; the one that was asked for longest ago makes room.
const REMEMBERED: usize = 256;
/// Bytes of an answer.
const ANSWER: u64 = 64 << 10;

/// A graph: its kind, and the digest of its bytes.
type Key = (Kind, Sha256);

/// The graphs that guests have brought.
pub(crate) struct Brought {
    /// The program that tries them; `None`: they are not tried.
    child: Option<Arc<Child>>,
    known: Mutex<Known>,
    /// A graph is not tried any more.
    done: Condvar,
}

#[derive(Default)]
struct Known {
    /// The one that was asked for last is first.
    answers: Vec<(Key, Found)>,
    /// What is tried now.
    tried: HashSet<Key>,
}

/// What was found of a graph.
#[derive(Debug, Clone)]
enum Found {
    Loads(Takes),
    Refused(Error),
    /// It is not tried within so much time.
    Late(Duration),
    /// It takes more than so much memory.
    Large(u64),
}

impl Brought {
    pub(crate) fn new(child: Option<Arc<Child>>) -> Self {
        Brought { child, known: Mutex::default(), done: Condvar::new() }
    }

    /// What a graph takes that an operator with so many bytes of memory brings. `None` if there is
    /// no process to try it.
    ///
    /// # Errors
    /// If it cannot be loaded, or not within `patience` or its operator's memory.
    pub(crate) fn takes(
        &self,
        kind: Kind,
        bytes: &[u8],
        memory: u64,
        patience: Duration,
    ) -> Result<Option<Takes>, Error> {
        let Some(child) = &self.child else { return Ok(None) };
        let (key, end) = ((kind, Sha256::of(bytes)), Instant::now() + patience);
        let mut known = self.lock();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if let Some(found) = known.find(&key, patience, memory) {
                return outcome(found).map(Some);
            }
            if known.tried.insert(key) {
                break;
            }
            let waited = self.done.wait_timeout(known, left);
            known = waited.unwrap_or_else(PoisonError::into_inner).0;
            if end <= Instant::now() {
                return outcome(Found::Late(patience)).map(Some);
            }
        }
        drop(known);
        let left = end.saturating_duration_since(Instant::now());
        let found = ask(child, kind, bytes, memory, left);
        let mut known = self.lock();
        known.tried.remove(&key);
        self.done.notify_all();
        let found = match found? {
            None => Found::Late(patience),
            Some(found) => found,
        };
        known.remember(key, found.clone());
        outcome(found).map(Some)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// What is known of a graph, if that is all that can be found in so much time and memory.
    fn find(&mut self, key: &Key, time: Duration, memory: u64) -> Option<Found> {
        let place = self.answers.iter().position(|(known, _)| known == key)?;
        self.answers[..=place].rotate_right(1);
        let found = &self.answers[0].1;
        let counts = match found {
            Found::Loads(_) | Found::Refused(_) => true,
            Found::Late(patience) => time <= *patience,
            Found::Large(limit) => memory <= *limit,
        };
        counts.then(|| found.clone())
    }

    fn remember(&mut self, key: Key, found: Found) {
        self.answers.retain(|(known, _)| *known != key);
        self.answers.insert(0, (key, found));
        self.answers.truncate(REMEMBERED);
    }
}

/// Has a process try a graph; `None` if it does not end in time.
///
/// # Errors
/// If that says nothing about the graph.
fn ask(
    child: &Child,
    kind: Kind,
    bytes: &[u8],
    memory: u64,
    patience: Duration,
) -> Result<Option<Found>, Error> {
    let fault = |reason: String| {
        let message = format!("{NAME}: not tried in a process of its own: {reason}");
        Error::new(ErrorCode::RuntimeError, message)
    };
    let request = Request { graph: kind, memory, cpu: patience };
    let json = serde_json::to_vec(&request).map_err(|error| fault(error.to_string()))?;
    let request = parts::join([json.as_slice(), bytes].into_iter());
    // Whoever waits for it has a deadline.
    let never = Shutdown::default();
    let patience = Patience { deadline: patience, answer: ANSWER, stop: &never };
    match child.ask(request, &patience) {
        Ok(answer) => match serde_json::from_slice(&answer) {
            Ok(Answer::Loads(takes)) if takes.peak > memory => Ok(Some(Found::Large(memory))),
            Ok(Answer::Loads(takes)) => Ok(Some(Found::Loads(takes))),
            Ok(Answer::Refused(error)) => Ok(Some(Found::Refused(error))),
            Err(error) => Err(fault(error.to_string())),
        },
        Err(Failed { how: Ended::Memory, .. }) => Ok(Some(Found::Large(memory))),
        Err(Failed { how: Ended::Deadline(_) | Ended::Cpu, .. }) => Ok(None),
        Err(Failed { how, .. }) => Err(fault(how.to_string())),
    }
}

fn outcome(found: Found) -> Result<Takes, Error> {
    match found {
        Found::Loads(takes) => Ok(takes),
        Found::Refused(error) => Err(error),
        Found::Late(patience) => Err(Error::new(
            ErrorCode::Timeout,
            format!(
                "{NAME}: not read, optimised and computed once within {patience:?}: make it \
                 smaller, or raise inference-deadline of [limits]"
            ),
        )),
        Found::Large(memory) => Err(Error::new(
            ErrorCode::TooLarge,
            format!(
                "{NAME}: takes more than the {memory} bytes of the operator's memory to read, \
                 optimise and compute once: make it smaller, or raise memory of [limits]"
            ),
        )),
    }
}
