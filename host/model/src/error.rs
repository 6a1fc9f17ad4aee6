//! Why a model folder cannot be used.

use std::path::PathBuf;

use thiserror::Error;

/// Why a folder or its file is not a model that can be used.
#[derive(Debug, Error)]
pub enum ModelError {
    /// The description cannot be read.
    #[error("{path}: {cause}; a model is a folder with a model.toml in it", path = path.display())]
    Description {
        /// The path of `model.toml`.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The description has invalid content; a line for each problem.
    #[error(transparent)]
    Invalid(#[from] sandbar_config::Problems),
    /// The model's file is missing, or is not a file in the folder.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The file does not match the description.
    #[error("{path}: the {what} of {file} is {found}, but model.toml says {expected}; the file was changed or its download is incomplete: download it again, or correct model.toml", path = path.display())]
    Mismatch {
        /// The path of `model.toml`.
        path: PathBuf,
        /// The model's file.
        file: String,
        /// `size` or `sha256`.
        what: &'static str,
        /// What the file has.
        found: String,
        /// What it should have.
        expected: String,
    },
    /// A stand-in does not fit its model.
    #[error("the stand-in for '{name}': {reason}")]
    StandIn {
        /// The pipeline's name for the model.
        name: String,
        /// What is wrong, and what to do.
        reason: String,
    },
}
