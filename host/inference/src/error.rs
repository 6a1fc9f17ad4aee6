//! Why inference gives nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of an error, as `wasi:nn` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// What the caller gave is not what is taken.
    InvalidArgument,
    /// The bytes are no graph of the kind that they are said to be.
    InvalidEncoding,
    /// It took longer than it may.
    Timeout,
    /// The computation failed.
    RuntimeError,
    /// It needs an operation that there is not.
    UnsupportedOperation,
    /// It is larger than it may be.
    TooLarge,
    /// There is nothing of this name.
    NotFound,
    /// It is not allowed.
    Security,
    /// Anything else.
    Unknown,
}

impl ErrorCode {
    /// Its name in `wasi:nn`.
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorCode::InvalidArgument => "invalid-argument",
            ErrorCode::InvalidEncoding => "invalid-encoding",
            ErrorCode::Timeout => "timeout",
            ErrorCode::RuntimeError => "runtime-error",
            ErrorCode::UnsupportedOperation => "unsupported-operation",
            ErrorCode::TooLarge => "too-large",
            ErrorCode::NotFound => "not-found",
            ErrorCode::Security => "security",
            ErrorCode::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why inference failed: what a guest sees as an error of `wasi:nn`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// The kind.
    pub code: ErrorCode,
    /// For a person; names the model.
    pub message: String,
}

impl Error {
    /// An error of a kind.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Error { code, message: message.into() }
    }

    /// The same error, saying what it is about: `context: message`.
    pub fn context(self, context: impl fmt::Display) -> Self {
        Error { code: self.code, message: format!("{context}: {}", self.message) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
