//! One chain at work: its instances, what is done about failures, and what partitions
//! remember. A batch for which a call gave nothing is run again record by record.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbar_manifest::OnFailure;
use sandbar_record::{Batch, Code, Failure, Sink};
use sandbar_sandbox::{Blame, CallError, Usage};
use sandbar_telemetry::Stats;

use crate::chain::{Chain, Input};
use crate::events::{BatchIsolated, BatchProcessed, BatchRetried, RecordFailed, RecordSkipped};
use crate::interrupted::{Interrupted, blame};
use crate::key_ordering::KeyOrdering;
use crate::outcome::Outcome;
use crate::partition::{Partition, PartitionLifecycle};
use crate::policy::{BackOff, Policies, STARVED, starved_pause};

/// The time between two checks, in a pause, whether the work is still wanted.
const NAP: Duration = Duration::from_millis(50);

/// One chain at work.
pub(crate) struct ChainRunner {
    pub(crate) chain: Chain,
    policies: Policies,
    /// In which assignment each partition's batches were read last.
    assignments: HashMap<Partition, u64>,
    key_order: KeyOrdering,
    back_off: BackOff,
    stats: Arc<Stats>,
    pub(crate) outcome: Outcome,
}

/// A batch being processed for a sink.
pub(crate) struct Pass<'a, O> {
    chain: &'a mut Chain,
    pub(crate) outcome: &'a mut Outcome,
    policies: &'a Policies,
    key_order: &'a mut KeyOrdering,
    back_off: &'a mut BackOff,
    pub(crate) stats: &'a Stats,
    pub(crate) batch: &'a Batch,
    pub(crate) sink: &'a mut O,
}

impl ChainRunner {
    /// A processor of existing instances.
    pub(crate) fn new(
        chain: Chain,
        policies: Policies,
        stats: Arc<Stats>,
        outcome: Outcome,
    ) -> Self {
        let (back_off, key_order) = (BackOff::new(stats.clone()), KeyOrdering::default());
        let assignments = HashMap::new();
        ChainRunner { chain, policies, assignments, key_order, back_off, stats, outcome }
    }

    /// Everything that keeps something of partitions.
    fn lifecycles(&mut self) -> [&mut dyn PartitionLifecycle; 1] {
        [&mut self.key_order]
    }

    /// Prepares for a batch that was read in `assignment` of its partition, where something is
    /// kept of partitions.
    pub(crate) fn enter(&mut self, batch: &Batch, assignment: u64) {
        if !self.policies.follow {
            return;
        }
        let partition: Partition = (batch.topic.clone(), batch.partition);
        let before = self.assignments.insert(partition.clone(), assignment);
        for lifecycle in self.lifecycles() {
            if before.is_some_and(|before| before != assignment) {
                lifecycle.revoked(&partition);
            }
            if before != Some(assignment) {
                lifecycle.assigned(&partition);
            }
            lifecycle.before_batch(batch);
        }
    }

    /// A batch being processed for `sink`.
    pub(crate) fn pass<'a, O: Sink>(
        &'a mut self,
        batch: &'a Batch,
        sink: &'a mut O,
    ) -> Pass<'a, O> {
        let ChainRunner { chain, policies, key_order, back_off, stats, outcome, .. } = self;
        Pass { chain, outcome, policies, key_order, back_off, stats, batch, sink }
    }

    /// What each stage has used, by its name.
    pub(crate) fn usage(&self) -> Vec<(Arc<str>, Usage)> {
        self.chain.usage()
    }

    /// The counters.
    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Forgets how the calls until now went.
    pub(crate) fn forget(&mut self) {
        self.back_off = BackOff::new(self.stats.clone());
    }

    /// Says that the batches until now are final.
    pub(crate) fn settle(&mut self) {
        self.lifecycles().into_iter().for_each(PartitionLifecycle::settled);
    }

    /// Says that those since [`ChainRunner::settle`] come again, from the first.
    pub(crate) fn undo(&mut self) {
        self.lifecycles().into_iter().for_each(PartitionLifecycle::undone);
    }
}

impl<O: Sink> Pass<'_, O> {
    /// Takes records through the chain and delivers what becomes of them. `failed` are
    /// records that lie among them and do not get that far.
    ///
    /// # Errors
    /// If an operator cannot be used any more, or a stage stops at a failure.
    pub(crate) fn take(
        &mut self,
        input: &Input<'_>,
        failed: &mut VecDeque<Failure>,
    ) -> Result<(), Interrupted> {
        match self.call(input) {
            Ok(()) => {
                self.outcome.failures.extend(failed.drain(..));
                self.outcome.failures.sort_by_key(|failure| failure.record);
                self.deliver(input)
            }
            Err(error) if error.blame == Blame::Operator => Err(Interrupted::Unusable(error)),
            Err(error) if error.code == Code::TooLarge && input.batch.len() > 1 => {
                self.halve(input, failed)
            }
            Err(error) => {
                BatchIsolated { batch: input.batch, error: &error }.emit(self.stats);
                self.isolate(input, failed)
            }
        }
    }

    /// Takes a batch of which too much is made in two parts.
    fn halve(
        &mut self,
        input: &Input<'_>,
        failed: &mut VecDeque<Failure>,
    ) -> Result<(), Interrupted> {
        let (middle, end) = (input.batch.len() / 2, input.batch.len());
        let first_of_second = input.origin(middle);
        for range in [0..middle, middle..end] {
            self.go_on()?;
            let mut among = VecDeque::new();
            let limit = if range.end == end { usize::MAX } else { first_of_second };
            while let Some(failure) = failed.pop_front_if(|failure| failure.record < limit) {
                among.push_back(failure);
            }
            let batch = input.batch.part(range.clone());
            let origins: Vec<u32> = range.map(|index| input.origin(index) as u32).collect();
            let part = Input { source: input.source, batch: &batch, origins: Some(&origins) };
            self.take(&part, &mut among)?;
        }
        Ok(())
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
                Err(error) if error.blame == Blame::Operator => {
                    return Err(Interrupted::Unusable(error));
                }
                Err(error) if error.blame == Blame::Memory => {
                    return Err(Interrupted::Starved(error));
                }
                Err(error) => self.fail_alone(&blame(origin, error))?,
            }
        }
        self.fail_before(failed, usize::MAX)
    }

    /// Takes records through the chain: again, if some fail for a transient cause,
    /// and with a pause after it, if consecutive calls have failed. Where the process is short of
    /// memory it waits, and returns that as the error of a single record only if it is to end.
    pub(crate) fn call(&mut self, input: &Input<'_>) -> Result<(), CallError> {
        let (mut attempts, mut starved) = (0, 0);
        loop {
            if let Err(mut error) = self.chain.process_input(input, self.outcome) {
                if error.blame == Blame::Memory {
                    starved += 1;
                    let goes_on = self.await_memory(starved);
                    if goes_on && input.batch.len() == 1 {
                        if starved < STARVED {
                            continue;
                        }
                        error.blame = Blame::Records;
                    }
                    return Err(error);
                }
                let pause = self.back_off.failed(&error);
                self.pause(pause);
                return Err(error);
            }
            self.back_off.succeeded();
            attempts += 1;
            let failures = &self.outcome.failures;
            let Some(pause) = self.policies.retry(failures, attempts) else { return Ok(()) };
            if self.sink.is_closed() {
                return Ok(());
            }
            BatchRetried { batch: input.batch, failures, attempts }.emit(self.stats);
            self.pause(pause);
        }
    }

    /// Waits until the process has memory again; `false`: the end comes first.
    fn await_memory(&self, attempts: u32) -> bool {
        let ends = || self.sink.is_closed() || self.policies.memory.is_ending();
        self.pause(starved_pause(attempts));
        while self.policies.memory.is_short() && !ends() {
            std::thread::sleep(NAP);
        }
        !ends()
    }

    /// Waits, unless nothing more is wanted.
    fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.sink.is_closed() {
            std::thread::sleep(end.saturating_duration_since(Instant::now()).min(NAP));
        }
    }

    /// Hands over what the outcome holds; if a stage stops at a record, the outputs of
    /// the records before it.
    pub(crate) fn deliver(&mut self, input: &Input<'_>) -> Result<(), Interrupted> {
        if self.policies.follow {
            self.follow(input);
        }
        let stops =
            |failure: &&Failure| self.policies.on_failure(&failure.stage) == OnFailure::Stop;
        let end = self.outcome.failures.iter().find(stops).map(|failure| failure.record);
        let mut outputs = 0;
        for output in self.outcome.outputs(self.batch) {
            if end.is_none_or(|end| output.origin < end) {
                self.sink.output(self.batch, &output);
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
        if self.outcome.failures.is_empty() && self.key_order.none(self.batch) {
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
            if let Some(offset) = self.key_order.follows(self.batch, &record) {
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
            self.key_order.lead(self.batch, &record);
        }
    }

    /// Hands over the first of the failures, those of records before `record`.
    pub(crate) fn fail_before(
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
                self.sink.dead_letter(self.batch, failure);
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

    pub(crate) fn go_on(&self) -> Result<(), Interrupted> {
        if self.sink.is_closed() { Err(Interrupted::Closed) } else { Ok(()) }
    }
}

/// The failure of a record that follows the one at `offset`.
fn follows(record: usize, offset: i64) -> Failure {
    let message =
        format!("an earlier record with the same key became a dead letter: offset {offset}");
    Failure { record, stage: "order".into(), code: Code::Follows, message }
}
