//! Other models and components in the place of those that serve: what is asked for, and what
//! becomes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbar_record::MemoryUse;
use sandbar_registry::ArtifactSource;
use thiserror::Error;

use crate::plan_error::PlanError;
use crate::revision::{DryRun, Revision};
use crate::rollout::RolloutSpecError;

/// The models and components to swap in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SwapSpec {
    /// Models, by the pipeline's names for them: folders, relative to the manifest's, or of
    /// the registry.
    pub models: BTreeMap<String, ArtifactSource>,
    /// Components by stage, in the same way.
    pub components: BTreeMap<String, ArtifactSource>,
    /// The revision that the requester has seen: if another serves, the change is refused.
    pub revision: Option<u64>,
    /// How long they may take to be prepared, if less than `[limits] load-deadline`.
    pub timeout: Option<Duration>,
}

/// A swap that took place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// What serves now.
    pub revision: Revision,
    /// How many sample rows of its model the new scorer has scored as they are expected.
    pub samples: usize,
    /// The dry run of the new stages; `None`: there was no recent batch.
    pub trial: Option<DryRun>,
    /// How long loading and validation took, while the old revision served.
    pub prepared: Duration,
    /// How long it took until every worker used it.
    pub switched: Duration,
}

/// Why a swap was refused. The serving revision stays.
#[derive(Debug, Error)]
pub enum SwapError {
    /// No model and no component.
    #[error("nothing to swap: name a model (models) or a component (components)")]
    Nothing,
    /// The pipeline has nothing of that name.
    #[error("the pipeline has no {what} '{name}'; it has {known}")]
    Unknown {
        /// `model` or `stage`.
        what: &'static str,
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// Another change was made meanwhile.
    #[error(
        "expected revision {expected}, but {found} serves: changed concurrently; re-read and retry"
    )]
    Outdated {
        /// What was expected.
        expected: u64,
        /// What serves.
        found: u64,
    },
    /// Another change is being prepared.
    #[error(
        "a {what} is being prepared since {seconds} s: wait for it, or cancel it (sandbar swap --cancel)"
    )]
    Busy {
        /// `swap`.
        what: String,
        /// For how long.
        seconds: u64,
    },
    /// There is nothing to cancel.
    #[error("no change is being prepared: there is nothing to cancel")]
    NothingUnderway,
    /// There is no revision to roll back to.
    #[error("no previous revision to roll back to")]
    NoneBefore,
    /// The new models or components cannot be used.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The dry run on recent records failed.
    #[error("dry run on {records} recent records failed: {reason}")]
    DryRun {
        /// How many records.
        records: usize,
        /// What happened.
        reason: String,
    },
    /// The pipeline does not run.
    #[error("the pipeline is not running: it has not started yet, or has stopped")]
    NotRunning,
    /// The process has no memory for it.
    #[error(
        "memory is short, {0} ([runner] memory): nothing more is loaded; try again when there is more"
    )]
    Memory(MemoryUse),
    /// A roll-out is in progress, whose comparison the change would falsify.
    #[error(
        "a roll-out is under way ({0}): promote it or abort it first (sandbar rollout promote, or abort)"
    )]
    Underway(String),
    /// There is no roll-out to end.
    #[error("no roll-out is under way: sandbar status says how the last one ended")]
    NoRollout,
    /// The rollout spec is invalid.
    #[error("{0}")]
    Terms(#[from] RolloutSpecError),
    /// The system provides no more threads.
    #[error("cannot start a thread for the roll-out: {0}")]
    Thread(#[from] std::io::Error),
}
