//! Why a transaction was not committed.

/// Why a transaction was not committed.
#[derive(Debug)]
pub enum TransactionError {
    /// Run the batches again; the cause is transient, or handled in the next attempt.
    Again(String),
    /// Run those again whose partitions are still assigned to this runner.
    Disowned,
    /// The run ends, and the next one processes the batches: nothing is wrong with them.
    Left(String),
    /// The run cannot go on.
    Hopeless(String),
}

impl std::fmt::Display for TransactionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TransactionError::Again(reason)
            | TransactionError::Left(reason)
            | TransactionError::Hopeless(reason) => f.write_str(reason),
            TransactionError::Disowned => f.write_str("partitions were revoked"),
        }
    }
}
