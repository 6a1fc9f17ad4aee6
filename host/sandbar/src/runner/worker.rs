//! One worker: takes the batches of its partitions through its own instances of the
//! stages, to Kafka.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use sandbar_kafka::sink::Sink;
use sandbar_pipeline::handover::{Handover, Slot};
use sandbar_pipeline::processor::Processor;
use sandbar_record::{Batch, Failure, Outlet, Output, Ticket};

/// A worker's stages, and where their outputs go.
pub(super) struct Worker {
    pub(super) processor: Processor,
    pub(super) sink: Arc<Sink>,
    pub(super) handover: Arc<Handover>,
    pub(super) slot: Arc<Slot>,
}

/// How often an idle worker checks for a stage set to swap in.
pub(super) const LOOK: Duration = Duration::from_millis(100);

impl Worker {
    /// Works until there are no more batches.
    pub(super) fn run(mut self, batches: Receiver<Arc<Ticket>>) {
        loop {
            let next = batches.recv_timeout(LOOK);
            self.processor.renew(&self.slot);
            let ticket = match next {
                Ok(ticket) => ticket,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if self.sink.is_abandoned() {
                continue;
            }
            let mut shipment = Shipment { sink: &self.sink, ticket: &ticket };
            let (batch, assignment) = (ticket.batch(), ticket.assignment());
            if let Err(interrupted) = self.processor.process(batch, assignment, &mut shipment) {
                ticket.broken(interrupted.to_string());
            }
            self.processor.settle();
            self.handover.passed(batch);
            ticket.processed();
        }
    }
}

/// The outputs of one batch, sent to the sink.
struct Shipment<'a> {
    sink: &'a Sink,
    ticket: &'a Arc<Ticket>,
}

impl Outlet for Shipment<'_> {
    fn output(&mut self, _: &Batch, output: &Output<'_>) {
        self.sink.output(output, self.ticket);
    }

    fn dead_letter(&mut self, _: &Batch, failure: &Failure) {
        self.sink.dead_letter(self.ticket, failure);
    }

    fn is_closed(&self) -> bool {
        self.sink.is_abandoned()
    }
}
