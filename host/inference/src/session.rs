//! The inference budget of one instance of an operator, and what is left of it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::error::{Error, ErrorCode};
use super::graph::Graph;
use super::plan::States;
use super::thread::{InferenceThread, LateThreads};
use sandbar_record::{MemoryUse, Stopped};

/// How long a computation waits for memory, if its deadline is not before.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much inference an operator may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NnLimits {
    /// Time for one computation; a call with n records may spend n times that.
    pub deadline: Duration,
    /// Bytes of a graph that the operator may load itself; 0: none.
    pub load: u64,
    /// Whether such a graph is tried in a process of its own first, if there is one.
    pub apart: bool,
}

/// Inference of one instance. Its thread is started by the first computation.
pub struct Session {
    stage: Arc<str>,
    threads: Arc<LateThreads>,
    limits: NnLimits,
    lane: Option<InferenceThread>,
    /// How long the current call may still wait.
    left: Duration,
    /// How long the current call has waited; not the guest's own time.
    waited: Duration,
    /// What was used when the current call was refused a computation for want of memory.
    starved: Option<MemoryUse>,
}

impl Session {
    /// Inference of an instance of `stage`.
    pub fn new(stage: Arc<str>, threads: Arc<LateThreads>, limits: NnLimits) -> Self {
        let (left, waited) = (Duration::ZERO, Duration::ZERO);
        Session { stage, threads, limits, lane: None, left, waited, starved: None }
    }

    /// Starts a call with so many records.
    pub fn begin_call(&mut self, records: usize) {
        let records = u32::try_from(records.max(1)).unwrap_or(u32::MAX);
        self.left = self.limits.deadline.saturating_mul(records);
        self.waited = Duration::ZERO;
        self.starved = None;
    }

    /// What was used of the process's memory if a computation was refused, or stopped, for want of
    /// it, though another time it may succeed: then what the guest returns is worth nothing.
    pub fn starved(&self) -> Option<MemoryUse> {
        self.starved
    }

    /// The time that the guest has spent waiting since this was last asked: what it may
    /// have on top of its own deadline.
    pub fn take_waited(&mut self) -> Duration {
        std::mem::take(&mut self.waited)
    }

    /// Bytes of a graph that the guest may bring.
    pub fn load_limit(&self) -> u64 {
        self.limits.load
    }

    /// Whether such a graph is tried in a process of its own first.
    pub fn loads_apart(&self) -> bool {
        self.limits.apart
    }

    /// Drops what the instance's thread keeps of a graph that it does not use any more.
    pub fn forget(&mut self, graph: &Graph) {
        if let Some(lane) = &self.lane {
            let number = graph.number();
            lane.tell(move |states| states.forget(number));
        }
    }

    /// Runs `work` on the instance's thread, within what is left of the deadlines.
    ///
    /// # Errors
    /// Those of `work`, and `timeout`.
    pub fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut States, &AtomicBool) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let patience = self.patience()?;
        if let Some(usage) = self.starved {
            return Err(short(usage));
        }
        let start = Instant::now();
        let admitted = self.threads.memory().admit(patience.min(PATIENCE));
        self.waited += start.elapsed();
        let admitted = Arc::new(admitted.map_err(|usage| self.starve(usage))?);
        let mut lane = match self.lane.take() {
            Some(lane) => lane,
            None => InferenceThread::start(self.stage.clone(), self.threads.clone())?,
        };
        let start = Instant::now();
        let result = lane.run(patience, &admitted, work);
        self.count(start.elapsed());
        self.lane = Some(lane).filter(|lane| !lane.is_given_up());
        match admitted.stopped() {
            Some(Stopped::Together) if result.is_err() => {
                Err(self.starve(self.threads.memory().usage()))
            }
            Some(Stopped::Alone) if result.is_err() => {
                Err(too_large(self.threads.memory().usage()))
            }
            _ => result,
        }
    }

    fn starve(&mut self, usage: MemoryUse) -> Error {
        self.starved = Some(usage);
        short(usage)
    }

    /// Runs `work`, which ends by itself when the time that it is given is over, on the caller's
    /// thread.
    ///
    /// # Errors
    /// As of [`Session::run`].
    pub fn wait<T>(&mut self, work: impl FnOnce(Duration) -> Result<T, Error>) -> Result<T, Error> {
        let patience = self.patience()?;
        let start = Instant::now();
        let result = work(patience);
        self.count(start.elapsed());
        result
    }

    /// How long the call may wait for one more result.
    fn patience(&self) -> Result<Duration, Error> {
        let patience = self.limits.deadline.min(self.left);
        if patience.is_zero() {
            let message = "the call has exceeded its total inference deadline";
            return Err(Error::new(ErrorCode::Timeout, message));
        }
        Ok(patience)
    }

    fn count(&mut self, took: Duration) {
        self.waited += took;
        self.left = self.left.saturating_sub(took);
    }
}

fn short(usage: MemoryUse) -> Error {
    let message = format!("not computed, as memory is short: {usage} ([runner] memory)");
    Error::new(ErrorCode::Timeout, message)
}

fn too_large(usage: MemoryUse) -> Error {
    let message = format!(
        "the computation takes more memory than the runner has ([runner] memory, {} MiB), though \
         nothing else is computed: use a smaller batch or model, or raise it",
        usage.limit >> 20
    );
    Error::new(ErrorCode::TooLarge, message)
}
