//! An operator that is called with its work repeatedly.

use std::time::Duration;

use anyhow::{Result, bail};
use rustix::time::{ClockId, clock_gettime};

use super::meter::Meter;
use super::work::Work;
use sandbar_sandbox::{
    CallError, Crossing, Extracted, Extractor, Operator, Scored, Scorer, Transformed, Transformer,
    World,
};

/// An operator with its warm instance, of any world.
pub(super) enum Running {
    Extractor(Extractor),
    Scorer(Scorer),
    Transformer(Transformer),
}

/// The results of all records or rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Rows, predictions, or records that were emitted.
    pub(super) outputs: u64,
    /// Records or rows that failed.
    pub(super) failures: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.outputs += other.outputs;
        self.failures += other.failures;
    }
}

impl Running {
    /// Configures an operator for its work.
    pub(super) fn start(operator: Operator, work: &Work) -> Result<Running> {
        Ok(match (operator.component.world(), work) {
            (World::Extractor, Work::Records(_)) => Running::Extractor(Extractor::new(operator)?),
            (World::Transformer, Work::Records(_)) => {
                Running::Transformer(Transformer::new(operator)?)
            }
            (World::Scorer, Work::Rows(_, fields)) => {
                Running::Scorer(Scorer::new(operator, fields.clone())?)
            }
            (World::Scorer, Work::Records(_)) => bail!(
                "stage '{}' is a scorer, which takes features: give the extractor that makes \
                 them (--extractor COMPONENT), or a pipeline",
                operator.stage
            ),
            (world, Work::Rows(..)) => bail!(
                "stage '{}' is {world}, which takes records; it cannot follow an extractor",
                operator.stage
            ),
        })
    }

    /// Reports all crossings to `meter`.
    pub(super) fn meter(&mut self, meter: &Meter) {
        let meter = meter.clone();
        let hook = move |crossing: Crossing| meter.cross(crossing);
        match self {
            Running::Extractor(stage) => stage.watch(hook),
            Running::Scorer(stage) => stage.watch(hook),
            Running::Transformer(stage) => stage.watch(hook),
        }
    }

    /// Runs all the work through the operator once.
    ///
    /// # Errors
    /// If a call fails.
    pub(super) fn pass(&mut self, work: &Work, meter: Option<&Meter>) -> Result<Counts> {
        let mut counts = Counts::default();
        for call in 0..work.calls() {
            if let Some(meter) = meter {
                meter.begin();
            }
            let result = self.call(work, call);
            if let Some(meter) = meter {
                meter.end();
            }
            counts += result?;
        }
        Ok(counts)
    }

    fn call(&mut self, work: &Work, call: usize) -> Result<Counts, CallError> {
        Ok(match (self, work) {
            (Running::Extractor(extractor), Work::Records(batches)) => {
                let Extracted { table, failures } = extractor.extract(&batches[call])?;
                Counts { outputs: table.rows.into(), failures: failures.len() as u64 }
            }
            (Running::Transformer(transformer), Work::Records(batches)) => {
                let Transformed { records, failures } = transformer.transform(&batches[call])?;
                Counts { outputs: records.origins.len() as u64, failures: failures.len() as u64 }
            }
            (Running::Scorer(scorer), Work::Rows(tables, _)) => {
                let Scored { failures, .. } = scorer.score(&tables[call])?;
                let failed = failures.len() as u64;
                Counts { outputs: u64::from(tables[call].rows) - failed, failures: failed }
            }
            // `start` gave every operator the work of its world.
            _ => Counts::default(),
        })
    }
}

/// CPU time of this process so far, all threads together: a graph is computed on another
/// one than the guest. Time that others had the cores does not count.
pub(super) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}
