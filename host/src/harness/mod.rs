//! A whole pipeline in this process, without Kafka: records go in, its output records
//! come out. For tests of operators and pipelines, and for records that
//! are in no topic.
//!
//! Records go through the code that the runner's workers use: the same batches, the same
//! stages in the sandbox, external payloads fetched, a batch with a failed call retried
//! record by record. Only Kafka's part is missing: delivery, commits, and
//! topics that refuse a record.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use sandbar::harness::{Harness, Input};
//! use sandbar::manifest::Manifest;
//! use sandbar::pipeline::Plan;
//! use sandbar::sandbox::{Sandbox, cache};
//!
//! # fn main() -> anyhow::Result<()> {
//! let manifest = Manifest::load(Path::new("pipelines/flights.toml"))?;
//! let sandbox = Sandbox::new(cache::default_folder())?;
//! let plan = Plan::new(&manifest, None, &sandbox)?;
//! let mut harness = Harness::new(&plan)?;
//!
//! let classic = "1987,10,14,3,741,730,912,849,PS,1451,NA,91,79,NA,23,11,SAN,SFO,447,\
//!                NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,YES";
//! let written = harness.pipe([
//!     Input::value(classic).key("PS1451"),
//!     Input::value("this is not a flight"),
//! ])?;
//!
//! let prediction = &written.outputs[0];
//! assert_eq!(prediction.topic, "flight-predictions");
//! assert_eq!(prediction.key.as_deref(), Some("PS1451".as_bytes()));
//! assert!(prediction.text().starts_with(r#"{"label":"YES""#));
//! assert_eq!(prediction.header("sandbar-model").as_deref(), Some("flights-gbm@1"));
//!
//! let letter = &written.dead_letters[0];
//! assert_eq!((&*letter.stage, letter.code.as_str()), ("features", "malformed"));
//! assert_eq!(letter.record.origin.offset, 1);
//! # Ok(())
//! # }
//! ```
//!
//! An operator alone: [`ExtractorHarness`] and [`ScorerHarness`]. A transformer alone is a
//! pipeline already.
//!
//! [`Harness::pipe`] collects the outputs. If they may be more than the memory
//! holds, [`Harness::push`] and [`Harness::flush`] pass them to an
//! [`Outlet`] at once.

mod batches;
mod operator;
mod records;

use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;

pub use operator::{ExtractorHarness, Predicted, ScorerHarness, Value};
pub use records::{DeadLetter, Input, Origin, Record, Written};

use crate::observe::{Snapshot, Stats};
use crate::pipeline::labels::Labels;
use crate::pipeline::processor::{Interrupted, Outlet, Processor};
use crate::pipeline::{Plan, PlanError};
use crate::records::Batch;
use crate::sandbox::{CallError, Clock, Usage};
use batches::Batches;
use records::Collector;

/// A pipeline that is given its records one by one. It has one chain, as each worker of
/// a runner has one.
pub struct Harness {
    processor: Processor,
    labels: Labels,
    batches: Batches,
    clock: Clock,
    stats: Arc<Stats>,
}

/// Why a harness cannot continue.
#[derive(Debug, Error)]
pub enum HarnessError {
    /// A batch failed.
    #[error("{topic}/{partition}, from offset {offset}: {cause}")]
    Interrupted {
        /// The batch's topic.
        topic: String,
        /// Its partition.
        partition: i32,
        /// Its first offset.
        offset: i64,
        /// What happened.
        cause: Interrupted,
    },
    /// A record is larger than a batch can be.
    #[error(
        "{topic}/{partition}, offset {offset}: a record of {size} bytes is too large; at most 2 GiB"
    )]
    TooLarge {
        /// The record's topic.
        topic: String,
        /// Its partition.
        partition: i32,
        /// The offset that it would have had.
        offset: i64,
        /// Its bytes: key, value and headers.
        size: usize,
    },
    /// A row does not have the features that were declared.
    #[error("row {row}: {reason}")]
    Row {
        /// Its index.
        row: usize,
        /// What is wrong.
        reason: String,
    },
    /// The operator can no longer be used; not the fault of a row.
    #[error("{0}")]
    Unusable(CallError),
}

impl HarnessError {
    fn at(batch: &Batch, cause: Interrupted) -> Self {
        HarnessError::Interrupted {
            topic: batch.topic.to_string(),
            partition: batch.partition,
            offset: batch.offsets.first().copied().unwrap_or_default(),
            cause,
        }
    }
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
        let topic = plan.source.topics.first().map(String::as_str).unwrap_or_default();
        let batches = Batches::new(topic, plan.source.batch);
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
    /// the pipeline immediately, and its outputs to `outlet`.
    ///
    /// # Errors
    /// As [`Harness::pipe`]; also where `outlet` is closed.
    pub fn push<O: Outlet>(&mut self, record: &Input, outlet: &mut O) -> Result<(), HarnessError> {
        let Harness { processor, batches, .. } = self;
        batches.push(record, &mut |batch| process(processor, batch, outlet))
    }

    /// Runs the incomplete batches through the pipeline.
    ///
    /// # Errors
    /// As [`Harness::push`]. The failed batch is not retried.
    pub fn flush<O: Outlet>(&mut self, outlet: &mut O) -> Result<(), HarnessError> {
        let Harness { processor, batches, .. } = self;
        batches.flush(&mut |batch| process(processor, batch, outlet))
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

    /// Topics and headers of outputs, for an [`Outlet`].
    pub fn labels(&self) -> &Labels {
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

fn process<O: Outlet>(
    processor: &mut Processor,
    batch: &Batch,
    outlet: &mut O,
) -> Result<(), HarnessError> {
    // Without Kafka no partition is ever revoked.
    let result =
        processor.process(batch, 0, outlet).map_err(|cause| HarnessError::at(batch, cause));
    processor.settle();
    result
}
