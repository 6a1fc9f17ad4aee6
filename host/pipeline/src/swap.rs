//! Other models and components in the place of those that serve: what is asked for, and what
//! becomes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbar_registry::ArtifactSource;
use thiserror::Error;

use crate::plan::PlanError;
use crate::revision::{Revision, Trial};
use crate::rollout::TermsError;

/// What is to serve instead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Models, by the pipeline's names for them: folders, relative to the manifest's, or of
    /// the registry.
    pub models: BTreeMap<String, ArtifactSource>,
    /// Components by stage, in the same way.
    pub components: BTreeMap<String, ArtifactSource>,
    /// The revision that whoever asks for it has seen: another one refuses the change.
    pub revision: Option<u64>,
}

/// A swap that took place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// What serves now.
    pub revision: Revision,
    /// How many sample rows of its model the new scorer has scored as they are expected.
    pub samples: usize,
    /// The batch that the new stages were tried on; `None`: none had come by.
    pub trial: Option<Trial>,
    /// How long it took to load and try what is new, while the old served.
    pub prepared: Duration,
    /// How long it took until every worker went on with it.
    pub switched: Duration,
}

/// Why a swap did not take place. What served before goes on.
#[derive(Debug, Error)]
pub enum SwapError {
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
    /// Somebody else has changed something meanwhile.
    #[error("revision {found} serves, not {expected}: somebody else changed it; look again")]
    Outdated {
        /// What was expected.
        expected: u64,
        /// What serves.
        found: u64,
    },
    /// There is nothing to go back to.
    #[error("there is no revision before this one")]
    NoneBefore,
    /// What is new cannot be used.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// It cannot be used on what the pipeline reads.
    #[error("tried on {records} records that came by: {reason}")]
    Trial {
        /// How many records.
        records: usize,
        /// What happened.
        reason: String,
    },
    /// The pipeline does not run.
    #[error("the pipeline does not run yet, or no more")]
    NotRunning,
    /// A roll-out is under way, whose comparison would be of something else then.
    #[error(
        "a roll-out is under way ({0}): promote it or abort it first (sandbar rollout promote, or abort)"
    )]
    Underway(String),
    /// There is no roll-out to end.
    #[error("no roll-out is under way: sandbar status says how the last one ended")]
    NoRollout,
    /// The roll-out cannot be as it is asked for.
    #[error("{0}")]
    Terms(#[from] TermsError),
    /// The machine gives no more threads.
    #[error("a thread for the roll-out cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}
