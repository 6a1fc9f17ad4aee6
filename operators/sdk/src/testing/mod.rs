//! Runs operators natively, for ordinary unit tests: the same code as in the sandbox,
//! with this module in the place of the host.
//!
//! A [`Stage`] stands for the pipeline's manifest. What goes in is built as
//! [`Records`] or [`Features`]; what comes out is one result per record.

mod features;
mod records;
mod stage;

pub use features::{Cell, Extracted, Features, Prediction};
pub use records::{EmittedRecord, Records, TestRecord, Transformed};
pub use stage::{ExtractorStage, ScorerStage, Stage, TransformerStage};

use crate::bindings::types;
use crate::error::Failure;

/// What each of `count` inputs gave: the next of `results`, or its failure.
fn outcomes<T>(
    count: usize,
    results: impl IntoIterator<Item = T>,
    failures: &[types::Failure],
) -> Vec<Result<T, Failure>> {
    let mut results = results.into_iter();
    let mut failures = failures.iter().peekable();
    let outcome = |index| match failures.next_if(|failure| failure.index as usize == index) {
        Some(failure) => Some(Err(own(failure))),
        None => results.next().map(Ok),
    };
    (0..count).map_while(outcome).collect()
}

fn own(failure: &types::Failure) -> Failure {
    Failure { code: failure.code, message: failure.message.clone().into() }
}
