//! Graphs that guests bring while they serve. A process of its own reads, optimises and tries each
//! of them first; it has limits, and says what the graph takes. Only then is it loaded here.
//!
//! - `parent`: what this process asks, and the answers that it remembers.
//! - [`child`]: what the other does.

pub mod child;
mod parent;

use std::time::Duration;

use sandbar_inference::Error;
use sandbar_model::Kind;
use serde::{Deserialize, Serialize};

pub(crate) use parent::Brought;

/// What a graph takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Takes {
    /// At the most, while it is read, optimised and computed once for a batch of 1.
    pub(crate) peak: u64,
    /// As long as it is kept.
    pub(crate) kept: u64,
}

/// What is asked, in front of the graph's bytes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    graph: Kind,
    /// Bytes of memory that it may take.
    memory: u64,
    /// Processor time that the process may take.
    cpu: Duration,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Loads(Takes),
    Refused(Error),
}
