//! One worker: takes the batches of its partitions through its own instances of the
//! stages, to Kafka.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::chain::Output;
use super::delivery::Ticket;
use super::processor::{Outlet, Processor};
use crate::failure::Failure;
use crate::kafka::sink::Sink;
use crate::records::Batch;

/// A worker's stages, and where what comes of them goes.
pub(super) struct Worker {
    pub(super) processor: Processor,
    pub(super) sink: Arc<Sink>,
}

impl Worker {
    /// Works until there are no more batches.
    pub(super) fn run(mut self, batches: Receiver<Arc<Ticket>>) {
        for ticket in batches {
            if self.sink.is_abandoned() {
                continue;
            }
            let mut shipment = Shipment { sink: &self.sink, ticket: &ticket };
            let (batch, assignment) = (ticket.batch(), ticket.assignment());
            if let Err(interrupted) = self.processor.process(batch, assignment, &mut shipment) {
                ticket.broken(interrupted.to_string());
            }
            self.processor.settle();
            ticket.processed();
        }
    }
}

/// What comes of one ticket's batch, on its way to the sink.
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
