//! The transactional worker of a pipeline that delivers exactly once: batches in transactions.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::worker::LOOK;
use sandbar_kafka::group::Group;
use sandbar_kafka::transactions::{TransactionError, Transactions};
use sandbar_kafka::{TransactionAborted, TransactionCommitted};
use sandbar_pipeline::hot_swap::{ChainSlot, HotSwap};
use sandbar_pipeline::interrupted::Interrupted;
use sandbar_pipeline::processor::Processor;
use sandbar_record::{AckHandle, Batch, Failure, MemoryGate, Output, Sink};
use sandbar_telemetry::Stats;

/// Attempts at a batch with which the stages take longer than the brokers leave a transaction
/// open.
const SLOW_ATTEMPTS: u32 = 3;
/// The longest pause between two attempts at one transaction; they begin with a
/// hundredth of it.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A worker's stages, and the transactions in which their outputs go.
pub(super) struct TransactionalWorker {
    pub(super) processor: Processor,
    pub(super) transactions: Transactions,
    pub(super) group: Group,
    /// How long a transaction accepts batches.
    pub(super) interval: Duration,
    pub(super) stats: Arc<Stats>,
    pub(super) hot_swap: Arc<HotSwap>,
    pub(super) slot: Arc<ChainSlot>,
    pub(super) memory: MemoryGate,
    /// What the stages took in the attempt at hand.
    pub(super) worked: Duration,
    /// Batches that were too many for one transaction, in front of those that come.
    pub(super) waiting: VecDeque<Arc<AckHandle>>,
}

impl TransactionalWorker {
    /// Works until there are no more batches.
    pub(super) fn run(mut self, batches: Receiver<Arc<AckHandle>>) {
        // No batch may follow one that was not delivered: its partition's offset would
        // be committed past it.
        let mut broken = false;
        loop {
            let next = self.next(&batches, LOOK);
            // Not within a transaction: a rejected record in it is known by its place among
            // the outputs, which are the same only with the same stages.
            self.processor.swap_in(&self.slot);
            let first = match next {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if broken || self.transactions.is_abandoned() {
                continue;
            }
            // For want of memory: nothing is begun any more.
            if self.memory.is_ending() {
                first.left();
                continue;
            }
            let mut acks = vec![first];
            match self.transact(&mut acks, &batches) {
                Ok(()) => acks.iter().for_each(|ack| ack.processed()),
                Err(reason) => {
                    broken = true;
                    acks.iter().for_each(|ack| ack.broken(reason.clone()));
                }
            }
        }
    }

    /// The next batch, of those that wait or those that come within `patience`.
    fn next(
        &mut self,
        batches: &Receiver<Arc<AckHandle>>,
        patience: Duration,
    ) -> Result<Arc<AckHandle>, RecvTimeoutError> {
        match self.waiting.pop_front() {
            Some(ack) => Ok(ack),
            None => batches.recv_timeout(patience),
        }
    }

    /// Takes batches through the stages and commits their outputs, if need be in
    /// several attempts. `acks` are those that were committed, in the end; others of them are left.
    fn transact(
        &mut self,
        acks: &mut Vec<Arc<AckHandle>>,
        batches: &Receiver<Arc<AckHandle>>,
    ) -> Result<(), String> {
        let mut pause = LONGEST_PAUSE / 100;
        let mut slow = 0;
        let mut attempt = self.attempt(acks, Some(batches));
        loop {
            let trouble = match attempt {
                Ok(()) => {
                    self.processor.settle();
                    if let Some(ack) = acks.last() {
                        self.hot_swap.passed(ack.batch());
                    }
                    TransactionCommitted.emit(&self.stats);
                    return Ok(());
                }
                Err(TransactionError::Hopeless(reason)) => {
                    // Best effort; otherwise the broker ends it after its timeout.
                    let _ = self.transactions.abort();
                    return Err(reason);
                }
                Err(trouble) => trouble,
            };
            TransactionAborted { trouble: &trouble, batches: acks.len() }.emit(&self.stats);
            if let TransactionError::Left(_) = trouble {
                self.transactions.abort().map_err(|trouble| trouble.to_string())?;
                self.processor.undo();
                acks.drain(..).for_each(|ack| ack.left());
                return Ok(());
            }
            // Without the time that unavailable brokers took.
            let slow_now = self.worked > self.transactions.timeout();
            slow += u32::from(slow_now && acks.len() == 1);
            if slow == SLOW_ATTEMPTS {
                return Err(format!(
                    "a batch takes longer than transaction.timeout.ms ({:?}): raise that under \
                     [sink] properties, or lower [runner] batch-records",
                    self.transactions.timeout()
                ));
            }
            self.transactions.abort().map_err(|trouble| trouble.to_string())?;
            match self.transactions.was_committed(&self.group, acks) {
                Ok(false) => {}
                Ok(true) => {
                    tracing::info!(
                        "transaction was committed before it could be aborted, its batches are not processed again"
                    );
                    self.processor.settle();
                    TransactionCommitted.emit(&self.stats);
                    return Ok(());
                }
                Err(trouble) => return Err(trouble.to_string()),
            }
            self.processor.undo();
            // The partitions' new owners reprocess what was read from them.
            acks.retain(|ack| {
                let ours = self.group.owns(ack);
                if !ours {
                    ack.processed();
                }
                ours
            });
            if acks.is_empty() {
                return Ok(());
            }
            if slow_now {
                // The time is what counts, not how many at once.
                for ack in acks.drain(acks.len().div_ceil(2)..).rev() {
                    self.waiting.push_front(ack);
                }
            }
            if let TransactionError::Again(_) = trouble {
                std::thread::sleep(pause);
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
            if self.transactions.is_abandoned() {
                return Err(trouble.to_string());
            }
            attempt = self.attempt(acks, None);
        }
    }

    /// One transaction. With `more`, it accepts batches during its interval.
    fn attempt(
        &mut self,
        acks: &mut Vec<Arc<AckHandle>>,
        more: Option<&Receiver<Arc<AckHandle>>>,
    ) -> Result<(), TransactionError> {
        self.worked = Duration::ZERO;
        self.transactions.begin()?;
        for ack in acks.iter() {
            self.process(ack)?;
        }
        if let Some(batches) = more {
            let end = Instant::now() + self.interval;
            // There may always be another one.
            while Instant::now() < end && !self.memory.is_ending() {
                let left = end.saturating_duration_since(Instant::now());
                let Ok(ack) = self.next(batches, left) else { break };
                acks.push(ack.clone());
                self.process(&ack)?;
            }
        }
        self.transactions.commit(&self.group, acks)
    }

    fn process(&mut self, ack: &Arc<AckHandle>) -> Result<(), TransactionError> {
        let mut shipment = Shipment { transactions: &mut self.transactions, ack, number: 0 };
        let (batch, assignment) = (ack.batch(), ack.assignment());
        let begun = Instant::now();
        let result = self.processor.process(batch, assignment, &mut shipment);
        self.worked += begun.elapsed();
        result.map_err(|interrupted| match interrupted {
            Interrupted::Starved(_) => TransactionError::Left(interrupted.to_string()),
            other => TransactionError::Hopeless(other.to_string()),
        })
    }
}

/// The outputs of one batch, sent into the transaction.
struct Shipment<'a> {
    transactions: &'a mut Transactions,
    ack: &'a AckHandle,
    /// Messages until now.
    number: usize,
}

impl Sink for Shipment<'_> {
    fn output(&mut self, _: &Batch, output: &Output<'_>) {
        self.transactions.output(self.ack, self.number, output);
        self.number += 1;
    }

    fn dead_letter(&mut self, _: &Batch, failure: &Failure) {
        self.transactions.dead_letter(self.ack, self.number, failure);
        self.number += 1;
    }

    fn is_closed(&self) -> bool {
        self.transactions.is_abandoned()
    }
}
