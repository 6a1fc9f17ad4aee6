//! The dry run: new stages are tried on a recent batch before they serve.

use std::sync::Arc;

use crate::interrupted::Interrupted;
use crate::plan::Plan;
use crate::processor::Processor;
use crate::revision::{DryRun, Tried};
use crate::swap::SwapError;
use sandbar_record::Batch;
use sandbar_record::{Failure, MemoryGate};
use sandbar_record::{Output, Sink};
use sandbar_telemetry::Stats;

/// Takes a recent batch through the old stages and the new.
///
/// # Errors
/// If more records fail with the new ones.
pub(super) fn try_out(batch: &Batch, old: &Plan, new: &Plan) -> Result<DryRun, SwapError> {
    compare(batch, old, Tried::of(batch, new))
}

/// Takes a recent batch through the old stages too, which the new have been tried on.
///
/// # Errors
/// As [`try_out`].
pub(super) fn compare(
    batch: &Batch,
    old: &Plan,
    now: Result<Tried, String>,
) -> Result<DryRun, SwapError> {
    let records = batch.len();
    let trial = |reason: String| SwapError::DryRun { records, reason };
    let now = now.map_err(trial)?;
    // A fault of the old stages may be what the swap is meant to fix.
    let before = Tried::of(batch, old).unwrap_or(Tried { failed: records, ..Tried::default() });
    let worse = now.gave_nothing && !before.gave_nothing
        || now.failed == records && before.failed < records;
    match now.first {
        Some(first) if worse => Err(trial(format!(
            "{} of them fail, {} failed before; for example: {first}",
            now.failed, before.failed
        ))),
        _ => {
            let (failed_before, failed) = (before.failed, now.failed);
            Ok(DryRun { records, failed_before, failed })
        }
    }
}

impl Tried {
    /// Takes a batch through the stages of a plan.
    ///
    /// # Errors
    /// If it cannot be taken to its end.
    pub(super) fn of(batch: &Batch, plan: &Plan) -> Result<Self, String> {
        let mut trial = Trial { tried: Tried::default(), memory: plan.policies().memory };
        let stats = Arc::new(Stats::default());
        let mut processor = Processor::new(plan, stats.clone()).map_err(|it| it.to_string())?;
        match processor.process(batch, 0, &mut trial) {
            // Where a stage stops at a failure, the records behind it say nothing.
            Ok(()) | Err(Interrupted::Stopped { .. }) => {}
            Err(Interrupted::Closed | Interrupted::Starved(_)) => {
                return Err(format!("memory is short: {}", trial.memory.usage()));
            }
            Err(error) => return Err(error.to_string()),
        }
        let mut tried = trial.tried;
        tried.gave_nothing = stats.snapshot().isolated > 0;
        Ok(tried)
    }
}

/// What becomes of a batch that is only tried; it does not wait for memory.
struct Trial {
    tried: Tried,
    memory: MemoryGate,
}

impl Sink for Trial {
    fn output(&mut self, _: &Batch, _: &Output<'_>) {}

    fn dead_letter(&mut self, _: &Batch, failure: &Failure) {
        let Failure { stage, code, message, .. } = failure;
        self.tried.failed += 1;
        self.tried.first.get_or_insert_with(|| format!("stage '{stage}': {code}: {message}"));
    }

    fn is_closed(&self) -> bool {
        self.memory.is_short()
    }
}
