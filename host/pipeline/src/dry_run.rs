//! The dry run: new stages are tried on a recent batch before they serve.

use std::sync::Arc;

use crate::interrupted::Interrupted;
use crate::plan::Plan;
use crate::processor::Processor;
use crate::revision::DryRun;
use crate::swap::SwapError;
use sandbar_record::Batch;
use sandbar_record::Failure;
use sandbar_record::{Output, Sink};
use sandbar_telemetry::Stats;

/// Takes a recent batch through the old stages and the new.
///
/// # Errors
/// If more records fail with the new ones.
pub(super) fn try_out(batch: &Batch, old: &Plan, new: &Plan) -> Result<DryRun, SwapError> {
    let records = batch.len();
    let take = |plan: &Plan| -> Result<Count, String> {
        let mut count = Count::default();
        let stats = Arc::new(Stats::default());
        let mut processor = Processor::new(plan, stats.clone()).map_err(|it| it.to_string())?;
        match processor.process(batch, 0, &mut count) {
            // Where a stage stops at a failure, the records behind it say nothing.
            Ok(()) | Err(Interrupted::Stopped { .. }) => {}
            Err(error) => return Err(error.to_string()),
        }
        count.gave_nothing = stats.snapshot().isolated > 0;
        Ok(count)
    };
    let trial = |reason: String| SwapError::DryRun { records, reason };
    let now = take(new).map_err(trial)?;
    // A fault of the old stages may be what the swap is meant to fix.
    let before = take(old).unwrap_or(Count { failed: records, ..Count::default() });
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

/// A sink that counts failures.
#[derive(Default)]
struct Count {
    failed: usize,
    /// Whether a call failed for the batch.
    gave_nothing: bool,
    first: Option<String>,
}

impl Sink for Count {
    fn output(&mut self, _: &Batch, _: &Output<'_>) {}

    fn dead_letter(&mut self, _: &Batch, failure: &Failure) {
        let Failure { stage, code, message, .. } = failure;
        self.failed += 1;
        self.first.get_or_insert_with(|| format!("stage '{stage}': {code}: {message}"));
    }
}
