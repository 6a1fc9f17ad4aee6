//! Why a transaction was not committed.

/// Why a transaction was not committed.
#[derive(Debug)]
pub enum Trouble {
    /// Run the batches again; the cause is transient, or handled in the next attempt.
    Again(String),
    /// Run those again whose partitions are still assigned to this runner.
    Disowned,
    /// The run cannot go on.
    Hopeless(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::Again(reason) | Trouble::Hopeless(reason) => f.write_str(reason),
            Trouble::Disowned => f.write_str("partitions were revoked"),
        }
    }
}
