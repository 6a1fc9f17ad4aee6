//! The transactional worker of a pipeline that delivers exactly once: batches in transactions.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::worker::LOOK;
use sandbar_kafka::group::Group;
use sandbar_kafka::transactions::{Transactions, Trouble};
use sandbar_kafka::{TransactionAborted, TransactionCommitted};
use sandbar_pipeline::handover::{Handover, Slot};
use sandbar_pipeline::processor::Processor;
use sandbar_record::{Batch, Failure, Outlet, Output, Ticket};
use sandbar_telemetry::Stats;

/// Attempts at a batch with which the stages take longer than the brokers leave a transaction
/// open.
const SLOW_ATTEMPTS: u32 = 3;
/// The longest pause between two attempts at one transaction; they begin with a
/// hundredth of it.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A worker's stages, and the transactions in which their outputs go.
pub(super) struct Transactor {
    pub(super) processor: Processor,
    pub(super) transactions: Transactions,
    pub(super) group: Group,
    /// How long a transaction accepts batches.
    pub(super) interval: Duration,
    pub(super) stats: Arc<Stats>,
    pub(super) handover: Arc<Handover>,
    pub(super) slot: Arc<Slot>,
    /// What the stages took in the attempt at hand.
    pub(super) worked: Duration,
    /// Batches that were too many for one transaction, in front of those that come.
    pub(super) waiting: VecDeque<Arc<Ticket>>,
}

impl Transactor {
    /// Works until there are no more batches.
    pub(super) fn run(mut self, batches: Receiver<Arc<Ticket>>) {
        // No batch may follow one that was not delivered: its partition's offset would
        // be committed past it.
        let mut broken = false;
        loop {
            let next = self.next(&batches, LOOK);
            // Not within a transaction: a rejected record in it is known by its place among
            // the outputs, which are the same only with the same stages.
            self.processor.renew(&self.slot);
            let first = match next {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if broken || self.transactions.is_abandoned() {
                continue;
            }
            let mut tickets = vec![first];
            match self.transact(&mut tickets, &batches) {
                Ok(()) => tickets.iter().for_each(|ticket| ticket.processed()),
                Err(reason) => {
                    broken = true;
                    tickets.iter().for_each(|ticket| ticket.broken(reason.clone()));
                }
            }
        }
    }

    /// The next batch, of those that wait or those that come within `patience`.
    fn next(
        &mut self,
        batches: &Receiver<Arc<Ticket>>,
        patience: Duration,
    ) -> Result<Arc<Ticket>, RecvTimeoutError> {
        match self.waiting.pop_front() {
            Some(ticket) => Ok(ticket),
            None => batches.recv_timeout(patience),
        }
    }

    /// Takes batches through the stages and commits their outputs, if need be in
    /// several attempts. `tickets` are those that were committed, in the end.
    fn transact(
        &mut self,
        tickets: &mut Vec<Arc<Ticket>>,
        batches: &Receiver<Arc<Ticket>>,
    ) -> Result<(), String> {
        let mut pause = LONGEST_PAUSE / 100;
        let mut slow = 0;
        let mut attempt = self.attempt(tickets, Some(batches));
        loop {
            let trouble = match attempt {
                Ok(()) => {
                    self.processor.settle();
                    if let Some(ticket) = tickets.last() {
                        self.handover.passed(ticket.batch());
                    }
                    TransactionCommitted.emit(&self.stats);
                    return Ok(());
                }
                Err(Trouble::Hopeless(reason)) => {
                    // Best effort; otherwise the broker ends it after its timeout.
                    let _ = self.transactions.abort();
                    return Err(reason);
                }
                Err(trouble) => trouble,
            };
            TransactionAborted { trouble: &trouble, batches: tickets.len() }.emit(&self.stats);
            // Without the time that unavailable brokers took.
            let slow_now = self.worked > self.transactions.timeout();
            slow += u32::from(slow_now && tickets.len() == 1);
            if slow == SLOW_ATTEMPTS {
                return Err(format!(
                    "a batch takes longer than transaction.timeout.ms ({:?}): raise that under \
                     [sink] properties, or lower [runner] batch-records",
                    self.transactions.timeout()
                ));
            }
            self.transactions.abort().map_err(|trouble| trouble.to_string())?;
            match self.transactions.was_committed(&self.group, tickets) {
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
            tickets.retain(|ticket| {
                let ours = self.group.owns(ticket);
                if !ours {
                    ticket.processed();
                }
                ours
            });
            if tickets.is_empty() {
                return Ok(());
            }
            if slow_now {
                // The time is what counts, not how many at once.
                for ticket in tickets.drain(tickets.len().div_ceil(2)..).rev() {
                    self.waiting.push_front(ticket);
                }
            }
            if let Trouble::Again(_) = trouble {
                std::thread::sleep(pause);
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
            if self.transactions.is_abandoned() {
                return Err(trouble.to_string());
            }
            attempt = self.attempt(tickets, None);
        }
    }

    /// One transaction. With `more`, it accepts batches during its interval.
    fn attempt(
        &mut self,
        tickets: &mut Vec<Arc<Ticket>>,
        more: Option<&Receiver<Arc<Ticket>>>,
    ) -> Result<(), Trouble> {
        self.worked = Duration::ZERO;
        self.transactions.begin()?;
        for ticket in tickets.iter() {
            self.process(ticket)?;
        }
        if let Some(batches) = more {
            let end = Instant::now() + self.interval;
            // There may always be another one.
            while Instant::now() < end {
                let left = end.saturating_duration_since(Instant::now());
                let Ok(ticket) = self.next(batches, left) else { break };
                tickets.push(ticket.clone());
                self.process(&ticket)?;
            }
        }
        self.transactions.commit(&self.group, tickets)
    }

    fn process(&mut self, ticket: &Arc<Ticket>) -> Result<(), Trouble> {
        let mut shipment = Shipment { transactions: &mut self.transactions, ticket, number: 0 };
        let (batch, assignment) = (ticket.batch(), ticket.assignment());
        let begun = Instant::now();
        let result = self.processor.process(batch, assignment, &mut shipment);
        self.worked += begun.elapsed();
        result.map_err(|interrupted| Trouble::Hopeless(interrupted.to_string()))
    }
}

/// The outputs of one batch, sent into the transaction.
struct Shipment<'a> {
    transactions: &'a mut Transactions,
    ticket: &'a Ticket,
    /// Messages until now.
    number: usize,
}

impl Outlet for Shipment<'_> {
    fn output(&mut self, _: &Batch, output: &Output<'_>) {
        self.transactions.output(self.ticket, self.number, output);
        self.number += 1;
    }

    fn dead_letter(&mut self, _: &Batch, failure: &Failure) {
        self.transactions.dead_letter(self.ticket, self.number, failure);
        self.number += 1;
    }

    fn is_closed(&self) -> bool {
        self.transactions.is_abandoned()
    }
}
