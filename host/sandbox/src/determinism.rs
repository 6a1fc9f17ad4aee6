//! The deterministic clock and random numbers of an operator.
//!
//! Unless a stage is granted the machine's, both follow from the batch: the clock shows
//! the newest timestamp of its records, and random numbers are a series seeded with
//! the batch's place in its partition. So a batch gives the same result on every
//! machine, whenever it is run, and when it is run again.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng, TryRng};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

use sandbar_record::Batch;

/// The deterministic time and seed of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallSeed {
    /// Since the epoch.
    time: Duration,
    seed: u64,
}

impl CallSeed {
    /// The time and seed of a batch. A batch without timestamps is of 1970, as is the call that
    /// configures an instance.
    pub fn of(batch: &Batch) -> Self {
        let newest = batch.timestamps.iter().copied().max().unwrap_or_default();
        let first = batch.offsets.first().copied().unwrap_or_default();
        CallSeed {
            time: Duration::from_millis(u64::try_from(newest).unwrap_or_default()),
            // Offsets stay below 2^48, so that partitions have series of their own.
            seed: first.cast_unsigned() ^ (u64::from(batch.partition.cast_unsigned()) << 48),
        }
    }
}

/// The clock of the stages that are granted one: the machine's, until a test sets it.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Nanoseconds since the epoch at which it stands; 0: it runs.
    set: Arc<AtomicU64>,
}

impl Clock {
    /// Since the epoch.
    pub fn now(&self) -> Duration {
        match self.set.load(Ordering::Relaxed) {
            0 => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            set => Duration::from_nanos(set),
        }
    }

    /// Makes it stand at a time since the epoch. It never goes back: an earlier time than
    /// it was set to before is without effect.
    pub fn set(&self, time: Duration) {
        self.set.fetch_max(nanoseconds(time).max(1), Ordering::Relaxed);
    }
}

/// Clock and random numbers of one instance. They are shared with the WASI context;
/// only one thread is ever inside.
#[derive(Default)]
pub(super) struct Determinism {
    /// Nanoseconds since the epoch.
    time: AtomicU64,
    seed: AtomicU64,
    /// The number of calls. Each restarts its random numbers.
    calls: AtomicU64,
    /// How often the monotonic clock was read.
    readings: AtomicU64,
}

impl Determinism {
    /// The next call takes place at `determinism`.
    pub(super) fn begin_call(&self, moment: CallSeed) {
        self.time.store(nanoseconds(moment.time), Ordering::Relaxed);
        self.seed.store(moment.seed, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives a WASI context its clock and random numbers: what is granted, or these.
    pub(super) fn put_into(
        self: &Arc<Self>,
        wasi: &mut WasiCtxBuilder,
        clock: Option<&Clock>,
        random: bool,
    ) {
        match clock {
            Some(clock) => {
                let (begun, clock) = (Instant::now(), clock.clone());
                wasi.wall_clock(GrantedClock { begun, clock: clock.clone() });
                wasi.monotonic_clock(GrantedClock { begun, clock });
            }
            None => {
                wasi.wall_clock(DeterministicClock(self.clone()));
                wasi.monotonic_clock(DeterministicClock(self.clone()));
            }
        }
        if !random {
            wasi.secure_random(SeededRng::new(self.clone(), 0));
            wasi.insecure_random(SeededRng::new(self.clone(), 1));
            wasi.insecure_random_seed(0);
        }
    }
}

/// The wall clock shows [`CallSeed::time`]. The monotonic clock is a microsecond later
/// at each reading, so that a guest that waits for it to advance is not held up.
struct DeterministicClock(Arc<Determinism>);

impl HostWallClock for DeterministicClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.time.load(Ordering::Relaxed))
    }
}

impl HostMonotonicClock for DeterministicClock {
    fn resolution(&self) -> u64 {
        1000
    }

    fn now(&self) -> u64 {
        self.0.readings.fetch_add(1, Ordering::Relaxed) * 1000
    }
}

/// A [`Clock`] as WASI takes it.
struct GrantedClock {
    begun: Instant,
    clock: Clock,
}

impl HostWallClock for GrantedClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }
}

impl HostMonotonicClock for GrantedClock {
    fn resolution(&self) -> u64 {
        1
    }

    /// From the instance's beginning, or, once the clock is set, from the epoch: later
    /// in any case.
    fn now(&self) -> u64 {
        match self.clock.set.load(Ordering::Relaxed) {
            0 => nanoseconds(self.begun.elapsed()),
            set => set,
        }
    }
}

/// A seeded rng that restarts with every call.
struct SeededRng {
    present: Arc<Determinism>,
    /// Distinguishes the series of one instance.
    series: u64,
    /// The call that `numbers` are of.
    call: u64,
    numbers: Xoshiro256PlusPlus,
}

impl SeededRng {
    fn new(present: Arc<Determinism>, series: u64) -> Self {
        SeededRng { present, series, call: 0, numbers: Xoshiro256PlusPlus::seed_from_u64(0) }
    }

    fn numbers(&mut self) -> &mut Xoshiro256PlusPlus {
        let call = self.present.calls.load(Ordering::Relaxed);
        if call != self.call {
            self.call = call;
            let seed = self.present.seed.load(Ordering::Relaxed);
            self.numbers = Xoshiro256PlusPlus::seed_from_u64(seed ^ (self.series << 63));
        }
        &mut self.numbers
    }
}

impl TryRng for SeededRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.numbers().next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.numbers().next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.numbers().fill_bytes(bytes);
        Ok(())
    }
}

/// Good until the year 2554.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
