//! Why a pipeline cannot be made.

use std::path::PathBuf;

use thiserror::Error;

/// Why a pipeline cannot be made.
#[derive(Debug, Error)]
pub enum StarterError {
    /// The name is invalid.
    #[error("'{name}' cannot be the name of a pipeline: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The folder exists already.
    #[error("{path} already exists; choose another name, or another folder with --path", path = .0.display())]
    Exists(PathBuf),
    /// The model's file cannot be used.
    #[error("{path}: {reason}", path = path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The records cannot be used.
    #[error("{place}: {reason}")]
    Records {
        /// Where they are from.
        place: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A file cannot be written.
    #[error("{path}: {cause}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
}
