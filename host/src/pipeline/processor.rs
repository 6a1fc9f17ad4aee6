//! Takes batches through one chain, whatever is in them: references are resolved slice
//! by slice, a batch for which a call gave nothing is run again record by record. What
//! comes of it goes to an [`Outlet`]: Kafka, or whoever uses the pipeline without it.

use std::collections::VecDeque;
use std::sync::Arc;

use thiserror::Error;

use super::chain::{Chain, Input, Outcome, Output};
use super::plan::{Plan, PlanError};
use crate::failure::Failure;
use crate::observe::Stats;
use crate::observe::events::{BatchIsolated, BatchProcessed, BatchReceived, RecordFailed};
use crate::records::Batch;
use crate::references::{Resolver, Slice};
use crate::sandbox::{CallError, Usage};

/// Where what comes of a batch goes, in order.
pub trait Outlet {
    /// Takes an output that came of `batch`.
    fn output(&mut self, batch: &Batch, output: &Output<'_>);

    /// Takes a record that failed: the one of `batch` that `failure` names.
    fn dead_letter(&mut self, batch: &Batch, failure: &Failure);

    /// Whether nothing more is wanted: work that is left is in vain.
    fn is_closed(&self) -> bool {
        false
    }
}

/// Why a batch did not get through. What came of it until then is at the outlet.
#[derive(Debug, Error)]
pub enum Interrupted {
    /// An operator cannot be used any more; no record is to blame.
    #[error("{0}")]
    Unusable(CallError),
    /// The outlet wanted nothing more.
    #[error("the runner stopped before the batch was through")]
    Closed,
}

/// One chain of a pipeline at work. Each worker has one.
pub struct Processor {
    chain: Chain,
    /// Where records may refer to their data.
    references: Option<Resolver>,
    stats: Arc<Stats>,
    outcome: Outcome,
}

/// A batch on its way to an outlet.
struct Pass<'a, O> {
    chain: &'a mut Chain,
    outcome: &'a mut Outcome,
    stats: &'a Stats,
    batch: &'a Batch,
    outlet: &'a mut O,
}

impl Processor {
    /// Makes warm instances of the plan's stages.
    ///
    /// # Errors
    /// As [`Plan::chain`].
    pub fn new(plan: &Plan, stats: Arc<Stats>) -> Result<Self, PlanError> {
        let (chain, references) = (plan.chain()?, plan.resolver());
        Ok(Processor { chain, references, stats, outcome: Outcome::default() })
    }

    /// What each stage has used, by its name.
    pub fn usage(&self) -> Vec<(Arc<str>, Usage)> {
        self.chain.usage()
    }

    /// Takes a batch through the stages.
    ///
    /// # Errors
    /// Where it cannot be taken to its end.
    pub fn process<O: Outlet>(&mut self, batch: &Batch, outlet: &mut O) -> Result<(), Interrupted> {
        let Processor { chain, references, stats, outcome } = self;
        BatchReceived { batch }.emit(stats);
        let mut pass = Pass { chain, outcome, stats, batch, outlet };
        match references {
            Some(references) => pass.resolve(references),
            None => pass.whole(),
        }
    }
}

impl<O: Outlet> Pass<'_, O> {
    /// Takes a batch through the chain as it is.
    fn whole(&mut self) -> Result<(), Interrupted> {
        self.take(&Input::whole(self.batch), &mut VecDeque::new())
    }

    /// Takes a batch through the chain slice by slice, what its records refer to as their
    /// values. Each slice is delivered before the next is resolved.
    fn resolve(&mut self, references: &mut Resolver) -> Result<(), Interrupted> {
        let batch = self.batch;
        if !references.concerns(batch) {
            return self.whole();
        }
        let mut start = 0;
        while start < batch.len() {
            self.go_on()?;
            let Slice { batch: resolved, origins, mut failures, end } =
                references.slice(batch, start);
            let input = Input { source: batch, batch: &resolved, origins: Some(&origins) };
            self.take(&input, &mut failures)?;
            start = end;
        }
        Ok(())
    }

    /// Takes records through the chain and delivers what comes of them. `failed` are
    /// records that lie among them and do not get that far.
    fn take(
        &mut self,
        input: &Input<'_>,
        failed: &mut VecDeque<Failure>,
    ) -> Result<(), Interrupted> {
        if input.batch.is_empty() {
            self.fail_before(failed, usize::MAX);
            return Ok(());
        }
        match self.chain.process_input(input, self.outcome) {
            Ok(()) => {
                self.outcome.failures.extend(failed.drain(..));
                self.outcome.failures.sort_by_key(|failure| failure.record);
                self.deliver();
                Ok(())
            }
            Err(error) if error.unusable => Err(Interrupted::Unusable(error)),
            Err(error) => {
                BatchIsolated { batch: input.batch, error: &error }.emit(self.stats);
                self.isolate(input, failed)
            }
        }
    }

    /// Runs a batch record by record: the record that makes an operator trap fails,
    /// the others do not suffer from its company.
    fn isolate(
        &mut self,
        input: &Input<'_>,
        failed: &mut VecDeque<Failure>,
    ) -> Result<(), Interrupted> {
        for index in 0..input.batch.len() {
            self.go_on()?;
            let origin = input.origin(index);
            self.fail_before(failed, origin);
            let single = input.batch.single(index);
            let origins = [origin as u32];
            let alone = Input { source: input.source, batch: &single, origins: Some(&origins) };
            match self.chain.process_input(&alone, self.outcome) {
                Ok(()) => self.deliver(),
                Err(error) if error.unusable => return Err(Interrupted::Unusable(error)),
                Err(error) => self.fail(&blame(origin, error)),
            }
        }
        self.fail_before(failed, usize::MAX);
        Ok(())
    }

    /// Hands over what the outcome holds.
    fn deliver(&mut self) {
        let mut outputs = 0;
        for output in self.outcome.outputs(self.batch) {
            self.outlet.output(self.batch, &output);
            outputs += 1;
        }
        BatchProcessed { outcome: self.outcome, outputs }.emit(self.stats);
        for failure in &self.outcome.failures {
            fail(self.stats, self.batch, failure, self.outlet);
        }
    }

    /// Hands over the first of the failures, those of records before `record`.
    fn fail_before(&mut self, failed: &mut VecDeque<Failure>, record: usize) {
        while let Some(failure) = failed.pop_front_if(|failure| failure.record < record) {
            self.fail(&failure);
        }
    }

    fn fail(&mut self, failure: &Failure) {
        fail(self.stats, self.batch, failure, self.outlet);
    }

    fn go_on(&self) -> Result<(), Interrupted> {
        if self.outlet.is_closed() { Err(Interrupted::Closed) } else { Ok(()) }
    }
}

fn fail(stats: &Stats, batch: &Batch, failure: &Failure, outlet: &mut impl Outlet) {
    RecordFailed { record: batch.record(failure.record), failure }.emit(stats);
    outlet.dead_letter(batch, failure);
}

/// The failure of a record that was alone in a call that gave nothing.
pub(crate) fn blame(record: usize, CallError { stage, code, message, .. }: CallError) -> Failure {
    Failure { record, stage, code, message }
}
