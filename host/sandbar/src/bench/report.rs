//! The report on one operator.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::samples::{Figure, Samples};
use sandbar_sandbox::{Operator, World};

/// The figures of one stage. Times are nanoseconds of CPU time a record.
#[derive(Debug, Clone, Serialize)]
pub struct BenchReport {
    /// The stage's name.
    pub stage: String,
    /// The component's world.
    pub world: World,
    /// The component's file.
    pub component: PathBuf,
    /// Records, or rows for a scorer, of one pass.
    pub records: usize,
    /// Calls of one pass: batches.
    pub calls: usize,
    /// Rows, predictions, or emitted records of a pass.
    pub outputs: u64,
    /// Records or rows that fail in a pass.
    pub failures: u64,
    /// Rounds of which the medians are taken.
    pub rounds: usize,
    /// Passes of one round, on each side.
    pub passes: u32,
    /// In the sandbox, as in a runner.
    pub sandbox: Figure,
    /// Records per second and core, computed from `sandbox`.
    pub records_per_second: f64,
    /// The parts of `sandbox`.
    pub parts: Parts,
    /// In the sandbox, without deadlines and limits of memory.
    pub limits_off: Figure,
    /// `sandbox / limits_off`, the median of the rounds' ratios.
    pub cost_of_limits: f64,
    /// The native build; `None` if not requested.
    pub native: Option<Figure>,
    /// `sandbox / native`, the median of the rounds' ratios.
    pub cost_of_sandbox: Option<f64>,
}

/// Parts of a time, and how often the host is called.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Parts {
    /// Copying and checking what crosses the boundary.
    pub interface: f64,
    /// The operator's own code.
    pub guest: f64,
    /// Functions that the operator calls: models, inference, log, WASI.
    pub host_calls: f64,
    /// How many of these calls there are for one record.
    pub host_calls_per_record: f64,
}

impl Parts {
    /// Shares of the whole.
    pub(super) fn of(interface: Duration, guest: Duration, host: Duration, calls: f64) -> Self {
        let whole = (interface + guest + host).as_secs_f64();
        let share = |part: Duration| if whole > 0.0 { part.as_secs_f64() / whole } else { 0.0 };
        Parts {
            interface: share(interface),
            guest: share(guest),
            host_calls: share(host),
            host_calls_per_record: calls,
        }
    }
}

/// The measurements, round by round.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    limited: Samples,
    unlimited: Samples,
    native: Samples,
    cost_of_limits: Samples,
    cost_of_sandbox: Samples,
    interface: Samples,
    guest: Samples,
    host_calls: Samples,
    host_calls_per_record: Samples,
    rounds: usize,
}

impl Rounds {
    pub(super) fn len(&self) -> usize {
        self.rounds
    }

    pub(super) fn push(&mut self, limited: f64, unlimited: f64, native: Option<f64>, parts: Parts) {
        self.rounds += 1;
        self.limited.push(limited);
        self.unlimited.push(unlimited);
        self.cost_of_limits.push(limited / unlimited);
        if let Some(native) = native {
            self.native.push(native);
            self.cost_of_sandbox.push(limited / native);
        }
        self.interface.push(parts.interface);
        self.guest.push(parts.guest);
        self.host_calls.push(parts.host_calls);
        self.host_calls_per_record.push(parts.host_calls_per_record);
    }
}

impl BenchReport {
    pub(super) fn new(
        operator: &Operator,
        (records, calls): (usize, usize),
        (outputs, failures): (u64, u64),
        passes: u32,
        rounds: &Rounds,
    ) -> Self {
        let sandbox = rounds.limited.figure();
        let has_native = rounds.cost_of_sandbox.median().is_finite();
        // Shares are of wall-clock time, which includes other work on the core.
        let part = |shares: &Samples| shares.median() * sandbox.median;
        BenchReport {
            stage: operator.stage.to_string(),
            world: operator.component.world(),
            component: operator.component.path().to_owned(),
            records,
            calls,
            outputs,
            failures,
            rounds: rounds.len(),
            passes,
            sandbox,
            records_per_second: 1e9 / sandbox.median,
            parts: Parts {
                interface: part(&rounds.interface),
                guest: part(&rounds.guest),
                host_calls: part(&rounds.host_calls),
                host_calls_per_record: rounds.host_calls_per_record.median(),
            },
            limits_off: rounds.unlimited.figure(),
            cost_of_limits: rounds.cost_of_limits.median(),
            native: has_native.then(|| rounds.native.figure()),
            cost_of_sandbox: has_native.then(|| rounds.cost_of_sandbox.median()),
        }
    }
}

impl fmt::Display for BenchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BenchReport { stage, world, records, calls, rounds, passes, sandbox, parts, .. } = self;
        writeln!(f, "{stage} ({world})")?;
        let what = if *world == World::Scorer { "rows" } else { "records" };
        write!(f, "  {records} {what} in {calls} calls")?;
        if self.failures > 0 {
            write!(f, ", {} of them fail", self.failures)?;
        }
        writeln!(f, "; median of {rounds} rounds of {passes} passes each")?;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, time: f64, note: String| {
            writeln!(f, "  {name:<16} {:>12}  {note}", nanoseconds(time))
        };
        let rate = count(self.records_per_second);
        let spread = |figure: &Figure| {
            format!(
                "half of the rounds {} to {}",
                nanoseconds(figure.low),
                nanoseconds(figure.high)
            )
        };
        line(f, "in the sandbox", sandbox.median, format!("{rate} a second; {}", spread(sandbox)))?;
        let share = |part: f64| format!("{:.1} %", 100.0 * part / sandbox.median);
        line(f, "  interface", parts.interface, share(parts.interface))?;
        line(f, "  guest", parts.guest, share(parts.guest))?;
        let calls = parts.host_calls_per_record;
        let host = format!("{}, {calls:.3} calls a record", share(parts.host_calls));
        line(f, "  host calls", parts.host_calls, host)?;
        let cost = 100.0 * (self.cost_of_limits - 1.0);
        let off = format!("limits cost {cost:.1} %; {}", spread(&self.limits_off));
        line(f, "limits off", self.limits_off.median, off)?;
        if let (Some(native), Some(cost)) = (&self.native, self.cost_of_sandbox) {
            let note = format!("the sandbox takes {cost:.2} times as long; {}", spread(native));
            line(f, "native", native.median, note)?;
        }
        Ok(())
    }
}

/// A time in a suitable unit.
fn nanoseconds(time: f64) -> String {
    match time {
        time if time < 1e4 => format!("{time:.1} ns"),
        time if time < 1e7 => format!("{:.1} us", time / 1e3),
        time => format!("{:.1} ms", time / 1e6),
    }
}

/// A number in a suitable unit.
fn count(number: f64) -> String {
    match number {
        number if number < 1e3 => format!("{number:.1}"),
        number if number < 1e6 => format!("{:.1} thousand", number / 1e3),
        number => format!("{:.2} million", number / 1e6),
    }
}
