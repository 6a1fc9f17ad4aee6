//! What the server is about.

use std::sync::Arc;
use std::time::Duration;

use super::access::Access;
use crate::fleet::Fleet;
use sandbar_pipeline::Deployment;
use sandbar_record::Shutdown;

/// What the server reports on and changes.
pub struct Subject {
    /// The pipeline's name.
    pub pipeline: String,
    /// What it serves, its counters, and its state.
    pub deployment: Arc<Deployment>,
    /// The fleet whose runner it is, if any.
    pub fleet: Option<Arc<Fleet>>,
    /// Who may read, and who may change what it serves.
    pub access: Access,
    /// The request to stop.
    pub shutdown: Shutdown,
    /// How long it may not poll Kafka before it counts as dead.
    pub patience: Duration,
}
