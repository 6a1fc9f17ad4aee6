//! Why a pipeline was not prepared.

use std::time::Duration;

use sandbar_registry::RegistryError;
use thiserror::Error;

/// Why a pipeline was not prepared.
#[derive(Debug, Error)]
pub enum PreparationError {
    /// It cannot run: what is wrong with it.
    #[error("{0}")]
    Refused(String),
    /// The registry does not provide a model.
    #[error("model '{name}': {error}")]
    Model {
        /// The pipeline's name for it.
        name: String,
        /// Why not.
        error: Box<RegistryError>,
    },
    /// The registry does not provide a component.
    #[error("stage '{stage}': {error}")]
    Component {
        /// The stage.
        stage: String,
        /// Why not.
        error: Box<RegistryError>,
    },
    /// It takes longer than who asks for it waits.
    #[error("{about} is not prepared within {timeout:?}, the timeout of the request")]
    Timeout {
        /// What was prepared.
        about: String,
        /// How long was waited.
        timeout: Duration,
    },
    /// It takes too long.
    #[error(
        "{about} cannot be prepared within {deadline:?}: make it smaller, or raise load-deadline of [limits]"
    )]
    Deadline {
        /// What was prepared.
        about: String,
        /// `[limits] load-deadline`.
        deadline: Duration,
    },
    /// It takes too much memory.
    #[error(
        "{about} takes more than {memory} of memory to prepare: make it smaller, or raise load-memory of [limits]"
    )]
    Memory {
        /// What was prepared.
        about: String,
        /// `[limits] load-memory`.
        memory: bytesize::ByteSize,
    },
    /// Nobody wants it any more.
    #[error("cancelled while {about} was prepared")]
    Cancelled {
        /// What was prepared.
        about: String,
    },
    /// The child cannot be used.
    #[error("{about} cannot be prepared in a process of its own: {reason}")]
    Child {
        /// What was prepared.
        about: String,
        /// Why not.
        reason: String,
    },
}
