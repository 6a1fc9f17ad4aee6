//! What of batches reaches a stage of a plan.

use std::sync::Arc;

use sandbar_record::Batch;
use sandbar_sandbox::{CallError, Operator};

use crate::capture::{Capture, Reached};
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::plan_error::PlanError;

/// Why nothing reaches a stage.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The pipeline cannot run.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A call of a stage before it, or of the stage itself, failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Plan {
    /// The operators of its stages.
    pub fn operators(&self) -> impl Iterator<Item = &Operator> {
        self.stages.iter().map(|stage| &stage.operator)
    }

    /// What of these batches reaches a stage.
    ///
    /// # Errors
    /// If a call fails.
    pub fn reaching(&self, stage: &Arc<str>, batches: &[Batch]) -> Result<Reached, CaptureError> {
        let mut chain = self.chain()?;
        let capture = Capture::of(stage.clone());
        let mut outcome = Outcome { capture: Some(Box::new(capture)), ..Outcome::default() };
        for batch in batches {
            chain.process(batch, &mut outcome)?;
        }
        let reached = outcome.capture.take().map(|capture| capture.reached());
        Ok(reached.unwrap_or_else(|| Reached::Records(Vec::new())))
    }
}
