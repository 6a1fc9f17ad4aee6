//! One worker: takes the batches of its partitions through its own instances of the
//! stages, to Kafka.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use sandbar_kafka::sink::KafkaSink;
use sandbar_pipeline::hot_swap::{ChainSlot, HotSwap};
use sandbar_pipeline::interrupted::Interrupted;
use sandbar_pipeline::processor::Processor;
use sandbar_record::{AckHandle, Batch, Failure, MemoryGate, Output, Sink};

/// A worker's stages, and where their outputs go.
pub(super) struct Worker {
    pub(super) processor: Processor,
    pub(super) sink: Arc<KafkaSink>,
    pub(super) hot_swap: Arc<HotSwap>,
    pub(super) slot: Arc<ChainSlot>,
    pub(super) memory: MemoryGate,
}

/// How often an idle worker checks for a stage set to swap in.
pub(super) const LOOK: Duration = Duration::from_millis(100);

impl Worker {
    /// Works until there are no more batches.
    pub(super) fn run(mut self, batches: Receiver<Arc<AckHandle>>) {
        loop {
            let next = batches.recv_timeout(LOOK);
            self.processor.swap_in(&self.slot);
            let ack = match next {
                Ok(ack) => ack,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if self.sink.is_abandoned() {
                continue;
            }
            // For want of memory: nothing is begun any more.
            if self.memory.is_ending() {
                ack.left();
                continue;
            }
            let mut shipment = Shipment { sink: &self.sink, ack: &ack };
            let (batch, assignment) = (ack.batch(), ack.assignment());
            match self.processor.process(batch, assignment, &mut shipment) {
                Ok(()) => {}
                Err(Interrupted::Starved(_)) => {
                    ack.left();
                    continue;
                }
                Err(interrupted) => ack.broken(interrupted.to_string()),
            }
            self.processor.settle();
            self.hot_swap.passed(batch);
            ack.processed();
        }
    }
}

/// The outputs of one batch, sent to the sink.
struct Shipment<'a> {
    sink: &'a KafkaSink,
    ack: &'a Arc<AckHandle>,
}

impl Sink for Shipment<'_> {
    fn output(&mut self, _: &Batch, output: &Output<'_>) {
        self.sink.output(output, self.ack);
    }

    fn dead_letter(&mut self, _: &Batch, failure: &Failure) {
        self.sink.dead_letter(self.ack, failure);
    }

    fn is_closed(&self) -> bool {
        self.sink.is_abandoned()
    }
}
