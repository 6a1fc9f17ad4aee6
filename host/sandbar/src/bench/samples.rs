//! Medians and spreads, which keep other work on the machine out of the figures, as far
//! as possible.

use serde::Serialize;

/// One figure, measured repeatedly.
#[derive(Debug, Clone, Default)]
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

    /// The median and what surrounds it.
    pub fn figure(&self) -> Figure {
        let (low, high) = self.quartiles();
        Figure { median: self.median(), low, high, fastest: self.lowest() }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }
}

/// A median with its spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// The median of the rounds.
    pub median: f64,
    /// The lower quarter point.
    pub low: f64,
    /// The upper quarter point.
    pub high: f64,
    /// The least disturbed round.
    pub fastest: f64,
}

#[cfg(test)]
mod tests {
    use super::Samples;

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
        assert_eq!(samples.figure().median, 4.0);
    }
}
