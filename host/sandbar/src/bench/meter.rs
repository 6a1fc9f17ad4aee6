//! Where the time of calls goes: to the boundary, the guest, or the guest's host calls.
//!
//! wasmtime reports every crossing between host and guest. Between two of them, all
//! time belongs to one side:
//!
//! - The **guest** is the one function that does the work.
//! - **Host calls** are the functions that the guest calls: models, inference, log, WASI;
//!   including the passing of their arguments and results.
//! - The **interface** is the rest of the call: the host that copies columns in and out
//!   and checks what came back, and the short visits to the guest for it, which take
//!   memory for the arguments before the work and release the results after it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sandbar_sandbox::Crossing;

/// A clock that gets all crossings. Cheap to clone; all clones share one clock.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter(Arc<Mutex<Clock>>);

#[derive(Debug, Default)]
struct Clock {
    /// Since when the current side has the time; `None` outside of a call.
    since: Option<Instant>,
    /// The nested sides that are active, the innermost last. Empty: the interface.
    inside: Vec<Side>,
    /// How often the host entered the guest in this call.
    entries: usize,
    interface: Span,
    host: Span,
    /// The visits to the guest by their index in the call: one of them is the work.
    guest: Vec<Span>,
    host_calls: u64,
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Host,
    Guest(usize),
}

/// A time, and the number of its intervals.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    time: Duration,
    stretches: u32,
}

/// Where the time of the calls went since the meter was read last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spent {
    pub(super) interface: Duration,
    pub(super) guest: Duration,
    pub(super) host: Duration,
    pub(super) host_calls: u64,
}

impl Meter {
    /// A call begins.
    pub(super) fn begin(&self) {
        let mut clock = self.lock();
        clock.inside.clear();
        clock.entries = 0;
        clock.since = Some(Instant::now());
    }

    /// The guest is entered or left.
    pub(super) fn cross(&self, crossing: Crossing) {
        let mut clock = self.lock();
        clock.charge();
        match crossing {
            Crossing::CallingWasm => {
                // Guest code that runs for a host call counts as part of it.
                let side = match clock.inside.last() {
                    Some(_) => Side::Host,
                    None => Side::Guest(clock.entries),
                };
                clock.entries += usize::from(clock.inside.is_empty());
                clock.inside.push(side);
            }
            Crossing::CallingHost => {
                clock.host_calls += 1;
                clock.inside.push(Side::Host);
            }
            Crossing::ReturningFromWasm | Crossing::ReturningFromHost => {
                clock.inside.pop();
            }
        }
    }

    /// A call ends.
    pub(super) fn end(&self) {
        let mut clock = self.lock();
        clock.charge();
        clock.since = None;
    }

    /// Reads and resets the meter. `reading` is the overhead of measuring one interval
    /// ([`cost_of_reading`]).
    pub(super) fn take(&self, reading: Duration) -> Spent {
        let clock = std::mem::take(&mut *self.lock());
        let net = |span: Span| span.time.saturating_sub(reading * span.stretches);
        let visits: Vec<Duration> = clock.guest.iter().copied().map(net).collect();
        let guest = visits.iter().max().copied().unwrap_or_default();
        let others = visits.iter().sum::<Duration>().saturating_sub(guest);
        Spent {
            interface: net(clock.interface) + others,
            guest,
            host: net(clock.host),
            host_calls: clock.host_calls,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Clock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock {
    /// Charges the elapsed time to the active side.
    fn charge(&mut self) {
        let now = Instant::now();
        let Some(since) = self.since.replace(now) else { return };
        let span = match self.inside.last() {
            None => &mut self.interface,
            Some(Side::Host) => &mut self.host,
            Some(Side::Guest(visit)) => {
                if self.guest.len() <= *visit {
                    self.guest.resize(*visit + 1, Span::default());
                }
                &mut self.guest[*visit]
            }
        };
        span.time += now - since;
        span.stretches += 1;
    }
}

/// The overhead of measuring one interval.
pub(super) fn cost_of_reading() -> Duration {
    const TIMES: u32 = 10_000;
    let meter = Meter::default();
    meter.begin();
    let start = Instant::now();
    for _ in 0..TIMES / 2 {
        meter.cross(Crossing::CallingHost);
        meter.cross(Crossing::ReturningFromHost);
    }
    start.elapsed() / TIMES
}

#[cfg(test)]
mod tests {
    use super::*;
    use Crossing::{CallingHost, CallingWasm, ReturningFromHost, ReturningFromWasm};

    fn work(time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn each_side_gets_its_time() {
        const STEP: Duration = Duration::from_millis(1);
        let meter = Meter::default();
        for _ in 0..3 {
            meter.begin();
            // Memory for the arguments.
            meter.cross(CallingWasm);
            work(STEP);
            meter.cross(ReturningFromWasm);
            work(STEP);
            meter.cross(CallingWasm);
            work(20 * STEP);
            meter.cross(CallingHost);
            work(2 * STEP);
            // The host needs memory for its result.
            meter.cross(CallingWasm);
            work(2 * STEP);
            meter.cross(ReturningFromWasm);
            meter.cross(ReturningFromHost);
            meter.cross(ReturningFromWasm);
            work(STEP);
            meter.end();
            // Time outside of a call.
            work(5 * STEP);
        }
        let spent = meter.take(Duration::ZERO);
        assert_eq!(spent.host_calls, 3);
        // Other work on the machine may delay any step, so only lower bounds are checked.
        assert!(spent.interface >= 9 * STEP, "{spent:?}");
        assert!(spent.guest >= 60 * STEP, "{spent:?}");
        assert!(spent.host >= 12 * STEP, "{spent:?}");
        assert_eq!(meter.take(Duration::ZERO).guest, Duration::ZERO);
    }
}
