//! How fast operators are, and where their time goes: `sandbar bench`.
//!
//! What is compared runs in alternating rounds in one process, and a figure is the median
//! of the rounds: other work on the machine affects all sides. Times are CPU time of this
//! process, inference included; the native program measures its own.
//!
//! - [`work`]: the records, in batches; `through`: what reaches a stage of these.
//! - `operator`: an operator that is called with its work repeatedly.
//! - `meter`: where the time of a call goes.
//! - `native`: the same code without a sandbox.
//! - [`samples`], [`report`]: medians, and the report.

mod meter;
mod native;
mod operator;
pub mod report;
pub mod samples;
mod through;
pub mod work;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

pub use report::{BenchReport, Parts};
pub use samples::{Figure, Samples};
pub use work::Work;

use meter::{Meter, cost_of_reading};
use native::Native;
use operator::{Counts, Running, cpu_time};
use sandbar_sandbox::{Component, Limits, Operator, Sandbox};

/// The shortest time of a sample: shorter ones show the clock's resolution.
const SAMPLE: Duration = Duration::from_millis(5);
/// The smallest number of rounds, however long they take.
const ROUNDS: usize = 3;
/// Longer than any benchmark.
const NO_DEADLINE: Duration = Duration::from_secs(1 << 30);

/// How long it is measured.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    /// For this time per stage, but at least three rounds.
    Time(Duration),
    /// For this number of rounds.
    Rounds(usize),
}

/// The comparison, and its duration.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long.
    pub length: Length,
    /// The operator's crate, to be built natively.
    pub native: Option<PathBuf>,
}

/// Measures one operator with its work: in the sandbox as a runner has it, there with all
/// limits off, and natively if requested. `unlimited` is a sandbox without
/// deadlines.
///
/// # Errors
/// If the operator cannot be set up, a call fails, or two sides do not produce
/// the same counts.
pub fn measure(
    operator: &Operator,
    unlimited: &Sandbox,
    work: &Work,
    options: &Options,
) -> Result<BenchReport> {
    ensure!(!work.is_empty(), "stage '{}': no records reach it", operator.stage);
    let mut operator = operator.clone();
    // A new instance in the middle would distort the figure.
    operator.limits.retire_after = None;
    let mut sides = Sides::new(&operator, unlimited, work, options.native.as_deref())?;
    let counts = sides.check(work)?;

    let records = work.len() as f64;
    let (limited_pass, _) = sides.limited(work, 1)?;
    let passes = SAMPLE.as_nanos().div_ceil(limited_pass.as_nanos().max(1));
    let passes = u32::try_from(passes).unwrap_or(u32::MAX).max(1);
    let per_record = |time: Duration| time.as_nanos() as f64 / f64::from(passes) / records;

    let mut samples = report::Rounds::default();
    let start = Instant::now();
    let goes_on = |rounds: usize| match options.length {
        Length::Rounds(wanted) => rounds < wanted,
        Length::Time(time) => rounds < ROUNDS || start.elapsed() < time,
    };
    while goes_on(samples.len()) {
        let limited = per_record(sides.limited(work, passes)?.0);
        let unlimited = per_record(sides.unlimited(work, passes)?.0);
        let native = sides.native(passes)?.map(|(time, _)| per_record(time));
        samples.push(limited, unlimited, native, sides.parts(work, passes)?);
    }
    let inputs = (work.len(), work.calls());
    Ok(BenchReport::new(&operator, inputs, (counts.outputs, counts.failures), passes, &samples))
}

/// The compared variants of one operator.
struct Sides {
    limited: Running,
    unlimited: Running,
    metered: Running,
    meter: Meter,
    reading: Duration,
    native: Option<Native>,
}

impl Sides {
    fn new(
        operator: &Operator,
        unlimited: &Sandbox,
        work: &Work,
        native: Option<&Path>,
    ) -> Result<Self> {
        let mut free = operator.clone();
        free.component = Component::load(unlimited, operator.component.path())?;
        let Limits { memory, deadline, configure_deadline, .. } = &mut free.limits;
        (*memory, *deadline, *configure_deadline) = (u64::MAX, NO_DEADLINE, NO_DEADLINE);
        let meter = Meter::default();
        let mut metered = Running::start(operator.clone(), work)?;
        metered.meter(&meter);
        let native = native.map(|folder| Native::start(folder, operator, work)).transpose();
        Ok(Sides {
            limited: Running::start(operator.clone(), work)?,
            unlimited: Running::start(free, work)?,
            metered,
            meter,
            reading: cost_of_reading(),
            native: native.context("--native")?,
        })
    }

    /// Runs the work once on every side, and checks that the counts are equal.
    fn check(&mut self, work: &Work) -> Result<Counts> {
        let counts = self.limited(work, 1)?.1;
        self.parts(work, 1)?;
        ensure!(self.unlimited(work, 1)?.1 == counts, "results with and without limits differ");
        if let Some((_, native)) = self.native(1)? {
            ensure!(
                native == counts,
                "the native build and the component differ: of {} records the native build made {} \
                 outputs and {} failures, the component {} and {}; build the component again",
                work.len(),
                native.outputs,
                native.failures,
                counts.outputs,
                counts.failures
            );
        }
        Ok(counts)
    }

    fn limited(&mut self, work: &Work, passes: u32) -> Result<(Duration, Counts)> {
        timed(passes, || self.limited.pass(work, None))
    }

    fn unlimited(&mut self, work: &Work, passes: u32) -> Result<(Duration, Counts)> {
        timed(passes, || self.unlimited.pass(work, None))
    }

    fn native(&mut self, passes: u32) -> Result<Option<(Duration, Counts)>> {
        self.native.as_mut().map(|native| native.passes(passes)).transpose()
    }

    /// The parts of the time.
    fn parts(&mut self, work: &Work, passes: u32) -> Result<Parts> {
        for _ in 0..passes {
            self.metered.pass(work, Some(&self.meter))?;
        }
        let spent = self.meter.take(self.reading);
        let records = work.len() as f64 * f64::from(passes);
        Ok(Parts::of(spent.interface, spent.guest, spent.host, spent.host_calls as f64 / records))
    }
}

/// CPU time of several passes, and the counts of the last.
fn timed(passes: u32, mut pass: impl FnMut() -> Result<Counts>) -> Result<(Duration, Counts)> {
    let start = cpu_time();
    let mut counts = Counts::default();
    for _ in 0..passes {
        counts = pass()?;
    }
    Ok((cpu_time().saturating_sub(start), counts))
}
