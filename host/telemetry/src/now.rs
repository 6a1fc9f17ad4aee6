//! The current state of a runner, in contrast to its counters.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The source of a pipeline at one moment. Set by the thread that polls.
#[derive(Debug)]
pub struct Now {
    begun: Instant,
    /// Milliseconds after `begun` when Kafka was last polled; 0: not yet.
    polled: AtomicU64,
    /// Whether the consumer is a member of its group.
    joined: AtomicBool,
    partitions: AtomicU64,
    paused: AtomicBool,
    in_flight: AtomicU64,
    /// Workers that back off, since their calls fail.
    pub slowed: AtomicU64,
    /// The desired revision of the fleet, the one this runner serves, and whether the control
    /// topic is unreachable.
    pub fleet: FleetNow,
    lags: Mutex<Vec<Lag>>,
}

/// The state of a runner of a fleet; all 0 without a fleet.
#[derive(Debug, Default)]
pub struct FleetNow {
    /// The newest revision that the fleet desires.
    pub desired: AtomicU64,
    /// The one that this runner serves.
    pub serves: AtomicU64,
    /// Whether the control topic is away.
    pub away: AtomicBool,
}

/// The lag of a runner in one of its partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Records that it holds beyond what is delivered.
    pub records: u64,
}

impl Default for Now {
    fn default() -> Self {
        Now {
            begun: Instant::now(),
            polled: AtomicU64::new(0),
            joined: AtomicBool::new(false),
            partitions: AtomicU64::new(0),
            paused: AtomicBool::new(false),
            in_flight: AtomicU64::new(0),
            slowed: AtomicU64::new(0),
            fleet: FleetNow::default(),
            lags: Mutex::new(Vec::new()),
        }
    }
}

impl Now {
    /// Kafka is being polled.
    pub fn polled(&self) {
        let elapsed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.polled.store(elapsed.max(1), Ordering::Relaxed);
    }

    /// The group has given this runner so many partitions, none perhaps.
    pub fn assigned(&self, partitions: usize) {
        self.joined.store(true, Ordering::Relaxed);
        self.partitions.store(partitions as u64, Ordering::Relaxed);
    }

    /// Bytes in flight, and whether consuming is paused until they are fewer.
    pub fn in_flight(&self, bytes: u64, paused: bool) {
        self.in_flight.store(bytes, Ordering::Relaxed);
        self.paused.store(paused, Ordering::Relaxed);
    }

    /// The lag in each partition.
    pub fn lags(&self, lags: Vec<Lag>) {
        *self.lags.lock().unwrap_or_else(PoisonError::into_inner) = lags;
    }

    /// Whether the consumer is a member of its group.
    pub fn is_member(&self) -> bool {
        self.joined.load(Ordering::Relaxed)
    }

    /// How long ago Kafka was last polled; `None` if it has not been yet.
    pub fn since_poll(&self) -> Option<Duration> {
        let polled = self.polled.load(Ordering::Relaxed);
        (polled > 0).then(|| self.begun.elapsed().saturating_sub(Duration::from_millis(polled)))
    }

    /// A copy of it.
    pub fn snapshot(&self) -> Reading {
        let partitions = self.partitions.load(Ordering::Relaxed);
        let paused = self.paused.load(Ordering::Relaxed);
        Reading {
            partitions,
            paused: if paused { partitions } else { 0 },
            in_flight: self.in_flight.load(Ordering::Relaxed),
            slowed: self.slowed.load(Ordering::Relaxed),
            fleet_desired: self.fleet.desired.load(Ordering::Relaxed),
            fleet_serves: self.fleet.serves.load(Ordering::Relaxed),
            fleet_away: self.fleet.away.load(Ordering::Relaxed).into(),
            lags: self.lags.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// [`Now`], read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Partitions assigned to this runner.
    pub partitions: u64,
    /// How many of them are paused by back-pressure.
    pub paused: u64,
    /// Bytes that are consumed and not yet delivered.
    pub in_flight: u64,
    /// Workers that back off, since their calls fail.
    pub slowed: u64,
    /// The desired revision of the runner's fleet; 0: none.
    pub fleet_desired: u64,
    /// The revision of the fleet that the runner serves.
    pub fleet_serves: u64,
    /// 1 while the fleet's control topic is unreachable.
    pub fleet_away: u64,
    /// By partition, as far as it is known.
    pub lags: Vec<Lag>,
}
