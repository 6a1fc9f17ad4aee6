//! Why the stages of a pipeline do not fit each other.

use std::fmt;

use sandbar_sandbox::World;
use thiserror::Error;

/// Where something is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At a stage.
    Stage {
        /// Its number in the manifest, from 1.
        number: usize,
        /// Its name.
        name: String,
        /// Its world.
        world: World,
    },
    /// At the sink.
    Sink,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Stage { number, name, world } => {
                write!(f, "stage '{name}' (number {number}, {world})")
            }
            Place::Sink => f.write_str("[sink]"),
        }
    }
}

/// Why the stages of a pipeline do not fit each other.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GraphError {
    /// An extractor behind predictions does not say what it reads.
    #[error(
        "{place}: it could read the records ('{records}') or their predictions ('{predictions}'); \
         say which, as in from = \"{records}\""
    )]
    Ambiguous {
        /// The extractor.
        place: Place,
        /// What makes the records.
        records: String,
        /// What makes the predictions.
        predictions: String,
    },
    /// A scorer has nothing to read.
    #[error(
        "{place}: a scorer takes features, and no stage before it makes some of {records}; put an \
         extractor before it"
    )]
    NoFeatures {
        /// The scorer.
        place: Place,
        /// The records that it stands behind.
        records: String,
    },
    /// What a stage names cannot be read by it.
    #[error("{place}: from: it cannot read '{name}': {reason}; it can read {choices}")]
    Unreadable {
        /// The stage, or the sink.
        place: Place,
        /// What it names.
        name: String,
        /// Why not.
        reason: String,
        /// What it can read.
        choices: String,
    },
    /// What a stage makes goes nowhere.
    #[error(
        "{place}: nothing reads its {made}; name it in 'from' of {readers}, or take the stage out"
    )]
    Unread {
        /// The stage.
        place: Place,
        /// Features or predictions.
        made: &'static str,
        /// What could.
        readers: String,
    },
    /// Columns are named for something that is not a scorer.
    #[error("{place}: columns: only a scorer is given columns; take 'columns' out")]
    NoScorer {
        /// The stage.
        place: Place,
    },
    /// The columns of a scorer contradict each other.
    #[error("{place}: {reason}")]
    Columns {
        /// The scorer.
        place: Place,
        /// What is wrong.
        reason: String,
    },
}
