//! One change at a time. While one is prepared it can be cancelled, and others are told of it
//! instead of waiting for its end.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sandbar_record::Shutdown;

use crate::swap::SwapError;

/// How long a change waits for the one before it: most are short.
const PATIENCE: Duration = Duration::from_millis(500);

/// What changes work on, one after the other.
pub(super) struct Turns<S> {
    state: Mutex<S>,
    now: Mutex<Option<Underway>>,
    over: Condvar,
}

/// The change that has its turn.
struct Underway {
    /// `swap`, for people.
    what: &'static str,
    since: Instant,
    stop: Shutdown,
}

/// A change that has its turn, until this is dropped.
pub(super) struct Turn<'a, S> {
    pub(super) state: MutexGuard<'a, S>,
    /// Requested when it is cancelled.
    pub(super) stop: Shutdown,
    turns: &'a Turns<S>,
}

impl<S> Turns<S> {
    pub(super) fn new(state: S) -> Self {
        Turns { state: Mutex::new(state), now: Mutex::default(), over: Condvar::new() }
    }

    /// Waits a little for the change before this one.
    ///
    /// # Errors
    /// If that is still under way.
    pub(super) fn take(&self, what: &'static str) -> Result<Turn<'_, S>, SwapError> {
        let waiting = |now: &mut Option<Underway>| now.is_some();
        let now = self.over.wait_timeout_while(lock(&self.now), PATIENCE, waiting);
        let now = now.unwrap_or_else(PoisonError::into_inner).0;
        match &*now {
            Some(Underway { what, since, .. }) => {
                let seconds = since.elapsed().as_secs();
                Err(SwapError::Busy { what: (*what).to_owned(), seconds })
            }
            None => Ok(self.begin(now, what)),
        }
    }

    /// Waits for the change before this one, however long it takes.
    pub(super) fn await_turn(&self, what: &'static str) -> Turn<'_, S> {
        let now = self.over.wait_while(lock(&self.now), |now| now.is_some());
        self.begin(now.unwrap_or_else(PoisonError::into_inner), what)
    }

    fn begin(&self, mut now: MutexGuard<'_, Option<Underway>>, what: &'static str) -> Turn<'_, S> {
        let stop = Shutdown::default();
        *now = Some(Underway { what, since: Instant::now(), stop: stop.clone() });
        drop(now);
        Turn { state: lock(&self.state), stop, turns: self }
    }

    /// Cancels the change that is under way, and says what it is.
    pub(super) fn cancel(&self) -> Option<&'static str> {
        let now = lock(&self.now);
        now.as_ref().map(|underway| {
            underway.stop.request();
            underway.what
        })
    }
}

impl<S> Drop for Turn<'_, S> {
    fn drop(&mut self) {
        *lock(&self.turns.now) = None;
        self.turns.over.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
