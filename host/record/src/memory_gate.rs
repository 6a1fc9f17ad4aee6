//! What the process may still begin, as far as its memory goes.
//!
//! A watch says how much memory there is in use. Computations have themselves admitted: while
//! memory is short they wait, and are refused if that takes too long. Those that run are known, so
//! that some can be asked to stop: the latest, which begins again when there is room, or one that
//! alone takes what there is, which is blamed for it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::shortage::Shortage;

/// What the process may still begin. Cheap to clone. Without a watch, everything.
#[derive(Debug, Clone, Default)]
pub struct MemoryGate(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// 0: nothing is watched.
    limit: u64,
    used: AtomicU64,
    shortage: AtomicU8,
    ending: AtomicBool,
    refused: AtomicU64,
    running: Mutex<Vec<Arc<Admission>>>,
    changed: Condvar,
    /// Reads anew how much is used.
    read: Option<fn() -> Option<u64>>,
}

/// What is used of a limit, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// What is used.
    pub used: u64,
    /// The limit.
    pub limit: u64,
}

impl fmt::Display for MemoryUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} MiB are used", self.used >> 20, self.limit >> 20)
    }
}

/// A computation that was admitted.
#[derive(Debug, Default)]
struct Admission {
    stop: AtomicBool,
    /// Whether it was asked to stop for want of memory, and whether it alone is to blame.
    short: AtomicBool,
    alone: AtomicBool,
    /// Whether there was enough memory when it began.
    calm: bool,
}

/// Why a computation was stopped for want of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Others need it too. Alone it may succeed.
    Together,
    /// Nothing else was computed.
    Alone,
}

/// Keeps a computation among those that run.
#[derive(Debug, Default)]
pub struct Running {
    admission: Arc<Admission>,
    gate: MemoryGate,
}

impl MemoryGate {
    /// One that a watch sets, with a limit in bytes. `read` says how much is used at the moment.
    pub fn watched(limit: u64, read: fn() -> Option<u64>) -> Self {
        MemoryGate(Arc::new(Shared { limit, read: Some(read), ..Shared::default() }))
    }

    /// Whether there is a limit.
    pub fn is_watched(&self) -> bool {
        self.0.limit > 0
    }

    /// What was used of the limit when it was last looked.
    pub fn usage(&self) -> MemoryUse {
        MemoryUse { used: self.0.used.load(Ordering::Relaxed), limit: self.0.limit }
    }

    /// How short of memory the process is.
    #[inline]
    pub fn shortage(&self) -> Shortage {
        let step = usize::from(self.0.shortage.load(Ordering::Relaxed));
        Shortage::ALL.get(step).copied().unwrap_or_default()
    }

    /// Whether new work is refused.
    #[inline]
    pub fn is_short(&self) -> bool {
        self.shortage() >= Shortage::Short
    }

    /// Whether the runner ends since its memory has exceeded the limit.
    #[inline]
    pub fn is_ending(&self) -> bool {
        self.0.ending.load(Ordering::Relaxed)
    }

    /// How often something was refused or stopped.
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// Says how much is used. Returns what that means, and meant before.
    pub fn measured(&self, used: u64) -> (Shortage, Shortage) {
        let (before, limit) = (self.shortage(), self.usage().limit);
        let now = if limit == 0 { Shortage::None } else { before.after(used, limit) };
        // Who waits looks at it with this lock.
        let _held = self.running();
        self.0.used.store(used, Ordering::Relaxed);
        self.0.shortage.store(now as u8, Ordering::Relaxed);
        if now != before {
            self.0.changed.notify_all();
        }
        (before, now)
    }

    /// Says that the runner ends.
    pub fn end(&self) {
        let _held = self.running();
        self.0.ending.store(true, Ordering::Relaxed);
        self.0.changed.notify_all();
    }

    /// Refuses work that need not be done now, such as a swap, while memory is short, or if it
    /// would be with so many bytes more.
    ///
    /// # Errors
    /// What is used, if memory is short.
    pub fn ask(&self, bytes: u64) -> Result<(), MemoryUse> {
        let MemoryUse { used, limit } = self.usage();
        let then = self.shortage().after(used.saturating_add(bytes), limit);
        if limit == 0 || then < Shortage::Short { Ok(()) } else { Err(self.refuse()) }
    }

    /// Counts something that was refused.
    pub fn refuse(&self) -> MemoryUse {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
        self.usage()
    }

    /// Admits a computation. While memory is short it waits, for `patience` at the most.
    ///
    /// # Errors
    /// What is used, if that was not long enough.
    pub fn admit(&self, patience: Duration) -> Result<Running, MemoryUse> {
        if !self.is_watched() {
            return Ok(Running::default());
        }
        let start = Instant::now();
        let mut running = self.running();
        while self.is_short() {
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(self.refuse());
            }
            let waited = self.0.changed.wait_timeout(running, left);
            running = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let calm = self.shortage() == Shortage::None;
        let admission = Arc::new(Admission { calm, ..Admission::default() });
        running.push(admission.clone());
        Ok(Running { admission, gate: self.clone() })
    }

    /// How many computations run.
    pub fn computing(&self) -> usize {
        self.running().len()
    }

    /// Asks the latest of several computations to stop. Returns whether there is one.
    pub fn stop_latest(&self) -> bool {
        let running = self.running();
        let latest = running.iter().filter(|it| !it.is_stopped()).skip(1).last();
        if let Some(latest) = latest {
            latest.stop(false);
            self.refuse();
        }
        latest.is_some()
    }

    /// Asks all computations to stop. One that began when there was enough memory, and is alone
    /// when there is none, is to blame.
    pub fn stop_all(&self) {
        let running = self.running();
        let alone = running.len() == 1;
        for admission in running.iter().filter(|it| !it.is_stopped()) {
            admission.stop(alone && admission.calm);
            self.refuse();
        }
    }

    fn running(&self) -> MutexGuard<'_, Vec<Arc<Admission>>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn stop(&self, alone: bool) {
        self.alone.store(alone, Ordering::Relaxed);
        self.short.store(true, Ordering::Relaxed);
        // Last: who sees it looks at the others.
        self.stop.store(true, Ordering::Release);
    }
}

impl Running {
    /// Set when it is to stop, for want of memory or by its caller.
    pub fn stop(&self) -> &AtomicBool {
        &self.admission.stop
    }

    /// Why it is to stop, if that is for want of memory.
    pub fn stopped(&self) -> Option<Stopped> {
        let Admission { short, alone, .. } = &*self.admission;
        if !short.load(Ordering::Acquire) {
            None
        } else if alone.load(Ordering::Relaxed) {
            Some(Stopped::Alone)
        } else {
            Some(Stopped::Together)
        }
    }

    /// Stops if it needs more bytes than are left. It is to blame if nothing else is computed,
    /// or if they would never be left.
    ///
    /// # Errors
    /// What is used, if it is to stop.
    pub fn take(&self, needs: u64) -> Result<(), MemoryUse> {
        let Shared { limit, read, .. } = &*self.gate.0;
        let fits = |used: u64| *limit == 0 || needs <= limit.saturating_sub(used);
        if fits(self.gate.usage().used) {
            return Ok(());
        }
        // It was read a while ago, when something else was computed perhaps.
        let used = read.and_then(|read| read()).unwrap_or_default();
        if fits(used) {
            return Ok(());
        }
        let alone = self.gate.computing() <= 1 && self.gate.shortage() == Shortage::None;
        self.admission.stop(alone || needs > *limit);
        self.gate.refuse();
        Err(MemoryUse { used, limit: *limit })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = self.gate.running();
        running.retain(|it| !Arc::ptr_eq(it, &self.admission));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn gate() -> MemoryGate {
        MemoryGate::watched(1000, || Some(700))
    }

    #[test]
    fn without_a_watch_everything_is_admitted() {
        let gate = MemoryGate::default();
        let running = gate.admit(NOW).unwrap();
        assert_eq!(running.take(u64::MAX), Ok(()));
        assert_eq!((gate.measured(u64::MAX).1, gate.ask(9)), (Shortage::None, Ok(())));
        gate.stop_all();
        assert_eq!(running.stopped(), None);
    }

    #[test]
    fn who_comes_while_memory_is_short_waits() {
        let gate = gate();
        gate.measured(950);
        let refused = gate.admit(Duration::from_millis(1)).unwrap_err();
        assert_eq!(refused, MemoryUse { used: 950, limit: 1000 });
        assert_eq!(gate.ask(0), Err(refused));
        let waiting = gate.clone();
        let waits = std::thread::spawn(move || waiting.admit(Duration::MAX).map(drop));
        assert!(!waits.is_finished());
        gate.measured(840);
        assert_eq!(waits.join().unwrap(), Ok(()));
        assert!(gate.ask(59).is_ok() && gate.ask(60).is_err());
        assert_eq!(gate.refused(), 3);
    }

    #[test]
    fn the_latest_stops_first_and_the_last_one_goes_on() {
        let gate = gate();
        let [first, second, third] = [(); 3].map(|()| gate.admit(NOW).unwrap());
        assert!(gate.stop_latest() && gate.stop_latest() && !gate.stop_latest());
        let stopped = [&first, &second, &third].map(Running::stopped);
        assert_eq!(stopped, [None, Some(Stopped::Together), Some(Stopped::Together)]);
        drop((second, third));
        gate.stop_all();
        assert_eq!(first.stopped(), Some(Stopped::Alone));
        drop(first);
        assert_eq!(gate.computing(), 0);
    }

    #[test]
    fn what_began_when_memory_was_tight_is_not_to_blame() {
        let gate = gate();
        gate.measured(850);
        let running = gate.admit(NOW).unwrap();
        gate.stop_all();
        assert_eq!(running.stopped(), Some(Stopped::Together));
    }

    #[test]
    fn what_does_not_fit_stops_and_is_to_blame_if_it_never_would() {
        let gate = gate();
        gate.measured(790);
        let fits = gate.admit(NOW).unwrap();
        assert_eq!(fits.take(300), Ok(()), "read anew, there is more");
        let alone = fits;
        assert_eq!(alone.take(301), Err(MemoryUse { used: 700, limit: 1000 }));
        assert_eq!(alone.stopped(), Some(Stopped::Alone));
        let [large, huge] = [(); 2].map(|()| gate.admit(NOW).unwrap());
        assert!(large.take(400).is_err() && huge.take(1001).is_err());
        assert_eq!(large.stopped(), Some(Stopped::Together));
        assert_eq!(huge.stopped(), Some(Stopped::Alone));
    }
}
