//! How evenly outputs come, and what memory that takes: figures for a person, not for a test
//! to insist on.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sandbar::telemetry::resident_bytes;

use crate::runner::Runner;

/// Between two looks.
const LOOK: Duration = Duration::from_micros(500);

/// The longest times without an output, and the most memory of this process.
#[derive(Debug, Default)]
pub struct Gaps {
    /// While nothing was swapped.
    pub quiet: Duration,
    /// While something was.
    pub swapping: Duration,
    /// Bytes before the first swap.
    pub before: u64,
    /// Bytes at the most during swaps.
    pub during: u64,
    /// Bytes at the end.
    pub after: u64,
}

impl Gaps {
    /// Looks at a runner's counter of outputs until `done`; `swapping` says when.
    pub fn of(runner: &Runner, swapping: &AtomicBool, done: &AtomicBool) -> Self {
        let mut gaps = Gaps { before: resident_bytes().unwrap_or_default(), ..Gaps::default() };
        let (mut outputs, mut last, mut touched) = (0, Instant::now(), false);
        while !done.load(Ordering::Relaxed) {
            let swaps = swapping.load(Ordering::Relaxed);
            touched |= swaps;
            let now = runner.stats().outputs;
            if now != outputs {
                // The way to the first output is no gap.
                let gap = if outputs == 0 { Duration::ZERO } else { last.elapsed() };
                let longest = if touched { &mut gaps.swapping } else { &mut gaps.quiet };
                *longest = gap.max(*longest);
                (outputs, last, touched) = (now, Instant::now(), swaps);
            }
            if swaps {
                gaps.during = gaps.during.max(resident_bytes().unwrap_or_default());
            }
            std::thread::park_timeout(LOOK);
        }
        gaps.after = resident_bytes().unwrap_or_default();
        gaps
    }
}

impl fmt::Display for Gaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Gaps { quiet, swapping, before, during, after } = self;
        let mebibytes = [before, during, after].map(|bytes| bytes >> 20);
        write!(
            f,
            "the longest gap between outputs {quiet:.1?}, around swaps {swapping:.1?}; MiB of \
             the test's process before, during and after swaps: {mebibytes:?}"
        )
    }
}
