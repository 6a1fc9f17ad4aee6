//! CPU time and pinning, which with the medians of `sandbar::bench` keep other work on the
//! machine out of the figures, as far as possible.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
pub use sandbar::bench::Samples;

/// CPU time of the calling thread so far, without the time of other threads on the core.
///
/// # Errors
/// If the system has no such clock.
pub fn thread_cpu() -> Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(Duration::from(time))
}

/// CPU time of this process so far, all threads together.
///
/// # Errors
/// If the system has no such clock.
pub fn process_cpu() -> Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    Ok(Duration::from(time))
}

/// Until it is dropped, the calling thread, and the processes and threads that it
/// starts, run on one core.
pub struct Pinned {
    before: CpuSet,
}

impl Pinned {
    /// Pins to the last core that we may use: interrupts tend to go to the first.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn to_one_core() -> Result<Pinned> {
        let this = Pid::from_raw(0);
        let before = sched_getaffinity(this).context("cannot read the CPU affinity")?;
        let last = (0..CpuSet::count()).rfind(|core| before.is_set(*core).unwrap_or(false));
        let mut one = CpuSet::new();
        one.set(last.unwrap_or(0)).context("cannot select a core")?;
        sched_setaffinity(this, &one).context("cannot pin to a core")?;
        Ok(Pinned { before })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // It affects only the figures that follow.
        if let Err(error) = sched_setaffinity(Pid::from_raw(0), &self.before) {
            eprintln!("cannot unpin: {error}; all that follows is measured on one core");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pinned;

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
