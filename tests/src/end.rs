//! The end of a test that has threads.

use std::sync::atomic::{AtomicBool, Ordering};

/// Says to other threads of a test that all is done, also when the test fails.
pub struct End<'a>(pub &'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
