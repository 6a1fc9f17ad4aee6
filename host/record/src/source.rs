//! The seam where records enter a pipeline: whatever feeds it is one of these, Kafka as well
//! as files and standard input.

use crate::shutdown::Shutdown;

/// What feeds batches to a pipeline. It was given where they go when it was made: to workers,
/// with an acknowledgement handle each, or through a pipeline at once.
pub trait Source {
    /// Why it cannot go on.
    type Error;

    /// Feeds until its end or until `shutdown` is requested, and returns when everything that
    /// it fed is delivered, or given up at its deadline.
    ///
    /// # Errors
    /// If it cannot go on. What was delivered until then stays delivered.
    fn run(self, shutdown: &Shutdown) -> Result<(), Self::Error>;
}
