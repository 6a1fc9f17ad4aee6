//! CPU time, pinning, and medians: what keeps other work on the machine out of the
//! figures, as far as that can be done.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

/// CPU time of the calling thread so far. Time that others had the core does not count.
///
/// # Errors
/// Where the system has no such clock.
pub fn thread_cpu() -> Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(Duration::from(time))
}

/// CPU time of this process so far, all threads together.
///
/// # Errors
/// Where the system has no such clock.
pub fn process_cpu() -> Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    Ok(Duration::from(time))
}

/// As long as it lives, the calling thread, and the processes and threads that it
/// starts, run on one core.
pub struct Pinned {
    before: CpuSet,
}

impl Pinned {
    /// Pins to the last core that we may use: interrupts tend to go to the first.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn to_one_core() -> Result<Pinned> {
        let this = Pid::from_raw(0);
        let before = sched_getaffinity(this).context("cannot ask for the cores")?;
        let last = (0..CpuSet::count()).rfind(|core| before.is_set(*core).unwrap_or(false));
        let mut one = CpuSet::new();
        one.set(last.unwrap_or(0)).context("cannot name a core")?;
        sched_setaffinity(this, &one).context("cannot pin to a core")?;
        Ok(Pinned { before })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // Nothing depends on it but the figures that follow.
        if let Err(error) = sched_setaffinity(Pid::from_raw(0), &self.before) {
            eprintln!("cannot unpin: {error}; what follows is measured on one core");
        }
    }
}

/// One figure, measured again and again.
#[derive(Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds a measurement.
    pub fn push(&mut self, sample: f64) {
        self.0.push(sample);
    }

    /// The middle one: a few disturbed rounds do not move it. NaN without any.
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        match sorted.len() {
            0 => f64::NAN,
            count if count % 2 == 1 => sorted[count / 2],
            count => (sorted[count / 2 - 1] + sorted[count / 2]) / 2.0,
        }
    }

    /// The lowest: of times, that of the least disturbed round. NaN without any.
    pub fn lowest(&self) -> f64 {
        self.sorted().first().copied().unwrap_or(f64::NAN)
    }

    /// The quarter points, between which half of the samples are. NaN without any.
    pub fn quartiles(&self) -> (f64, f64) {
        let sorted = self.sorted();
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        (at(last / 4), at(last - last / 4))
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::{Pinned, Samples};

    #[test]
    fn the_median_is_in_the_middle() {
        let mut samples = Samples::default();
        assert!(samples.median().is_nan());
        [3.0, 1.0, 100.0].into_iter().for_each(|sample| samples.push(sample));
        assert_eq!(samples.median(), 3.0);
        samples.push(4.0);
        assert_eq!(samples.median(), 3.5);
        assert_eq!(samples.lowest(), 1.0);
        samples.push(5.0);
        assert_eq!(samples.quartiles(), (3.0, 5.0));
    }

    #[test]
    fn a_pin_ends() -> anyhow::Result<()> {
        let cores = || std::thread::available_parallelism().map(usize::from);
        let before = cores()?;
        let pinned = Pinned::to_one_core()?;
        assert_eq!(cores()?, 1);
        drop(pinned);
        assert_eq!(cores()?, before);
        Ok(())
    }
}
