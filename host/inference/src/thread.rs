//! The inference thread of one instance of an operator.
//!
//! A guest that waits for a computation is inside a host call, where the engine's clock
//! does not reach it, and tract cannot be interrupted in the middle of an operation. So
//! the work is done on a thread of its own, and the caller waits only until its deadline.
//! A late computation is asked to stop, which it does between two operations of the graph; its
//! thread is not waited for, and the instance gets another. Since an operation may take
//! as long as it likes, late threads are counted: when there are too many, no instance
//! gets another until one has ended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::error::{Error, ErrorCode};
use super::plan::States;
use crate::events::{InferenceEnded, InferenceLate};
use sandbar_record::{MemoryGate, Running};

/// The maximum number of late threads.
const LATE_LIMIT: usize = 8;
/// Stack of a thread: graphs that are nested deep are read and optimised on it.
const STACK: usize = 16 << 20;

/// The late threads of a process, and what its memory allows.
#[derive(Debug, Default)]
pub struct LateThreads {
    late: AtomicUsize,
    memory: MemoryGate,
}

impl LateThreads {
    /// Threads whose computations `memory` admits.
    pub fn within(memory: MemoryGate) -> Self {
        LateThreads { late: AtomicUsize::new(0), memory }
    }

    /// What the process may still begin.
    pub fn memory(&self) -> &MemoryGate {
        &self.memory
    }

    /// How many computations are past their deadline and have not ended.
    pub fn late(&self) -> usize {
        self.late.load(Ordering::Relaxed)
    }
}

type Job = Box<dyn FnOnce(&mut States) + Send>;

/// An inference thread with its states. Dropping it lets the thread end after its current work.
pub(super) struct InferenceThread {
    stage: Arc<str>,
    threads: Arc<LateThreads>,
    jobs: Sender<Job>,
    /// Whether the caller has given up its current work.
    given_up: bool,
    /// Filled when the thread is late; emptied, and so counted off, when it ends.
    late: Arc<Mutex<Option<Late>>>,
}

/// Counts one late thread for as long as it lives.
struct Late {
    stage: Arc<str>,
    threads: Arc<LateThreads>,
}

impl Drop for Late {
    fn drop(&mut self) {
        let late = self.threads.late.fetch_sub(1, Ordering::Relaxed) - 1;
        InferenceEnded { stage: &self.stage, late }.emit();
    }
}

impl InferenceThread {
    /// Starts a thread for the computations of a stage's instance.
    ///
    /// # Errors
    /// `timeout` if too many are late, `runtime-error` if the system provides no thread.
    pub(super) fn start(stage: Arc<str>, threads: Arc<LateThreads>) -> Result<Self, Error> {
        let late = threads.late();
        if late >= LATE_LIMIT {
            let message = format!(
                "not started: {late} earlier computations exceeded their deadline and still run"
            );
            return Err(Error::new(ErrorCode::Timeout, message));
        }
        let (jobs, received) = channel::<Job>();
        let late = Arc::new(Mutex::new(None));
        let held = late.clone();
        let thread = std::thread::Builder::new().name("sandbar-inference".into()).stack_size(STACK);
        let run = move || {
            let mut states = States::default();
            for job in received {
                job(&mut states);
            }
            take(&held);
        };
        thread.spawn(run).map_err(|cause| {
            Error::new(ErrorCode::RuntimeError, format!("cannot start a thread: {cause}"))
        })?;
        Ok(InferenceThread { stage, threads, jobs, given_up: false, late })
    }

    /// Runs `work` on the thread, after what it does now, and does not wait.
    pub(super) fn tell(&self, work: impl FnOnce(&mut States) + Send + 'static) {
        // A thread that is gone has no states.
        let _ = self.jobs.send(Box::new(work));
    }

    /// Runs `work`, which was admitted, on the thread and waits for it as long as `patience`.
    /// `work` gets a flag that tells it to stop. When it does not end in time, the thread is given
    /// up; it counts as running until it ends.
    ///
    /// # Errors
    /// Those of `work`, and `timeout`.
    pub(super) fn run<T: Send + 'static>(
        &mut self,
        patience: Duration,
        admitted: &Arc<Running>,
        work: impl FnOnce(&mut States, &AtomicBool) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, result) = sync_channel(1);
        let held = admitted.clone();
        let job: Job = Box::new(move |states| {
            states.admitted = held.clone();
            let done = catch_unwind(AssertUnwindSafe(|| work(states, held.stop())));
            // Before the caller goes on, who may have the next one admitted.
            states.admitted = Arc::default();
            drop(held);
            let fault = || Error::new(ErrorCode::RuntimeError, "the inference engine panicked");
            // If the caller's deadline has passed, nobody receives this.
            let _ = reply.send(done.unwrap_or_else(|_| Err(fault())));
        });
        let gone = || Error::new(ErrorCode::RuntimeError, "the thread of the computation is gone");
        self.jobs.send(job).map_err(|_| gone())?;
        match result.recv_timeout(patience) {
            Ok(result) => result,
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
            Err(RecvTimeoutError::Timeout) => {
                admitted.stop().store(true, Ordering::Relaxed);
                self.give_up(patience);
                let message = format!("no result within {patience:?}");
                Err(Error::new(ErrorCode::Timeout, message))
            }
        }
    }

    /// Whether it can no longer be used: its thread still does abandoned work.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// Counts the thread among the late ones until it ends.
    fn give_up(&mut self, deadline: Duration) {
        self.given_up = true;
        let late = self.threads.late.fetch_add(1, Ordering::Relaxed) + 1;
        let counted = Late { stage: self.stage.clone(), threads: self.threads.clone() };
        *self.late.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted);
        InferenceLate { stage: &self.stage, deadline, late }.emit();
    }
}

/// Removes a thread that ends from the count, if it was counted.
fn take(late: &Mutex<Option<Late>>) {
    drop(late.lock().unwrap_or_else(PoisonError::into_inner).take());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;
    use std::sync::mpsc::Receiver;

    fn lane(threads: &Arc<LateThreads>) -> Result<InferenceThread, Error> {
        InferenceThread::start("test".into(), threads.clone())
    }

    /// A computation that ends when the sender that is returned is dropped.
    fn endless(mut lane: InferenceThread) -> (Sender<()>, Error) {
        let (hold, held): (Sender<()>, Receiver<()>) = channel();
        let error = lane.run(Duration::from_millis(1), &Arc::default(), move |_, _| {
            let _ = held.recv();
            Ok(())
        });
        (hold, error.unwrap_err())
    }

    #[test]
    fn late_threads_are_bounded_and_counted_off() {
        let threads = Arc::new(LateThreads::default());
        let mut holds = Vec::new();
        for late in 1..=LATE_LIMIT {
            let (hold, error) = endless(lane(&threads).unwrap());
            assert_eq!((error.code, threads.late()), (ErrorCode::Timeout, late));
            holds.push(hold);
        }
        let refused = lane(&threads).err().unwrap();
        assert_eq!(refused.code, ErrorCode::Timeout);
        assert!(
            refused.message.contains("8 earlier computations exceeded their deadline"),
            "{refused}"
        );
        holds.clear();
        while threads.late() > 0 {
            std::thread::yield_now();
        }
        assert_eq!(
            lane(&threads).unwrap().run(Duration::MAX, &Arc::default(), |_, _| Ok(7)),
            Ok(7)
        );
    }

    #[test]
    fn a_late_computation_is_told_to_stop() {
        let threads = Arc::new(LateThreads::default());
        let (seen, told) = channel();
        let late = lane(&threads).unwrap().run(
            Duration::from_millis(1),
            &Arc::default(),
            move |_, stop| {
                while !stop.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                seen.send(()).unwrap();
                Ok(())
            },
        );
        assert_eq!(late.unwrap_err().code, ErrorCode::Timeout);
        told.recv().unwrap();
    }

    #[test]
    fn a_panic_is_an_error() {
        let threads = Arc::new(LateThreads::default());
        let mut lane = lane(&threads).unwrap();
        let failed: Result<(), _> =
            lane.run(Duration::MAX, &Arc::default(), |_, _| panic!("on purpose"));
        assert_eq!(failed.unwrap_err().code, ErrorCode::RuntimeError);
        assert_eq!(lane.run(Duration::MAX, &Arc::default(), |_, _| Ok(1)), Ok(1));
    }
}
