//! Takes batches through one chain, whatever is in them: external payloads are resolved slice
//! by slice, a batch for which a call failed is processed again record by record. The
//! outputs go to an [`Outlet`]: Kafka, or the caller of a pipeline without it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::chain::{Chain, Input, Outcome, Output};
use super::handover::Slot;
use super::order::Followers;
use super::plan::{Plan, PlanError};
use super::policy::{Condition, Policies};
use super::rollout::Candidate;
use crate::failure::{Code, Failure};
use crate::manifest::OnFailure;
use crate::observe::Stats;
use crate::observe::events::{
    BatchIsolated, BatchProcessed, BatchReceived, BatchRetried, RecordFailed, RecordSkipped,
};
use crate::records::Batch;
use crate::references::{Resolver, Slice};
use crate::sandbox::{CallError, Usage};

/// The time between two checks, in a pause, whether the work is still wanted.
const NAP: Duration = Duration::from_millis(50);

/// Where the outputs of a batch go, in order.
pub trait Outlet {
    /// Takes an output of `batch`.
    fn output(&mut self, batch: &Batch, output: &Output<'_>);

    /// Takes a record that failed: the one of `batch` that `failure` names.
    fn dead_letter(&mut self, batch: &Batch, failure: &Failure);

    /// Whether nothing more is wanted: remaining work is pointless.
    fn is_closed(&self) -> bool {
        false
    }
}

/// Why a batch was not finished. Its outputs until then are at the outlet.
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
    #[error("the runner stopped before the batch was finished")]
    Closed,
}

/// One chain of a pipeline at work. Each worker has one.
pub struct Processor {
    chain: Chain,
    /// The candidate, while there is a roll-out.
    candidate: Option<Box<Candidate>>,
    /// Where records may refer to their data.
    references: Option<Resolver>,
    policies: Policies,
    followers: Followers,
    condition: Condition,
    stats: Arc<Stats>,
    outcome: Outcome,
}

/// A batch being processed for an outlet.
pub(super) struct Pass<'a, O> {
    chain: &'a mut Chain,
    candidate: Option<&'a mut Candidate>,
    pub(super) outcome: &'a mut Outcome,
    policies: &'a Policies,
    followers: &'a mut Followers,
    condition: &'a mut Condition,
    pub(super) stats: &'a Stats,
    pub(super) batch: &'a Batch,
    assignment: u64,
    pub(super) outlet: &'a mut O,
}

impl Processor {
    /// Makes warm instances of the plan's stages.
    ///
    /// # Errors
    /// As [`Plan::chain`].
    pub fn new(plan: &Plan, stats: Arc<Stats>) -> Result<Self, PlanError> {
        let (chain, references) = (plan.chain()?, plan.resolver());
        let processor = Processor::of(chain, plan.policies(), stats, Outcome::default());
        Ok(Processor { references, ..processor })
    }

    /// A processor of existing instances.
    pub(super) fn of(
        chain: Chain,
        policies: Policies,
        stats: Arc<Stats>,
        outcome: Outcome,
    ) -> Self {
        let (condition, followers) = (Condition::new(stats.clone()), Followers::default());
        let (candidate, references) = (None, None);
        Processor { chain, candidate, references, policies, followers, condition, stats, outcome }
    }

    /// What each stage has used, by its name.
    pub fn usage(&self) -> Vec<(Arc<str>, Usage)> {
        self.chain.usage()
    }

    /// Takes a batch through the stages. `assignment` distinguishes the assignments of its
    /// partition to this runner.
    ///
    /// # Errors
    /// If it cannot be finished.
    pub fn process<O: Outlet>(
        &mut self,
        batch: &Batch,
        assignment: u64,
        outlet: &mut O,
    ) -> Result<(), Interrupted> {
        BatchReceived { batch }.emit(&self.stats);
        self.followers.enter(batch, assignment);
        let mut references = self.references.take();
        let mut pass = self.pass(batch, assignment, outlet);
        let result = match &mut references {
            Some(references) => pass.resolve(references),
            None => pass.whole(),
        };
        self.references = references;
        result
    }

    /// A batch being processed for `outlet`.
    pub(super) fn pass<'a, O: Outlet>(
        &'a mut self,
        batch: &'a Batch,
        assignment: u64,
        outlet: &'a mut O,
    ) -> Pass<'a, O> {
        let Processor { chain, candidate, policies, followers, condition, stats, outcome, .. } =
            self;
        let candidate = candidate.as_deref_mut();
        Pass {
            chain,
            candidate,
            outcome,
            policies,
            followers,
            condition,
            stats,
            batch,
            assignment,
            outlet,
        }
    }

    /// Swaps in the stage set that waits in `slot`, if there is one.
    pub(super) fn renew(&mut self, slot: &Slot) {
        slot.exchange(&mut self.chain, &mut self.candidate);
        if self.candidate.is_some() != self.outcome.predictions.is_some() {
            self.outcome = Outcome::keeping(self.candidate.is_some());
        }
    }

    /// The result of the last batch.
    pub(super) fn outcome(&mut self) -> &mut Outcome {
        &mut self.outcome
    }

    /// Forgets how the calls until now went.
    pub(super) fn forget(&mut self) {
        self.condition = Condition::new(self.stats.clone());
    }

    /// Says that the batches until now are final.
    pub fn settle(&mut self) {
        self.followers.settle();
    }

    /// Says that those since [`Processor::settle`] are processed again, from the first.
    pub fn undo(&mut self) {
        self.followers.undo();
    }
}

impl<O: Outlet> Pass<'_, O> {
    /// Takes a batch through the chain as it is.
    fn whole(&mut self) -> Result<(), Interrupted> {
        self.take(&Input::whole(self.batch), &mut VecDeque::new())
    }

    /// Takes a batch through the chain slice by slice, the external payloads as the records'
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

    /// Takes records through the chain and delivers their outputs. `failed` are
    /// records that lie among them and do not get that far.
    fn take(
        &mut self,
        input: &Input<'_>,
        failed: &mut VecDeque<Failure>,
    ) -> Result<(), Interrupted> {
        if input.batch.is_empty() {
            return self.fail_before(failed, usize::MAX);
        }
        if let Some(candidate) = self.candidate.take() {
            let result = self.take_beside(candidate, input, failed);
            self.candidate = Some(candidate);
            return result;
        }
        match self.call(input) {
            Ok(()) => {
                self.outcome.failures.extend(failed.drain(..));
                self.outcome.failures.sort_by_key(|failure| failure.record);
                self.deliver(input)
            }
            Err(error) if error.unusable => Err(Interrupted::Unusable(error)),
            Err(error) => {
                BatchIsolated { batch: input.batch, error: &error }.emit(self.stats);
                self.isolate(input, failed)
            }
        }
    }

    /// Runs a batch record by record: the record that makes an operator trap fails,
    /// the others are not affected.
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
                Ok(()) => self.deliver(&alone)?,
                Err(error) if error.unusable => return Err(Interrupted::Unusable(error)),
                Err(error) => self.fail_alone(&blame(origin, error))?,
            }
        }
        self.fail_before(failed, usize::MAX)
    }

    /// Takes records through the chain: again, if some fail for a transient cause,
    /// and with a pause after it, if consecutive calls have failed.
    pub(super) fn call(&mut self, input: &Input<'_>) -> Result<(), CallError> {
        let mut attempts = 0;
        loop {
            if let Err(error) = self.chain.process_input(input, self.outcome) {
                let pause = self.condition.failed(&error);
                self.pause(pause);
                return Err(error);
            }
            self.condition.succeeded();
            attempts += 1;
            let failures = &self.outcome.failures;
            let Some(pause) = self.policies.retry(failures, attempts) else { return Ok(()) };
            if self.outlet.is_closed() {
                return Ok(());
            }
            BatchRetried { batch: input.batch, failures, attempts }.emit(self.stats);
            self.pause(pause);
        }
    }

    /// Waits, unless nothing more is wanted.
    fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.outlet.is_closed() {
            std::thread::sleep(end.saturating_duration_since(Instant::now()).min(NAP));
        }
    }

    /// Hands over what the outcome holds; if a stage stops at a record, the outputs of
    /// the records before it.
    pub(super) fn deliver(&mut self, input: &Input<'_>) -> Result<(), Interrupted> {
        if self.policies.follow {
            self.follow(input);
        }
        let stops =
            |failure: &&Failure| self.policies.on_failure(&failure.stage) == OnFailure::Stop;
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

    /// Withdraws the outputs of records that follow an earlier one of their key to the
    /// dead-letter topic.
    fn follow(&mut self, input: &Input<'_>) {
        if self.outcome.failures.is_empty() && self.followers.none(self.batch) {
            return;
        }
        let failures = std::mem::take(&mut self.outcome.failures);
        let mut failed = failures.into_iter().peekable();
        let mut following = Vec::new();
        for origin in (0..input.batch.len()).map(|index| input.origin(index)) {
            // Also those of records that did not get as far as the first stage.
            while let Some(failure) = failed.next_if(|failure| failure.record <= origin) {
                self.lead(&failure);
                self.outcome.failures.push(failure);
            }
            if self.outcome.failures.last().is_some_and(|last| last.record == origin) {
                continue;
            }
            let record = self.batch.record(origin);
            if let Some(offset) = self.followers.follows(self.batch, &record) {
                following.push(origin);
                self.outcome.failures.push(follows(origin, offset));
            }
        }
        for failure in failed {
            self.lead(&failure);
            self.outcome.failures.push(failure);
        }
        self.outcome.withdraw(&following);
    }

    /// Records of the key of one that becomes a dead letter follow it.
    fn lead(&mut self, failure: &Failure) {
        if self.policies.on_failure(&failure.stage) == OnFailure::DeadLetter {
            let record = self.batch.record(failure.record);
            self.followers.lead(self.batch, self.assignment, &record);
        }
    }

    /// Hands over the first of the failures, those of records before `record`.
    fn fail_before(
        &mut self,
        failed: &mut VecDeque<Failure>,
        record: usize,
    ) -> Result<(), Interrupted> {
        while let Some(failure) = failed.pop_front_if(|failure| failure.record < record) {
            self.fail_alone(&failure)?;
        }
        Ok(())
    }

    /// The same as [`Pass::fail`] for a record that no outcome knows of.
    fn fail_alone(&mut self, failure: &Failure) -> Result<(), Interrupted> {
        if self.policies.follow {
            self.lead(failure);
        }
        self.fail(failure)
    }

    /// Handles a record that failed as its stage says.
    fn fail(&mut self, failure: &Failure) -> Result<(), Interrupted> {
        let record = self.batch.record(failure.record);
        match self.policies.on_failure(&failure.stage) {
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

    pub(super) fn go_on(&self) -> Result<(), Interrupted> {
        if self.outlet.is_closed() { Err(Interrupted::Closed) } else { Ok(()) }
    }
}

/// The failure of a record that follows the one at `offset`.
fn follows(record: usize, offset: i64) -> Failure {
    let message =
        format!("an earlier record with the same key became a dead letter: offset {offset}");
    Failure { record, stage: "order".into(), code: Code::Follows, message }
}

/// The failure of a record that was alone in a call that failed.
pub(crate) fn blame(record: usize, CallError { stage, code, message, .. }: CallError) -> Failure {
    Failure { record, stage, code, message }
}
