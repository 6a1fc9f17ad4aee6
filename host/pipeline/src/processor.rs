//! Takes batches through one chain, whatever is in them: references are resolved slice by
//! slice, a candidate runs beside if there is one. What becomes of records goes to a
//! [`Sink`]: Kafka, or whoever uses the pipeline without it.

use std::collections::VecDeque;
use std::sync::Arc;

use sandbar_record::{Batch, Failure, Sink};
use sandbar_sandbox::Usage;
use sandbar_telemetry::Stats;

use crate::chain::Input;
use crate::chain_runner::ChainRunner;
use crate::events::BatchReceived;
use crate::external_payloads::{PayloadResolver, Slice};
use crate::hot_swap::ChainSlot;
use crate::interrupted::Interrupted;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::plan_error::PlanError;
use crate::rollout::Candidate;

/// One chain of a pipeline at work, and what belongs to it. Each worker has one.
pub struct Processor {
    runner: ChainRunner,
    /// What runs beside it, while there is a roll-out.
    candidate: Option<Box<Candidate>>,
    /// Where records may refer to their data.
    references: Option<PayloadResolver>,
}

impl Processor {
    /// Makes warm instances of the plan's stages.
    ///
    /// # Errors
    /// As [`Plan::chain`].
    pub fn new(plan: &Plan, stats: Arc<Stats>) -> Result<Self, PlanError> {
        let (chain, references) = (plan.chain()?, plan.resolver());
        let runner = ChainRunner::new(chain, plan.policies(), stats, Outcome::default());
        Ok(Processor { runner, candidate: None, references })
    }

    /// What each stage has used, by its name.
    pub fn usage(&self) -> Vec<(Arc<str>, Usage)> {
        self.runner.usage()
    }

    /// Takes a batch through the stages. `assignment` distinguishes the assignments of its
    /// partition to this runner.
    ///
    /// # Errors
    /// If it cannot be taken to its end.
    pub fn process<O: Sink>(
        &mut self,
        batch: &Batch,
        assignment: u64,
        sink: &mut O,
    ) -> Result<(), Interrupted> {
        BatchReceived { batch }.emit(self.runner.stats());
        self.runner.enter(batch, assignment);
        let mut references = self.references.take();
        let result = match &mut references {
            Some(references) => self.resolve(batch, references, sink),
            None => self.take(batch, &Input::whole(batch), &mut VecDeque::new(), sink),
        };
        self.references = references;
        result
    }

    /// Takes a batch through the chain slice by slice, the external payloads as the records'
    /// values. Each slice is delivered before the next is resolved.
    fn resolve<O: Sink>(
        &mut self,
        batch: &Batch,
        references: &mut PayloadResolver,
        sink: &mut O,
    ) -> Result<(), Interrupted> {
        if !references.concerns(batch) {
            return self.take(batch, &Input::whole(batch), &mut VecDeque::new(), sink);
        }
        let mut start = 0;
        while start < batch.len() {
            if sink.is_closed() {
                return Err(Interrupted::Closed);
            }
            let Slice { batch: resolved, origins, mut failures, end } =
                references.slice(batch, start);
            let input = Input { source: batch, batch: &resolved, origins: Some(&origins) };
            self.take(batch, &input, &mut failures, sink)?;
            start = end;
        }
        Ok(())
    }

    /// Takes records through the chain, and the candidate if there is one, and delivers what
    /// becomes of them. `failed` are records that lie among them and do not get that far.
    fn take<O: Sink>(
        &mut self,
        batch: &Batch,
        input: &Input<'_>,
        failed: &mut VecDeque<Failure>,
        sink: &mut O,
    ) -> Result<(), Interrupted> {
        let mut pass = self.runner.pass(batch, sink);
        if input.batch.is_empty() {
            return pass.fail_before(failed, usize::MAX);
        }
        match &mut self.candidate {
            Some(candidate) => candidate.take(&mut pass, input, failed),
            None => pass.take(input, failed),
        }
    }

    /// Swaps in the stage set that waits in `slot`, if there is one.
    pub fn swap_in(&mut self, slot: &ChainSlot) {
        slot.exchange(&mut self.runner.chain, &mut self.candidate);
        if self.candidate.is_some() != self.runner.outcome.predictions.is_some() {
            self.runner.outcome = Outcome::keeping(self.candidate.is_some());
        }
    }

    /// Says that the batches until now are final.
    pub fn settle(&mut self) {
        self.runner.settle();
    }

    /// Says that those since [`Processor::settle`] are processed again, from the first.
    pub fn undo(&mut self) {
        self.runner.undo();
    }
}
