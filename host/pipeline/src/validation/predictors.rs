//! The stages that answer samples.

use sandbar_record::BatchLimits;
use sandbar_sandbox::{Field, Operator};
use sandbar_telemetry::CallTimes;

/// What is wrong with samples: the index of the row, if it is about one, and the reason.
pub(crate) type Wrong = (Option<usize>, String);

/// The stages that make predictions.
#[derive(Clone, Copy)]
pub(crate) struct Predictors<'a> {
    pub(crate) extractor: &'a Operator,
    pub(crate) scorer: &'a Operator,
    /// The features that the extractor gives.
    pub(crate) fields: &'a [Field],
    pub(crate) limits: BatchLimits,
}

/// The operator, with metrics of its own: those of the pipeline count only what it reads.
pub(super) fn apart(operator: &Operator) -> Operator {
    Operator { times: CallTimes::default(), ..operator.clone() }
}
