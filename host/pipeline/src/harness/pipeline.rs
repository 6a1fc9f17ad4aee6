//! A whole pipeline that is given its records one by one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbar_record::{Batch, Input, OutputHeaders, Sink};
use sandbar_sandbox::{Clock, Usage};
use sandbar_telemetry::{Snapshot, Stats};

use super::written::{Collector, Written};
use crate::operator_harness::{Batches, HarnessError};
use crate::plan::Plan;
use crate::plan_error::PlanError;
use crate::processor::Processor;

/// A pipeline that is given its records one by one. It has one chain, as each worker of
/// a runner has one.
pub struct Harness {
    processor: Processor,
    labels: OutputHeaders,
    batches: Batches,
    clock: Clock,
    stats: Arc<Stats>,
}

impl Harness {
    /// Sets the stages up, once. The plan needs no brokers.
    ///
    /// # Errors
    /// As [`Plan::chain`].
    pub fn new(plan: &Plan) -> Result<Self, PlanError> {
        let stats = Arc::new(Stats::default());
        let processor = Processor::new(plan, stats.clone())?;
        // The topic of records that do not name one.
        let topic = plan.topics.first().map(String::as_str).unwrap_or_default();
        let batches = Batches::new(topic, plan.batch);
        let (labels, clock) = (plan.labels(), plan.clock().clone());
        Ok(Harness { processor, labels, batches, clock, stats })
    }

    /// Runs records through the pipeline and returns all outputs, each kind in
    /// the order of writing. A record that fails is a dead letter, not an error.
    ///
    /// Records form batches as in a runner: of one partition, until `batch-records` or
    /// `batch-bytes` is reached. Incomplete batches run at the end of the call.
    ///
    /// # Errors
    /// If an operator cannot be used any more, or a record is larger than a batch
    /// can be.
    pub fn pipe(
        &mut self,
        records: impl IntoIterator<Item = Input>,
    ) -> Result<Written, HarnessError> {
        let mut collector = Collector::new(self.labels.clone());
        for record in records {
            self.push(&record, &mut collector)?;
        }
        self.flush(&mut collector)?;
        Ok(collector.written)
    }

    /// Adds one record to the batch of its partition. A batch that is full goes through
    /// the pipeline immediately, and its outputs to `sink`.
    ///
    /// # Errors
    /// As [`Harness::pipe`]; also where `sink` is closed.
    pub fn push<O: Sink>(&mut self, record: &Input, sink: &mut O) -> Result<(), HarnessError> {
        let Harness { processor, batches, .. } = self;
        batches.push(record, &mut |batch| process(processor, batch, sink))
    }

    /// Runs the incomplete batches through the pipeline.
    ///
    /// # Errors
    /// As [`Harness::push`]. The failed batch is not retried.
    pub fn flush<O: Sink>(&mut self, sink: &mut O) -> Result<(), HarnessError> {
        let Harness { processor, batches, .. } = self;
        batches.flush(&mut |batch| process(processor, batch, sink))
    }

    /// Fixes the clock of the stages that are granted one, in
    /// milliseconds since the epoch. It never goes back. The other stages get the
    /// time of their records: [`Input::at`].
    pub fn set_time(&mut self, timestamp: u64) {
        self.clock.set(Duration::from_millis(timestamp));
    }

    /// Advances that clock; if it is not set yet, from the machine's time.
    pub fn advance_time(&mut self, by: Duration) {
        self.clock.set(self.clock.now().saturating_add(by));
    }

    /// Since when a record waits in an incomplete batch; `None` if none does.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.batches.waiting_since()
    }

    /// Topics and headers of outputs, for an [`Sink`].
    pub fn labels(&self) -> &OutputHeaders {
        &self.labels
    }

    /// The counters, since the harness was made.
    pub fn stats(&self) -> Snapshot {
        self.stats.snapshot()
    }

    /// What each stage has used, by its name, in the order of the pipeline.
    pub fn usage(&self) -> Vec<(Arc<str>, Usage)> {
        self.processor.usage()
    }
}

fn process<O: Sink>(
    processor: &mut Processor,
    batch: &Batch,
    sink: &mut O,
) -> Result<(), HarnessError> {
    // Without Kafka no partition is ever revoked.
    let result = processor.process(batch, 0, sink).map_err(|cause| HarnessError::at(batch, cause));
    processor.settle();
    result
}
