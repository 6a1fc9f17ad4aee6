//! Why a batch did not get through, and whom a call that gave nothing is blamed on.

use std::sync::Arc;

use sandbar_record::{Code, Failure};
use sandbar_sandbox::CallError;
use thiserror::Error;

/// Why a batch was not finished. Its outputs until then are at the sink.
#[derive(Debug, Error)]
pub enum Interrupted {
    /// An operator cannot be used any more; no record is to blame.
    #[error("{0}")]
    Unusable(CallError),
    /// The process is short of memory, and ends; no record is to blame.
    #[error("{0}")]
    Starved(CallError),
    /// A record failed in a stage that stops at failures.
    #[error("stage '{stage}' stops at {topic}/{partition}, offset {offset}: {code}: {message}")]
    Stopped {
        /// The stage.
        stage: Arc<str>,
        /// The record's topic.
        topic: Arc<str>,
        /// Its partition.
        partition: i32,
        /// Its offset.
        offset: i64,
        /// Why it failed.
        code: Code,
        /// The same for a person.
        message: String,
    },
    /// The sink wanted nothing more.
    #[error("the runner stopped before the batch was finished")]
    Closed,
}

/// The failure of a record that was alone in a call that failed.
pub fn blame(record: usize, CallError { stage, code, message, .. }: CallError) -> Failure {
    Failure { record, stage, code, message }
}
