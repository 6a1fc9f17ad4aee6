//! How the workers of a running pipeline come to other stages: each finds them in a slot of
//! its own, takes them between two batches, and leaves there what it had.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::chain::Chain;
use crate::records::Batch;

/// How often whoever waits looks whether the pipeline still runs.
const LOOK: Duration = Duration::from_millis(100);

/// The slots of all workers, and a sample of what they are at.
pub(super) struct Handover {
    slots: Vec<Arc<Slot>>,
    sample: Sample,
    /// Set while workers look into their slots.
    open: AtomicBool,
}

/// Where one worker finds its next stages.
#[derive(Default)]
pub(super) struct Slot {
    /// Whether there are any: what a worker looks at before each batch.
    full: AtomicBool,
    content: Mutex<Content>,
    taken: Condvar,
}

#[derive(Default)]
enum Content {
    #[default]
    Nothing,
    /// What the worker is to take.
    Next(Box<Chain>),
    /// What it had before, for whoever put the next there to free.
    Old(#[expect(dead_code, reason = "it is only freed")] Box<Chain>),
}

/// A batch that a worker has just taken through its stages, if somebody wants one.
#[derive(Default)]
struct Sample {
    wanted: AtomicBool,
    batch: Mutex<Option<Batch>>,
    came: Condvar,
}

/// The pipeline does not run, or ended meanwhile.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closed;

impl Handover {
    /// Slots for so many workers.
    pub(super) fn new(workers: usize) -> Self {
        let slots = (0..workers).map(|_| Arc::default()).collect();
        Handover { slots, sample: Sample::default(), open: AtomicBool::new(false) }
    }

    /// The slot of one worker.
    pub(super) fn slot(&self, worker: usize) -> Arc<Slot> {
        self.slots[worker].clone()
    }

    /// How many workers there are.
    pub(super) fn workers(&self) -> usize {
        self.slots.len()
    }

    /// Says that workers look into their slots for as long as what is returned lives.
    pub(super) fn open(&self) -> Open<'_> {
        self.open.store(true, Ordering::Release);
        Open(self)
    }

    /// Whether they do.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Gives each worker one of `chains`, and waits until all have taken theirs. What they
    /// had before is freed here, not by them.
    ///
    /// # Errors
    /// Where the pipeline does not run.
    pub(super) fn switch(&self, chains: Vec<Chain>) -> Result<(), Closed> {
        for (slot, chain) in self.slots.iter().zip(chains) {
            slot.put(chain);
        }
        for slot in &self.slots {
            while !slot.is_taken(LOOK) {
                if !self.is_open() {
                    return Err(Closed);
                }
            }
        }
        Ok(())
    }

    /// The next batch that a worker takes through its stages; `None` where none comes
    /// within `patience`.
    pub(super) fn sample(&self, patience: Duration) -> Option<Batch> {
        let batch = lock(&self.sample.batch);
        self.sample.wanted.store(true, Ordering::Relaxed);
        let waiting = |batch: &mut Option<Batch>| batch.is_none();
        let came = self.sample.came.wait_timeout_while(batch, patience, waiting);
        let batch = came.unwrap_or_else(PoisonError::into_inner).0.take();
        self.sample.wanted.store(false, Ordering::Relaxed);
        batch
    }

    /// Offers a batch as a sample.
    pub(super) fn passed(&self, batch: &Batch) {
        let Sample { wanted, batch: place, came } = &self.sample;
        if wanted.load(Ordering::Relaxed) && wanted.swap(false, Ordering::Relaxed) {
            *lock(place) = Some(batch.clone());
            came.notify_all();
        }
    }
}

/// Workers look into their slots.
pub(super) struct Open<'a>(&'a Handover);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.store(false, Ordering::Release);
    }
}

impl Slot {
    /// Puts in what the worker is to take next.
    fn put(&self, chain: Chain) {
        *lock(&self.content) = Content::Next(Box::new(chain));
        self.full.store(true, Ordering::Release);
    }

    /// Whether the worker has taken it, after waiting for that.
    fn is_taken(&self, patience: Duration) -> bool {
        let waiting = |content: &mut Content| matches!(content, Content::Next(_));
        let content = self.taken.wait_timeout_while(lock(&self.content), patience, waiting);
        let mut content = content.unwrap_or_else(PoisonError::into_inner).0;
        if matches!(*content, Content::Next(_)) {
            return false;
        }
        *content = Content::Nothing;
        true
    }

    /// Takes what is there in place of `current`.
    pub(super) fn exchange(&self, current: &mut Chain) {
        if !self.full.load(Ordering::Acquire) {
            return;
        }
        let mut content = lock(&self.content);
        if let Content::Next(mut next) = std::mem::take(&mut *content) {
            std::mem::swap(current, &mut next);
            *content = Content::Old(next);
        }
        self.full.store(false, Ordering::Release);
        self.taken.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
