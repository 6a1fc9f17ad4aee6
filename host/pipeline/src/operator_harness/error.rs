//! Why a harness cannot go on.

use sandbar_record::Batch;
use sandbar_sandbox::CallError;
use thiserror::Error;

use crate::interrupted::Interrupted;

/// Why a harness cannot continue.
#[derive(Debug, Error)]
pub enum HarnessError {
    /// A batch failed.
    #[error("{topic}/{partition}, from offset {offset}: {cause}")]
    Interrupted {
        /// The batch's topic.
        topic: String,
        /// Its partition.
        partition: i32,
        /// Its first offset.
        offset: i64,
        /// What happened.
        cause: Interrupted,
    },
    /// A record is larger than a batch can be.
    #[error(
        "{topic}/{partition}, offset {offset}: a record of {size} bytes is too large; at most 2 GiB"
    )]
    TooLarge {
        /// The record's topic.
        topic: String,
        /// Its partition.
        partition: i32,
        /// The offset that it would have had.
        offset: i64,
        /// Its bytes: key, value and headers.
        size: usize,
    },
    /// A row does not have the features that were declared.
    #[error("row {row}: {reason}")]
    Row {
        /// Its index.
        row: usize,
        /// What is wrong.
        reason: String,
    },
    /// The operator can no longer be used; not the fault of a row.
    #[error("{0}")]
    Unusable(CallError),
}

impl HarnessError {
    pub(crate) fn at(batch: &Batch, cause: Interrupted) -> Self {
        HarnessError::Interrupted {
            topic: batch.topic.to_string(),
            partition: batch.partition,
            offset: batch.offsets.first().copied().unwrap_or_default(),
            cause,
        }
    }
}
