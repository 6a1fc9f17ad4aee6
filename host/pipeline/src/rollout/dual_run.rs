//! The dual run: one batch, while a candidate runs beside what serves.
//!
//! The outputs of both are merged before any of them is delivered, in order of the
//! records, so that policies, the order of keys and transactions see one outcome.

use std::collections::VecDeque;
use std::time::Instant;

use super::candidate::{Candidate, Role};
use super::comparison::Comparison;
use super::gather::{Gathered, TOLERATED, fail_rest};
use super::shadow;
use super::split::{Part, Split};
use super::tally::BatchResult;
use crate::chain::Input;
use crate::chain_runner::{ChainRunner, Pass};
use crate::interrupted::Interrupted;
use crate::outcome::Outcome;
use sandbar_record::Failure;
use sandbar_record::Sink;
use sandbar_record::Variant;

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
        let answers = !matches!(role, Role::Shadow(_));
        match role {
            Role::Canary(side, split) => pass.canary(side, split, comparison, input)?,
            Role::Ab(side) => pass.both(side, comparison, input)?,
            Role::Shadow(queue) => pass.shadowed(queue, comparison, input)?,
        }
        // Also where none of these records is the candidate's.
        pass.outcome.tagged = answers;
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
            side.pass(self.batch, self.sink).gather(&part, Some(TOLERATED))?;
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
        let gathered = side.pass(self.batch, self.sink).gather(input, Some(TOLERATED))?;
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
        (outcome.filtered, outcome.unrouted) = (0, 0);
        self.outcome.append(outcome, Variant::Candidate);
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
}
