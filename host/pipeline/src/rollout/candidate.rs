//! What runs beside the chain of one worker.

use std::sync::Arc;

use super::comparison::Comparison;
use super::shadow::ShadowQueue;
use super::split::Split;
use crate::chain_runner::ChainRunner;

/// What runs beside the chain of one worker.
pub(crate) struct Candidate {
    pub(crate) comparison: Arc<Comparison>,
    pub(crate) role: Role,
}

/// Its role.
pub(crate) enum Role {
    /// It serves some of the records.
    Canary(Box<ChainRunner>, Split),
    /// Its outputs are written as well.
    Ab(Box<ChainRunner>),
    /// It scores elsewhere.
    Shadow(ShadowQueue),
}
