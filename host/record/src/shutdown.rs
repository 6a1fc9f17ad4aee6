//! The request to stop, from outside: a signal, a test, the end of a demo.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A request to stop that many threads can see. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    requested: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Shutdown {
    /// Requests it. What is in flight is still delivered.
    pub fn request(&self) {
        let _held = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.requested.store(true, Ordering::Relaxed);
        self.0.changed.notify_all();
    }

    /// Whether it was requested.
    pub fn requested(&self) -> bool {
        self.0.requested.load(Ordering::Relaxed)
    }

    /// Waits for `time`, or until it is requested.
    pub fn wait(&self, time: Duration) {
        let held = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self.0.changed.wait_timeout_while(held, time, |()| !self.requested());
        drop(result.unwrap_or_else(PoisonError::into_inner));
    }
}
