//! The fleet state: what the control topic says of one fleet, as far as it was read.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::record::{Entry, FleetChange, RunnerReport};

/// A runner without a report for so long counts as lost.
pub const LOST: Duration = Duration::from_secs(20);
/// A runner that was lost for so long is no longer listed.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);
/// Changes that are kept; older ones are removed from the topic with the next change.
pub(super) const KEPT: u64 = 100;
/// Runners that are remembered at once.
const MOST_RUNNERS: usize = 10_000;

/// The fleet state.
#[derive(Debug, Default)]
pub(super) struct FleetState {
    changes: BTreeMap<u64, Result<Box<FleetChange>, String>>,
    runners: BTreeMap<String, Seen>,
}

/// A runner's last report.
#[derive(Debug)]
struct Seen {
    report: Box<RunnerReport>,
    /// When it was read here. No two clocks are compared: a runner whose clock is wrong is
    /// not lost for that.
    heard: Instant,
}

/// The status of a runner, compared with the desired version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunnerStatus {
    /// It serves the desired version.
    Serving,
    /// Not yet.
    Behind,
    /// It could not switch to it.
    Refused,
    /// There was no report of it for [`LOST`].
    Lost,
}

impl FleetState {
    /// Adds what was read; `live`: it was written while this runner reads. Returns whether
    /// the newest change is another now.
    pub(super) fn take(&mut self, entry: Entry, live: bool) -> bool {
        match entry {
            Entry::Change(number, change) => {
                // The same change again, after a reader restarted, is nothing new.
                let changed = self.changes.get(&number) != Some(&change);
                self.changes.insert(number, change);
                while self.changes.len() as u64 > 2 * KEPT {
                    self.changes.pop_first();
                }
                changed && self.last() == number
            }
            Entry::Forgotten(number) => {
                // The last change counts; it is removed only by mistake.
                if number < self.last() {
                    self.changes.remove(&number);
                }
                false
            }
            Entry::Report(runner, report) => {
                let age = SystemTime::now().duration_since(report.at).unwrap_or_default();
                let now = Instant::now();
                // What was written before this runner started is dated by the clocks: until the
                // next one comes, a few seconds later, there is nothing better.
                let heard = if live { Some(now) } else { now.checked_sub(age) };
                let Some(heard) = heard else { return false };
                let known = self.runners.contains_key(&runner);
                if known || self.runners.len() < MOST_RUNNERS {
                    self.runners.insert(runner, Seen { report, heard });
                }
                false
            }
            Entry::Gone(runner) => {
                self.runners.remove(&runner);
                false
            }
            Entry::Other => false,
            Entry::Garbage(reason) => {
                tracing::debug!(error = %reason, "control topic: record is not readable, it is ignored");
                false
            }
        }
    }

    /// The number of the newest change; 0: there is none.
    pub(super) fn last(&self) -> u64 {
        self.changes.last_key_value().map_or(0, |(number, _)| *number)
    }

    /// The newest change, if there is one and it can be read.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn desired(&self) -> Result<Option<&FleetChange>, String> {
        match self.changes.last_key_value() {
            None => Ok(None),
            Some((_, Ok(change))) => Ok(Some(change)),
            Some((number, Err(reason))) => Err(format!("change {number}: {reason}")),
        }
    }

    /// A change by its number, if it is kept.
    pub(super) fn change(&self, number: u64) -> Option<&FleetChange> {
        self.changes.get(&number).and_then(|change| change.as_deref().ok())
    }

    /// All changes that are kept, the newest first.
    pub(super) fn history(&self) -> impl Iterator<Item = &FleetChange> {
        self.changes.values().rev().filter_map(|change| change.as_deref().ok())
    }

    /// The numbers that are kept.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.changes.keys().copied()
    }

    /// How long ago a runner was last heard of.
    pub(super) fn silence(&self, runner: &str) -> Option<Duration> {
        self.runners.get(runner).map(|seen| seen.heard.elapsed())
    }

    /// The runners, each with its status and the age of its last report.
    pub(super) fn runners(&mut self) -> Vec<(String, RunnerStatus, Duration, RunnerReport)> {
        self.runners.retain(|_, seen| seen.heard.elapsed() < FORGOTTEN);
        let desired = self.last();
        let each = self.runners.iter().map(|(runner, Seen { report, heard })| {
            let silence = heard.elapsed();
            let refused = report.refused.as_ref().is_some_and(|it| it.revision == desired);
            let standing = match report.serves {
                _ if silence > LOST => RunnerStatus::Lost,
                // The manifest may name the desired version, but the runner has not started yet.
                serves if serves == desired && report.since.is_some() => RunnerStatus::Serving,
                _ if refused => RunnerStatus::Refused,
                _ => RunnerStatus::Behind,
            };
            (runner.clone(), standing, silence, (**report).clone())
        });
        each.collect()
    }
}
