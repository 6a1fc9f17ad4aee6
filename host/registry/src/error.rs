//! The error of a registry.

use std::fmt;

use thiserror::Error;

/// Why a request to a registry failed.
#[derive(Debug, Clone, Error)]
#[error("registry {registry}: {}{reason}", Subject(subject))]
pub struct RegistryError {
    /// The registry's location.
    pub registry: String,
    /// The model or operator that it is about; empty for the registry itself.
    pub subject: String,
    /// What is wrong, and what to do.
    pub reason: String,
    /// The kind of error, for programs.
    pub cause: Cause,
}

/// The kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The registry is unreachable; a retry may succeed.
    Unreachable,
    /// Access is denied.
    Denied,
    /// The requested object does not exist.
    Missing,
    /// Changed concurrently; re-read and retry.
    Conflict,
    /// A stored object is invalid or does not match its digest.
    Corrupt,
    /// The request is invalid.
    Refused,
}

struct Subject<'a>(&'a str);

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}
