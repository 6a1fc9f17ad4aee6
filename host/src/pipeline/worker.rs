//! One worker: takes batches through its own instances of the stages.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::chain::{Chain, Outcome};
use super::delivery::Ticket;
use crate::failure::Failure;
use crate::kafka::sink::Sink;
use crate::observe::Stats;
use crate::observe::events::{BatchIsolated, BatchProcessed, BatchReceived, RecordFailed};
use crate::records::Batch;
use crate::sandbox::CallError;

/// A worker's stages, and where what comes of them goes.
pub(super) struct Worker {
    pub(super) chain: Chain,
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
        match self.chain.process(batch, outcome) {
            Ok(()) => self.deliver(ticket, batch, 0, outcome),
            Err(error) if error.unusable => ticket.broken(error.to_string()),
            Err(error) => {
                BatchIsolated { batch, error: &error }.emit(&self.stats);
                self.isolate(ticket, outcome);
            }
        }
    }

    /// Runs a batch record by record: the record that makes an operator trap fails,
    /// the others do not suffer from its company.
    fn isolate(&mut self, ticket: &Arc<Ticket>, outcome: &mut Outcome) {
        for index in 0..ticket.batch().len() {
            if self.sink.is_abandoned() {
                return ticket.broken("the runner stopped before the batch was through".into());
            }
            let single = ticket.batch().single(index);
            match self.chain.process(&single, outcome) {
                Ok(()) => self.deliver(ticket, &single, index, outcome),
                Err(error) if error.unusable => return ticket.broken(error.to_string()),
                Err(error) => self.fail(ticket, &blame(index, error)),
            }
        }
    }

    /// Sends what came of `batch`, whose first record is the ticket's at `first`.
    fn deliver(&self, ticket: &Arc<Ticket>, batch: &Batch, first: usize, outcome: &mut Outcome) {
        let mut outputs = 0;
        for output in outcome.outputs(batch) {
            self.sink.output(&output, ticket, first + output.origin);
            outputs += 1;
        }
        BatchProcessed { outcome, outputs }.emit(&self.stats);
        for failure in &mut outcome.failures {
            failure.record += first;
            self.fail(ticket, failure);
        }
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
