//! The stages that answer samples.

use sandbar_record::BatchLimits;
use sandbar_sandbox::{Field, Operator};
use sandbar_telemetry::CallTimes;

/// What is wrong with samples: the index of the row, if it is about one, and the reason.
pub(crate) type Wrong = (Option<usize>, String);

/// A scorer that makes predictions.
#[derive(Clone, Copy)]
pub(crate) struct Predictors<'a> {
    /// The extractor that makes all that it reads; `None`: it reads predictions too, or features
    /// of several.
    pub(crate) extractor: Option<&'a Operator>,
    pub(crate) scorer: &'a Operator,
    /// The features that it is given.
    pub(crate) fields: &'a [Field],
    pub(crate) limits: BatchLimits,
}

/// The operator, with metrics of its own: those of the pipeline count only what it reads.
pub(super) fn apart(operator: &Operator) -> Operator {
    Operator { times: CallTimes::default(), ..operator.clone() }
}
