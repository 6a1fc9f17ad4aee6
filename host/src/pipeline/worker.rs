//! One worker: takes batches through its own instances of the stages.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::chain::{Chain, Input, Outcome};
use super::delivery::Ticket;
use crate::failure::Failure;
use crate::kafka::sink::Sink;
use crate::observe::Stats;
use crate::observe::events::{BatchIsolated, BatchProcessed, BatchReceived, RecordFailed};
use crate::references::{Resolver, Slice};
use crate::sandbox::CallError;

/// A worker's stages, and where what comes of them goes.
pub(super) struct Worker {
    pub(super) chain: Chain,
    /// Where records may refer to their data.
    pub(super) references: Option<Resolver>,
    pub(super) sink: Arc<Sink>,
    pub(super) stats: Arc<Stats>,
}

impl Worker {
    /// Works until there are no more batches.
    pub(super) fn run(mut self, batches: Receiver<Arc<Ticket>>) {
        let mut outcome = Outcome::default();
        for ticket in batches {
            if self.sink.is_abandoned() {
                continue;
            }
            BatchReceived { batch: ticket.batch() }.emit(&self.stats);
            self.process(&ticket, &mut outcome);
            ticket.processed();
        }
    }

    fn process(&mut self, ticket: &Arc<Ticket>, outcome: &mut Outcome) {
        let batch = ticket.batch();
        match self.references.take() {
            None => {
                self.pass(ticket, &Input::whole(batch), &mut VecDeque::new(), outcome);
            }
            Some(mut references) => {
                self.resolve(ticket, &mut references, outcome);
                self.references = Some(references);
            }
        }
    }

    /// Takes a batch through the chain slice by slice, what its records refer to as their
    /// values. Each slice is delivered before the next is resolved.
    fn resolve(&mut self, ticket: &Arc<Ticket>, references: &mut Resolver, outcome: &mut Outcome) {
        let batch = ticket.batch();
        if !references.concerns(batch) {
            self.pass(ticket, &Input::whole(batch), &mut VecDeque::new(), outcome);
            return;
        }
        let mut start = 0;
        while start < batch.len() {
            if self.sink.is_abandoned() {
                return self.stop(ticket);
            }
            let Slice { batch: resolved, origins, mut failures, end } =
                references.slice(batch, start);
            let input = Input { source: batch, batch: &resolved, origins: Some(&origins) };
            if !self.pass(ticket, &input, &mut failures, outcome) {
                return;
            }
            start = end;
        }
    }

    /// Takes records through the chain and delivers what comes of them. `failed` are
    /// records that lie among them and do not get that far. Returns whether to go on.
    fn pass(
        &mut self,
        ticket: &Arc<Ticket>,
        input: &Input<'_>,
        failed: &mut VecDeque<Failure>,
        outcome: &mut Outcome,
    ) -> bool {
        if input.batch.is_empty() {
            self.fail_before(ticket, failed, usize::MAX);
            return true;
        }
        match self.chain.process_input(input, outcome) {
            Ok(()) => {
                outcome.failures.extend(failed.drain(..));
                outcome.failures.sort_by_key(|failure| failure.record);
                self.deliver(ticket, input, outcome);
                true
            }
            Err(error) if error.unusable => {
                ticket.broken(error.to_string());
                false
            }
            Err(error) => {
                BatchIsolated { batch: input.batch, error: &error }.emit(&self.stats);
                self.isolate(ticket, input, failed, outcome)
            }
        }
    }

    /// Runs a batch record by record: the record that makes an operator trap fails,
    /// the others do not suffer from its company.
    fn isolate(
        &mut self,
        ticket: &Arc<Ticket>,
        input: &Input<'_>,
        failed: &mut VecDeque<Failure>,
        outcome: &mut Outcome,
    ) -> bool {
        for index in 0..input.batch.len() {
            if self.sink.is_abandoned() {
                self.stop(ticket);
                return false;
            }
            let origin = input.origin(index);
            self.fail_before(ticket, failed, origin);
            let single = input.batch.single(index);
            let origins = [origin as u32];
            let alone = Input { source: input.source, batch: &single, origins: Some(&origins) };
            match self.chain.process_input(&alone, outcome) {
                Ok(()) => self.deliver(ticket, &alone, outcome),
                Err(error) if error.unusable => {
                    ticket.broken(error.to_string());
                    return false;
                }
                Err(error) => self.fail(ticket, &blame(origin, error)),
            }
        }
        self.fail_before(ticket, failed, usize::MAX);
        true
    }

    /// Sends what came of some of the ticket's records.
    fn deliver(&self, ticket: &Arc<Ticket>, input: &Input<'_>, outcome: &Outcome) {
        let mut outputs = 0;
        for output in outcome.outputs(input.source) {
            self.sink.output(&output, ticket, output.origin);
            outputs += 1;
        }
        BatchProcessed { outcome, outputs }.emit(&self.stats);
        for failure in &outcome.failures {
            self.fail(ticket, failure);
        }
    }

    /// Sends the first of the failures, those of records before `record`.
    fn fail_before(&self, ticket: &Arc<Ticket>, failed: &mut VecDeque<Failure>, record: usize) {
        while let Some(failure) = failed.pop_front_if(|failure| failure.record < record) {
            self.fail(ticket, &failure);
        }
    }

    fn stop(&self, ticket: &Arc<Ticket>) {
        ticket.broken("the runner stopped before the batch was through".into());
    }

    fn fail(&self, ticket: &Arc<Ticket>, failure: &Failure) {
        let record = ticket.batch().record(failure.record);
        RecordFailed { record, failure }.emit(&self.stats);
        self.sink.dead_letter(ticket, failure);
    }
}

/// The failure of a record that was alone in a call that gave nothing.
fn blame(record: usize, CallError { stage, code, message, .. }: CallError) -> Failure {
    Failure { record, stage, code, message }
}
