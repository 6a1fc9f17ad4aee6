//! Takes batches through one chain, whatever is in them: references are resolved slice
//! by slice, a batch for which a call gave nothing is run again record by record. What
//! comes of it goes to an [`Outlet`]: Kafka, or whoever uses the pipeline without it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::chain::{Chain, Input, Outcome, Output};
use super::plan::{Plan, PlanError};
use super::policy::{Condition, Policies};
use crate::failure::{Code, Failure};
use crate::manifest::OnFailure;
use crate::observe::Stats;
use crate::observe::events::{
    BatchIsolated, BatchProcessed, BatchReceived, RecordFailed, RecordSkipped,
};
use crate::records::Batch;
use crate::references::{Resolver, Slice};
use crate::sandbox::{CallError, Usage};

/// Between two looks, in a pause, at whether the work is still wanted.
const NAP: Duration = Duration::from_millis(50);

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
    /// A record failed in a stage that stops at failures.
    #[error("stage '{stage}' stops at {topic}/{partition}, offset {offset}: {code}: {message}")]
    Stopped {
        /// The stage.
        stage: Arc<str>,
        /// The record's topic.
        topic: Arc<str>,
        /// Its partition.
        partition: i32,
        /// Its offset.
        offset: i64,
        /// Why it failed.
        code: Code,
        /// The same for a person.
        message: String,
    },
    /// The outlet wanted nothing more.
    #[error("the runner stopped before the batch was through")]
    Closed,
}

/// One chain of a pipeline at work. Each worker has one.
pub struct Processor {
    chain: Chain,
    /// Where records may refer to their data.
    references: Option<Resolver>,
    policies: Policies,
    condition: Condition,
    stats: Arc<Stats>,
    outcome: Outcome,
}

/// A batch on its way to an outlet.
struct Pass<'a, O> {
    chain: &'a mut Chain,
    outcome: &'a mut Outcome,
    policies: &'a Policies,
    condition: &'a mut Condition,
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
        let (policies, condition) = (plan.policies(), Condition::new(stats.clone()));
        let outcome = Outcome::default();
        Ok(Processor { chain, references, policies, condition, stats, outcome })
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
        let Processor { chain, references, policies, condition, stats, outcome } = self;
        BatchReceived { batch }.emit(stats);
        let mut pass = Pass { chain, outcome, policies, condition, stats, batch, outlet };
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
            return self.fail_before(failed, usize::MAX);
        }
        match self.call(input) {
            Ok(()) => {
                self.outcome.failures.extend(failed.drain(..));
                self.outcome.failures.sort_by_key(|failure| failure.record);
                self.deliver()
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
            self.fail_before(failed, origin)?;
            let single = input.batch.single(index);
            let origins = [origin as u32];
            let alone = Input { source: input.source, batch: &single, origins: Some(&origins) };
            match self.call(&alone) {
                Ok(()) => self.deliver()?,
                Err(error) if error.unusable => return Err(Interrupted::Unusable(error)),
                Err(error) => self.fail(&blame(origin, error))?,
            }
        }
        self.fail_before(failed, usize::MAX)
    }

    /// Takes records through the chain, after a pause where that has failed for long.
    fn call(&mut self, input: &Input<'_>) -> Result<(), CallError> {
        let result = self.chain.process_input(input, self.outcome);
        match &result {
            Ok(()) => self.condition.succeeded(),
            Err(error) => {
                let end = Instant::now() + self.condition.failed(error);
                while Instant::now() < end && !self.outlet.is_closed() {
                    std::thread::sleep(end.saturating_duration_since(Instant::now()).min(NAP));
                }
            }
        }
        result
    }

    /// Hands over what the outcome holds; where a stage stops at a record, what came of
    /// those before it.
    fn deliver(&mut self) -> Result<(), Interrupted> {
        let stops = |failure: &&Failure| self.policies.policy(&failure.stage) == OnFailure::Stop;
        let end = self.outcome.failures.iter().find(stops).map(|failure| failure.record);
        let mut outputs = 0;
        for output in self.outcome.outputs(self.batch) {
            if end.is_none_or(|end| output.origin < end) {
                self.outlet.output(self.batch, &output);
                outputs += 1;
            }
        }
        BatchProcessed { outcome: self.outcome, outputs }.emit(self.stats);
        let failures = std::mem::take(&mut self.outcome.failures);
        failures.iter().try_for_each(|failure| self.fail(failure))
    }

    /// Hands over the first of the failures, those of records before `record`.
    fn fail_before(
        &mut self,
        failed: &mut VecDeque<Failure>,
        record: usize,
    ) -> Result<(), Interrupted> {
        while let Some(failure) = failed.pop_front_if(|failure| failure.record < record) {
            self.fail(&failure)?;
        }
        Ok(())
    }

    /// Does with a record that failed what its stage says.
    fn fail(&mut self, failure: &Failure) -> Result<(), Interrupted> {
        let record = self.batch.record(failure.record);
        match self.policies.policy(&failure.stage) {
            OnFailure::DeadLetter => {
                RecordFailed { record, failure }.emit(self.stats);
                self.outlet.dead_letter(self.batch, failure);
                Ok(())
            }
            OnFailure::Skip => {
                RecordSkipped { record, failure }.emit(self.stats);
                Ok(())
            }
            OnFailure::Stop => {
                let Batch { topic, partition, .. } = self.batch;
                let Failure { stage, code, message, .. } = failure.clone();
                let (topic, partition, offset) = (topic.clone(), *partition, record.offset());
                Err(Interrupted::Stopped { stage, topic, partition, offset, code, message })
            }
        }
    }

    fn go_on(&self) -> Result<(), Interrupted> {
        if self.outlet.is_closed() { Err(Interrupted::Closed) } else { Ok(()) }
    }
}

/// The failure of a record that was alone in a call that gave nothing.
pub(crate) fn blame(record: usize, CallError { stage, code, message, .. }: CallError) -> Failure {
    Failure { record, stage, code, message }
}
