//! What requests and responses of all kinds have in common: what serves, and how it came to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use sandbar_pipeline::revision::DryRun;
use sandbar_pipeline::revision::Revision;
use sandbar_pipeline::swap::Swap;

/// One revision of a pipeline.
#[derive(Debug, Serialize, Deserialize)]
pub struct Serving {
    /// Counts from 1, with every swap.
    pub revision: u64,
    /// Since when, in seconds since the epoch.
    pub since: u64,
    /// `name@version` of each model, by the pipeline's name for it.
    pub models: BTreeMap<String, String>,
    /// The component of each stage.
    pub components: Vec<StageComponent>,
    /// The model that makes the predictions.
    pub model: Option<String>,
}

/// The component of a stage.
#[derive(Debug, Serialize, Deserialize)]
pub struct StageComponent {
    /// The stage.
    pub stage: String,
    /// The component's file.
    pub component: PathBuf,
}

/// A request to roll back.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    /// The revision that the change is based on.
    #[serde(default)]
    pub revision: Option<u64>,
}

/// A swap that was made.
#[derive(Debug, Serialize, Deserialize)]
pub struct Swapped {
    /// What serves now.
    #[serde(flatten)]
    pub serving: Serving,
    /// How many sample rows of its model the new scorer has scored as expected.
    #[serde(default)]
    pub samples: usize,
    /// The dry run.
    pub trial: Option<Tried>,
    /// Seconds to load and validate, while the old revision served.
    pub prepared: f64,
    /// Seconds until every worker used it.
    pub switched: f64,
}

/// The result of a batch that both the old and the new stages were given.
#[derive(Debug, Serialize, Deserialize)]
pub struct Tried {
    /// Its records.
    pub records: usize,
    /// How many of them failed with the old.
    pub failed_before: usize,
    /// And with the new.
    pub failed: usize,
}

impl From<Revision> for Serving {
    fn from(revision: Revision) -> Self {
        let Revision { number, since, models, components, model, pins: _ } = revision;
        Serving {
            revision: number,
            since: seconds(since),
            models,
            components: stages(components),
            model: model.map(|model| model.to_string()),
        }
    }
}

impl From<Swap> for Swapped {
    fn from(swap: Swap) -> Self {
        Swapped {
            serving: swap.revision.into(),
            samples: swap.samples,
            trial: swap.trial.map(Tried::from),
            prepared: swap.prepared.as_secs_f64(),
            switched: swap.switched.as_secs_f64(),
        }
    }
}

impl From<DryRun> for Tried {
    fn from(trial: DryRun) -> Self {
        let DryRun { records, failed_before, failed } = trial;
        Tried { records, failed_before, failed }
    }
}

pub(super) fn stages(components: Vec<(Arc<str>, PathBuf)>) -> Vec<StageComponent> {
    let stage = |(stage, component): (Arc<str>, PathBuf)| StageComponent {
        stage: stage.to_string(),
        component,
    };
    components.into_iter().map(stage).collect()
}

pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since: Duration| since.as_secs())
}
