//! Records through a chain, one by one where a call fails.

use crate::chain::Input;
use crate::chain_runner::Pass;
use crate::events::BatchIsolated;
use crate::interrupted::{Interrupted, blame};
use crate::outcome::Outcome;
use sandbar_record::Sink;
use sandbar_record::Variant;
use sandbar_sandbox::{Blame, CallError};

/// Consecutive records, run one by one, for which a candidate's calls may fail; the
/// others of the batch are not given to it. It must not hold up the stream with each.
pub(super) const TOLERATED: usize = 8;

/// How many records were run, and why not all.
pub(super) struct Gathered {
    pub(super) given: usize,
    pub(super) error: Option<CallError>,
}

impl<O: Sink> Pass<'_, O> {
    /// Takes records through the chain, one by one if a call fails, and leaves all
    /// outputs in the outcome. With `tolerated`, it stops after so many consecutive records
    /// for which calls failed, or if the stages can no longer be used.
    pub(super) fn gather(
        &mut self,
        input: &Input<'_>,
        tolerated: Option<usize>,
    ) -> Result<Gathered, Interrupted> {
        let all = input.batch.len();
        let mut last = match self.call(input) {
            Ok(()) => return Ok(Gathered { given: all, error: None }),
            Err(error) => error,
        };
        let mut gathered = Outcome::keeping(self.outcome.predictions.is_some());
        let (mut given, mut nothing) = (0, 0);
        if !stops(&last, all == 1, nothing, tolerated)? {
            BatchIsolated { batch: input.batch, error: &last }.emit(self.stats);
            while given < all {
                self.go_on()?;
                let (origin, single) = (input.origin(given), input.batch.single(given));
                let origins = [origin as u32];
                let alone = Input { source: input.source, batch: &single, origins: Some(&origins) };
                match self.call(&alone) {
                    Ok(()) => {
                        nothing = 0;
                        gathered.append(self.outcome, Variant::Serving);
                    }
                    Err(error) => {
                        nothing += 1;
                        last = error;
                        let stop = stops(&last, true, nothing, tolerated)?;
                        // A record for which no instance could be made is not to blame.
                        if last.blame == Blame::Records {
                            gathered.failures.push(blame(origin, last.clone()));
                            given += 1;
                        }
                        if stop {
                            break;
                        }
                        continue;
                    }
                }
                given += 1;
            }
        }
        *self.outcome = gathered;
        Ok(Gathered { given, error: (given < all).then_some(last) })
    }
}

/// Whether the rest of the batch is given up; an error if the run cannot go on.
fn stops(
    error: &CallError,
    alone: bool,
    nothing: usize,
    tolerated: Option<usize>,
) -> Result<bool, Interrupted> {
    let unusable = error.blame == Blame::Operator;
    match tolerated {
        // Records are called one by one, as long as memory may come.
        _ if error.blame == Blame::Memory && alone => Err(Interrupted::Starved(error.clone())),
        None if unusable => Err(Interrupted::Unusable(error.clone())),
        None => Ok(false),
        Some(tolerated) => Ok(unusable || nothing >= tolerated),
    }
}

/// Fails the records that a candidate was not given, with the last error.
pub(super) fn fail_rest(outcome: &mut Outcome, input: &Input<'_>, gathered: Gathered) {
    let Gathered { given, error: Some(error) } = gathered else { return };
    let rest = (given..input.batch.len()).map(|index| blame(input.origin(index), error.clone()));
    outcome.failures.extend(rest);
}
