//! What each input of a batch gave.

use crate::bindings::types;
use crate::error::Failure;

/// What each of `count` inputs gave: the next of `results`, or its failure.
pub(super) fn outcomes<T>(
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

pub(super) fn own(failure: &types::Failure) -> Failure {
    Failure { code: failure.code, message: failure.message.clone().into() }
}
