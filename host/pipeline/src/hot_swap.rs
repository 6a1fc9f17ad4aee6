//! The hot swap: how the workers of a running pipeline get other stages. Each finds them in a slot
//! of its own, takes them between two batches, and leaves the old ones there.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::chain::Chain;
use crate::rollout::Candidate;
use sandbar_record::Batch;

/// How often a waiting thread checks whether the pipeline still runs.
const LOOK: Duration = Duration::from_millis(100);

/// Milliseconds between two samples: copying one costs little, copying all would not.
const SAMPLES_APART: u64 = 1000;

/// The slots of all workers, and a recent batch.
pub struct HotSwap {
    slots: Vec<Arc<ChainSlot>>,
    sample: Sample,
    /// Set while workers look into their slots.
    open: AtomicBool,
}

/// Where one worker finds its next stages.
#[derive(Default)]
pub struct ChainSlot {
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
    Next(Box<StageSet>),
    /// The old stages, to be freed by the thread that put the next ones there.
    Old(#[expect(dead_code, reason = "it is only freed")] Box<StageSet>),
}

/// A stage set for a worker.
pub(crate) struct StageSet {
    /// What serves; `None`: the same as before.
    pub(crate) serving: Option<Chain>,
    /// The candidate, if there is one.
    pub(crate) candidate: Option<Box<Candidate>>,
}

/// A batch that a worker has processed recently.
struct Sample {
    start: Instant,
    /// When the next is due, in milliseconds since `start`.
    expected: AtomicU64,
    batch: Mutex<Option<Batch>>,
}

/// The pipeline does not run, or ended meanwhile.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

impl HotSwap {
    /// Slots for so many workers.
    pub(crate) fn new(workers: usize) -> Self {
        let slots = (0..workers).map(|_| Arc::default()).collect();
        let (start, expected, batch) = (Instant::now(), AtomicU64::default(), Mutex::default());
        let sample = Sample { start, expected, batch };
        HotSwap { slots, sample, open: AtomicBool::new(false) }
    }

    /// The slot of one worker.
    pub fn slot(&self, worker: usize) -> Arc<ChainSlot> {
        self.slots[worker].clone()
    }

    /// How many workers there are.
    pub(crate) fn workers(&self) -> usize {
        self.slots.len()
    }

    /// Says that workers check their slots for as long as the returned guard lives.
    pub fn open(&self) -> Open<'_> {
        self.open.store(true, Ordering::Release);
        Open(self)
    }

    /// Whether they do.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Gives each worker one of `stage_sets`, and waits until all have taken theirs. What they
    /// had before is freed here, not by them.
    ///
    /// # Errors
    /// If the pipeline does not run.
    pub(crate) fn switch(&self, stage_sets: Vec<StageSet>) -> Result<(), Closed> {
        for (slot, stage_set) in self.slots.iter().zip(stage_sets) {
            slot.put(stage_set);
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

    /// A recent batch; `None`: there was none yet.
    pub(crate) fn sample(&self) -> Option<Batch> {
        lock(&self.sample.batch).clone()
    }

    /// Keeps a batch as a sample, now and then.
    pub fn passed(&self, batch: &Batch) {
        let Sample { start, expected, batch: place } = &self.sample;
        let now = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let before = expected.load(Ordering::Relaxed);
        let next = now.saturating_add(SAMPLES_APART);
        let takes =
            || expected.compare_exchange(before, next, Ordering::Relaxed, Ordering::Relaxed);
        if now >= before && takes().is_ok() {
            *lock(place) = Some(batch.clone());
        }
    }
}

/// Workers look into their slots.
pub struct Open<'a>(&'a HotSwap);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.store(false, Ordering::Release);
    }
}

impl ChainSlot {
    /// Puts in what the worker is to take next.
    fn put(&self, stage_set: StageSet) {
        *lock(&self.content) = Content::Next(Box::new(stage_set));
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

    /// Swaps in the stage set that is there, for what serves and the candidate.
    pub(crate) fn exchange(&self, serving: &mut Chain, candidate: &mut Option<Box<Candidate>>) {
        if !self.full.load(Ordering::Acquire) {
            return;
        }
        let mut content = lock(&self.content);
        if let Content::Next(mut next) = std::mem::take(&mut *content) {
            if let Some(chain) = &mut next.serving {
                std::mem::swap(serving, chain);
            }
            std::mem::swap(candidate, &mut next.candidate);
            *content = Content::Old(next);
        }
        self.full.store(false, Ordering::Release);
        self.taken.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
