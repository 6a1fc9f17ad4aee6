//! The roll-out that is under way, and the one that ended last.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::comparison::Comparison;
use super::report::RolloutReport;
use super::spec::RolloutSpec;
use crate::revision::{DryRun, Revision};

/// A roll-out, in progress or over.
#[derive(Debug, Clone)]
pub struct Rollout {
    /// What was asked for.
    pub spec: RolloutSpec,
    /// The candidate's models and components; its number is that of the serving revision.
    pub candidate: Revision,
    /// How many sample rows of its model its scorer has scored as they are expected.
    pub samples: usize,
    /// The dry run; `None`: there was no recent batch.
    pub trial: Option<DryRun>,
    pub(crate) comparison: Arc<Comparison>,
}

/// A roll-out that is over.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What it was.
    pub rollout: Rollout,
    /// The comparison at the end.
    pub report: RolloutReport,
    /// When it ended.
    pub at: SystemTime,
    /// How.
    pub end: End,
    /// Why.
    pub reason: String,
}

/// How a roll-out ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The candidate serves.
    Promoted,
    /// It was ended on request: the serving revision stays.
    Aborted,
    /// The candidate broke a rule: the serving revision stays.
    RolledBack,
}

/// The current and the last roll-out.
#[derive(Default)]
pub(crate) struct Rollouts {
    pub(crate) current: Option<Rollout>,
    pub(crate) last: Option<Ended>,
}

impl End {
    /// The name in answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            End::Promoted => "promoted",
            End::Aborted => "aborted",
            End::RolledBack => "rolled-back",
        }
    }
}

impl Rollout {
    /// What both have made of records until now, as it is counted.
    pub fn comparison(&self) -> &Arc<Comparison> {
        &self.comparison
    }

    /// The comparison until now.
    pub fn report(&self) -> RolloutReport {
        self.comparison.report()
    }
}

impl fmt::Display for Rollout {
    /// `canary of flights-dl@1`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.candidate.model.as_deref();
        write!(f, "{} of {}", self.spec.mode, model.unwrap_or("other components"))
    }
}
