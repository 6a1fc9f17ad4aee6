//! How long the calls of a stage take.

use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;

/// The bounds of the histogram, in seconds.
const BOUNDS: [f64; 13] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

/// The durations of a stage's calls, one batch each, of all workers together. Cheap
/// to clone: clones share their data.
#[derive(Debug, Clone)]
pub struct CallTimes(Histogram);

impl Default for CallTimes {
    fn default() -> Self {
        CallTimes(Histogram::new(BOUNDS))
    }
}

impl CallTimes {
    /// Adds a call.
    pub fn add(&self, time: Duration) {
        self.0.observe(time.as_secs_f64());
    }

    /// The histogram, for whoever writes metrics.
    pub fn histogram(&self) -> &Histogram {
        &self.0
    }
}
