//! What serves, and what it was tried on before.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use sandbar_registry::pins::Pins;
use serde::{Deserialize, Serialize};

/// What serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Counts from 1, with every swap.
    pub number: u64,
    /// Since when.
    pub since: SystemTime,
    /// The models: the pipeline's names for them, and `name@version` of each.
    pub models: BTreeMap<String, String>,
    /// The components by stage, in the order of the pipeline.
    pub components: Vec<(Arc<str>, PathBuf)>,
    /// The model that makes the predictions, if any.
    pub model: Option<Arc<str>>,
    /// Those models and components that are of the registry.
    pub pins: Pins,
}

impl Revision {
    /// The models as one plain value for logs: `flights=flights@4, weather=weather@1`.
    pub(crate) fn shown_models(&self) -> String {
        let each = self.models.iter().map(|(name, version)| format!("{name}={version}"));
        each.collect::<Vec<_>>().join(", ")
    }
}

/// What came of a batch that both the old and the new stages were given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DryRun {
    /// Its records.
    pub records: usize,
    /// How many of them failed with the old stages.
    pub failed_before: usize,
    /// And with the new.
    pub failed: usize,
}

/// What became of a batch in the stages of one plan.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tried {
    /// Its records that failed.
    pub(crate) failed: usize,
    /// Whether a call failed for the batch.
    pub(crate) gave_nothing: bool,
    /// The first failure, if there is one.
    pub(crate) first: Option<String>,
}

/// Validation and dry run of something that does not serve yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Validation {
    /// How many sample rows of its model its scorer has scored as they are expected.
    pub samples: usize,
    /// The dry run; `None`: there was no recent batch.
    pub trial: Option<DryRun>,
}
