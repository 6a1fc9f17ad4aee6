//! How long one call of a guest may wait for schemas, and has waited.

use std::time::Duration;

/// The waits of the current call.
#[derive(Debug, Default)]
pub(crate) struct SchemaWaits {
    left: Duration,
    waited: Duration,
}

impl SchemaWaits {
    /// Starts a call that may wait so long, for all schemas together.
    pub(crate) fn begin_call(&mut self, most: Duration) {
        *self = SchemaWaits { left: most, waited: Duration::ZERO };
    }

    /// How long the call may still wait.
    pub(crate) fn left(&self) -> Duration {
        self.left
    }

    /// Counts a wait; what is more than was left is the guest's own time.
    pub(crate) fn count(&mut self, took: Duration) {
        let counted = took.min(self.left);
        self.left -= counted;
        self.waited += counted;
    }

    /// The call waits no more.
    pub(crate) fn give_up(&mut self) {
        self.left = Duration::ZERO;
    }

    /// The time that was waited since this was last asked.
    pub(crate) fn take_waited(&mut self) -> Duration {
        std::mem::take(&mut self.waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_waits_no_longer_than_it_may() {
        let second = Duration::from_secs(1);
        let mut waits = SchemaWaits::default();
        waits.count(second);
        assert_eq!((waits.left(), waits.take_waited()), (Duration::ZERO, Duration::ZERO));
        waits.begin_call(3 * second);
        waits.count(second);
        assert_eq!((waits.left(), waits.take_waited()), (2 * second, second));
        waits.count(5 * second);
        assert_eq!((waits.left(), waits.take_waited()), (Duration::ZERO, 2 * second));
        waits.begin_call(second);
        waits.give_up();
        waits.count(second);
        assert_eq!(waits.take_waited(), Duration::ZERO);
    }
}
