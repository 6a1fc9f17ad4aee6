//! A shadow: a candidate that scores what the stream scores, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::comparison::Comparison;
use super::gather::{TOLERATED, fail_rest};
use super::tally::BatchResult;
use crate::chain::Input;
use crate::chain_runner::ChainRunner;
use crate::outcome::PredictionSet;
use sandbar_record::Batch;
use sandbar_record::BestEffort;
use sandbar_record::Failure;
use sandbar_record::Sink;
use sandbar_record::{Output, Variant};

/// Batches that may wait for a shadow. Further ones are left out.
const WAITING: usize = 4;
/// How long delivering the last outputs may take.
const LEFTOVERS: Duration = Duration::from_secs(5);

/// Where workers leave batches for a shadow. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ShadowQueue {
    jobs: SyncSender<Job>,
    waiting: Arc<AtomicUsize>,
}

/// A batch, and the stream's predictions for it.
struct Job {
    batch: Batch,
    /// The records as they came in, where the batch is what they refer to.
    source: Option<Batch>,
    origins: Option<Vec<u32>>,
    said: PredictionSet,
}

impl ShadowQueue {
    /// Leaves a batch there, if the shadow keeps up; it never waits.
    pub(super) fn offer(&self, input: &Input<'_>, said: PredictionSet, comparison: &Comparison) {
        // Avoids a needless copy.
        if self.waiting.fetch_add(1, Ordering::AcqRel) < WAITING {
            let Input { source, batch, origins } = *input;
            let apart = (!std::ptr::eq(source, batch)).then(|| source.clone());
            let origins = origins.map(<[u32]>::to_vec);
            let job = Job { batch: batch.clone(), source: apart, origins, said };
            if self.jobs.try_send(job).is_ok() {
                return;
            }
        }
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        comparison.leave_out(input.batch.len());
    }
}

/// Starts the thread. It ends when the roll-out does.
///
/// # Errors
/// If the system provides no more threads.
pub(crate) fn start(
    runner: ChainRunner,
    comparison: Arc<Comparison>,
    best_effort: Option<Box<dyn BestEffort>>,
) -> std::io::Result<ShadowQueue> {
    let (jobs, left) = sync_channel(WAITING);
    let waiting = Arc::new(AtomicUsize::new(0));
    let shadow = Shadow { runner, comparison, best_effort, waiting: waiting.clone() };
    let thread = std::thread::Builder::new().name("sandbar-shadow".into());
    thread.spawn(move || shadow.run(&left))?;
    Ok(ShadowQueue { jobs, waiting })
}

struct Shadow {
    runner: ChainRunner,
    comparison: Arc<Comparison>,
    best_effort: Option<Box<dyn BestEffort>>,
    waiting: Arc<AtomicUsize>,
}

impl Shadow {
    fn run(mut self, jobs: &Receiver<Job>) {
        // Ends with the last worker's queue, or with the roll-out.
        while let Ok(job) = jobs.recv()
            && !self.comparison.is_closed()
            && self.score(&job)
        {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
        }
        if let Some(best_effort) = &self.best_effort {
            best_effort.finish(LEFTOVERS);
            self.comparison.not_written(best_effort.take_lost());
        }
    }

    /// Scores a batch; `false`: the roll-out is over.
    fn score(&mut self, job: &Job) -> bool {
        let Shadow { runner, comparison, best_effort, .. } = self;
        let source = job.source.as_ref().unwrap_or(&job.batch);
        let input = Input { source, batch: &job.batch, origins: job.origins.as_deref() };
        runner.forget();
        let begun = Instant::now();
        let mut nowhere = Nowhere(comparison);
        let gathered = runner.pass(source, &mut nowhere).gather(&input, Some(TOLERATED));
        let Ok(gathered) = gathered else { return false };
        let outcome = &mut runner.outcome;
        fail_rest(outcome, &input, gathered);
        let (records, took) = (input.batch.len(), begun.elapsed());
        comparison.add(Variant::Candidate, &BatchResult { records, outcome, took });
        if let Some(predictions) = &outcome.predictions {
            comparison.compare(&job.said, predictions);
        }
        if let Some(best_effort) = best_effort {
            for output in outcome.outputs(source) {
                best_effort.write(&Output { variant: Some(Variant::Candidate), ..output });
            }
            comparison.not_written(best_effort.take_lost());
        }
        true
    }
}

/// The outputs of a shadow are discarded.
struct Nowhere<'a>(&'a Comparison);

impl Sink for Nowhere<'_> {
    fn output(&mut self, _: &Batch, _: &Output<'_>) {}

    fn dead_letter(&mut self, _: &Batch, _: &Failure) {}

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}
