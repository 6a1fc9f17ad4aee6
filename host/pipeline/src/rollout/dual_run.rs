//! The dual run: one batch, while a candidate runs beside what serves.
//!
//! The outputs of both are merged before any of them is delivered, in order of the
//! records, so that policies, the order of keys and transactions see one outcome.

use std::collections::VecDeque;
use std::time::Instant;

use super::candidate::{Candidate, Role};
use super::comparison::{BatchResult, Comparison};
use super::shadow;
use super::split::{Part, Split};
use crate::chain::{Input, Outcome};
use crate::chain_runner::{ChainRunner, Pass};
use crate::events::BatchIsolated;
use crate::interrupted::{Interrupted, blame};
use sandbar_record::Failure;
use sandbar_record::Sink;
use sandbar_record::Variant;
use sandbar_sandbox::CallError;

/// Consecutive records, run one by one, for which a candidate's calls may fail; the
/// others of the batch are not given to it. It must not hold up the stream with each.
pub(super) const TOLERATED: usize = 8;

/// How many records were run, and why not all.
pub(super) struct Gathered {
    pub(super) given: usize,
    pub(super) error: Option<CallError>,
}

impl Candidate {
    /// Takes records through what serves and this candidate, and delivers what becomes of
    /// them.
    ///
    /// # Errors
    /// As those of the pass.
    pub(crate) fn take<O: Sink>(
        &mut self,
        pass: &mut Pass<'_, O>,
        input: &Input<'_>,
        failed: &mut VecDeque<Failure>,
    ) -> Result<(), Interrupted> {
        let Candidate { comparison, role } = self;
        match role {
            Role::Canary(side, split) => pass.canary(side, split, comparison, input)?,
            Role::Ab(side) => pass.both(side, comparison, input)?,
            Role::Shadow(queue) => pass.shadowed(queue, comparison, input)?,
        }
        pass.outcome.failures.extend(failed.drain(..));
        pass.outcome.sort();
        pass.deliver(input)
    }
}

impl<O: Sink> Pass<'_, O> {
    /// Some of the records are the candidate's.
    fn canary(
        &mut self,
        side: &mut ChainRunner,
        split: &Split,
        comparison: &Comparison,
        input: &Input<'_>,
    ) -> Result<(), Interrupted> {
        let Input { source, batch, .. } = *input;
        let mut theirs = Part::of(batch);
        for index in 0..batch.len() {
            let origin = input.origin(index);
            // Split by the record as it came in: an external payload has no key.
            if split.takes(&source.record(origin)) {
                theirs.push(&batch.record(index), origin);
            }
        }
        if theirs.origins.is_empty() {
            return self.serve(comparison, input);
        }
        let part = Input { source, batch: &theirs.batch, origins: Some(&theirs.origins) };
        side.forget();
        let begun = Instant::now();
        let Gathered { given, .. } =
            side.pass(self.batch, self.outlet).gather(&part, Some(TOLERATED))?;
        let (outcome, took) = (&side.outcome, begun.elapsed());
        comparison.add(Variant::Candidate, &BatchResult { records: given, outcome, took });

        // Those that the candidate was not given are processed as usual.
        theirs.origins.truncate(given);
        let mut ours = Part::of(batch);
        for index in 0..batch.len() {
            let origin = input.origin(index);
            if theirs.origins.binary_search(&(origin as u32)).is_err() {
                ours.push(&batch.record(index), origin);
            }
        }
        if ours.origins.is_empty() {
            *self.outcome = Outcome::keeping(true);
        } else {
            let part = Input { source, batch: &ours.batch, origins: Some(&ours.origins) };
            self.serve(comparison, &part)?;
        }
        self.outcome.append(&mut side.outcome, Variant::Candidate);
        self.outcome.tagged = true;
        Ok(())
    }

    /// All records go to both; the serving stages decide which have failed.
    fn both(
        &mut self,
        side: &mut ChainRunner,
        comparison: &Comparison,
        input: &Input<'_>,
    ) -> Result<(), Interrupted> {
        self.serve(comparison, input)?;
        side.forget();
        let begun = Instant::now();
        let gathered = side.pass(self.batch, self.outlet).gather(input, Some(TOLERATED))?;
        let outcome = &mut side.outcome;
        fail_rest(outcome, input, gathered);
        let (records, took) = (input.batch.len(), begun.elapsed());
        comparison.add(Variant::Candidate, &BatchResult { records, outcome, took });
        if let (Some(one), Some(other)) = (&self.outcome.predictions, &outcome.predictions) {
            comparison.compare(one, other);
        }
        let failed: Vec<usize> = self.outcome.failures.iter().map(|it| it.record).collect();
        outcome.withdraw(&failed);
        outcome.failures.clear();
        outcome.filtered = 0;
        self.outcome.append(outcome, Variant::Candidate);
        self.outcome.tagged = true;
        Ok(())
    }

    /// All records go to the serving stages, and to the candidate if it keeps up.
    fn shadowed(
        &mut self,
        queue: &shadow::ShadowQueue,
        comparison: &Comparison,
        input: &Input<'_>,
    ) -> Result<(), Interrupted> {
        self.serve(comparison, input)?;
        let said = self.outcome.predictions.as_mut().map(std::mem::take).unwrap_or_default();
        queue.offer(input, said, comparison);
        Ok(())
    }

    /// Takes records through what serves.
    fn serve(&mut self, comparison: &Comparison, input: &Input<'_>) -> Result<(), Interrupted> {
        let begun = Instant::now();
        let Gathered { given, .. } = self.gather(input, None)?;
        let (outcome, took) = (&*self.outcome, begun.elapsed());
        comparison.add(Variant::Serving, &BatchResult { records: given, outcome, took });
        Ok(())
    }

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
        if !stops(&last, nothing, tolerated)? {
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
                        let stop = stops(&last, nothing, tolerated)?;
                        // A record for which no instance could be made is not to blame.
                        if !last.unusable {
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
fn stops(error: &CallError, nothing: usize, tolerated: Option<usize>) -> Result<bool, Interrupted> {
    match tolerated {
        None if error.unusable => Err(Interrupted::Unusable(error.clone())),
        None => Ok(false),
        Some(tolerated) => Ok(error.unusable || nothing >= tolerated),
    }
}

/// Fails the records that a candidate was not given, with the last error.
pub(super) fn fail_rest(outcome: &mut Outcome, input: &Input<'_>, gathered: Gathered) {
    let Gathered { given, error: Some(error) } = gathered else { return };
    let rest = (given..input.batch.len()).map(|index| blame(input.origin(index), error.clone()));
    outcome.failures.extend(rest);
}
