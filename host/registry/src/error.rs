//! Why a registry does not do what it is asked.

use std::fmt;

use thiserror::Error;

/// Why a registry does not do what it is asked.
#[derive(Debug, Clone, Error)]
#[error("registry {registry}: {}{reason}", Subject(subject))]
pub struct RegistryError {
    /// Where the registry is.
    pub registry: String,
    /// The model or operator that it is about; empty for the registry itself.
    pub subject: String,
    /// What is wrong, and the way out.
    pub reason: String,
    /// What sort of thing is wrong, for programs.
    pub cause: Cause,
}

/// What sort of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It does not answer now, but may later.
    Unreachable,
    /// It does not let this one in.
    Denied,
    /// What was asked for is not there.
    Missing,
    /// Somebody else was first; look again.
    Conflict,
    /// What is there is not what it says.
    Corrupt,
    /// What was asked for cannot be done.
    Refused,
}

struct Subject<'a>(&'a str);

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}
