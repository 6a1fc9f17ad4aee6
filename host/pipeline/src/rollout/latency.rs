//! A latency histogram: how long batches took, and quantiles of that.

use std::time::Duration;

/// Buckets for each doubling of the time: quantiles are at most an eighth too high.
const STEPS: usize = 8;

/// Counts of times in buckets of growing width.
pub(super) struct LatencyHistogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        LatencyHistogram { buckets: vec![0; 64 * STEPS], count: 0 }
    }
}

impl LatencyHistogram {
    /// Adds a time.
    pub(super) fn add(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanoseconds)] += 1;
        self.count += 1;
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The time that this fraction of them did not exceed; `None` if there are none.
    pub(super) fn quantile(&self, share: f64) -> Option<Duration> {
        let expected = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.buckets.iter().position(|count| {
            seen += count;
            seen >= expected
        });
        found.map(|bucket| Duration::from_nanos(end(bucket)))
    }
}

/// The bucket of a time: its power of two, and the three bits behind the first.
fn bucket(nanoseconds: u64) -> usize {
    let at_least = nanoseconds.max(STEPS as u64);
    let power = at_least.ilog2() as usize;
    let step = (at_least >> (power - 3)) as usize - STEPS;
    power * STEPS + step
}

/// The longest time of a bucket.
fn end(bucket: usize) -> u64 {
    let (power, step) = (bucket / STEPS, bucket % STEPS);
    let start = (STEPS + step + 1) as u128;
    u64::try_from((start << power) / STEPS as u128 - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_is_in_its_bucket(nanoseconds in STEPS as u64..u64::MAX) {
            let end = end(bucket(nanoseconds));
            prop_assert!(end >= nanoseconds);
            prop_assert!(end - nanoseconds <= nanoseconds / 8);
        }
    }

    #[test]
    fn shares_of_what_was_taken_in() {
        let mut times = LatencyHistogram::default();
        assert_eq!(times.quantile(0.99), None);
        (1..=1000).for_each(|it| times.add(Duration::from_micros(it)));
        let near = |share, expected: f64| {
            let seen = times.quantile(share).unwrap().as_secs_f64() * 1e6;
            assert!(seen >= expected && seen <= expected * 1.13, "{seen} for {expected}");
        };
        near(0.5, 500.0);
        near(0.99, 990.0);
        near(0.0, 1.0);
        near(1.0, 1000.0);
        times.add(Duration::ZERO);
        assert_eq!(times.count(), 1001);
    }
}
