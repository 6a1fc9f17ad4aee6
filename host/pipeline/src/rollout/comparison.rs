//! The results of a candidate and of what serves, kept while both run. Workers take the
//! lock once for each batch.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::report::{RolloutReport, Side};
use super::rules::Verdict;
use super::spec::Rules;
use super::stages::{Agreements, Shapes};
use super::tally::{BatchResult, Tally};
use crate::outcome::{Outcome, PredictionSet};
use sandbar_record::Variant;
use sandbar_record::{Code, Failure};
use sandbar_telemetry::CallTimes;

/// Consecutive records for which a candidate's calls may fail. A candidate that
/// always fails is not waited for until it could be judged.
const HOPELESS: u64 = 32;

/// The results of both until now.
pub struct Comparison {
    rules: Rules,
    state: Mutex<State>,
    changed: Condvar,
    times: [CallTimes; 2],
}

struct State {
    sides: [Tally; 2],
    pairs: Agreements,
    left_out: u64,
    unwritten: u64,
    /// The consecutive records for which the candidate's calls failed.
    nothing: u64,
    /// What ended the last of them.
    cause: Option<(Code, String)>,
    verdict: Option<Verdict>,
    /// Set when the roll-out is over, so that nobody waits for a verdict.
    closed: bool,
}

impl fmt::Debug for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report().fmt(f)
    }
}

impl Comparison {
    /// A comparison of what these scorers predict.
    pub(crate) fn new(rules: Rules, serving: &Shapes, candidate: &Shapes) -> Self {
        let state = State {
            sides: Default::default(),
            pairs: Agreements::new(serving, candidate),
            left_out: 0,
            unwritten: 0,
            nothing: 0,
            cause: None,
            verdict: None,
            closed: false,
        };
        let (state, changed) = (Mutex::new(state), Condvar::new());
        Comparison { rules, state, changed, times: Default::default() }
    }

    /// Whether both say labels, which can agree.
    pub fn has_labels(&self) -> bool {
        self.lock().pairs.has_labels()
    }

    /// Adds the batch result of one of the two.
    pub(super) fn add(&self, variant: Variant, seen: &BatchResult<'_>) {
        self.times[variant as usize].add(seen.took);
        let mut state = self.lock();
        state.sides[variant as usize].add(seen);
        if let Some(predictions) = &seen.outcome.predictions {
            state.pairs.count(variant, predictions);
        }
        if variant == Variant::Candidate {
            state.despair(seen.outcome);
            self.judge(&mut state);
        }
    }

    /// Compares the predictions of both for the same batch, after [`Comparison::add`] for each.
    pub(super) fn compare(&self, serving: &PredictionSet, candidate: &PredictionSet) {
        let mut state = self.lock();
        state.pairs.compare(serving, candidate);
        self.judge(&mut state);
    }

    /// Counts records that a shadow did not see, since it is behind.
    pub(super) fn leave_out(&self, records: usize) {
        self.lock().left_out += records as u64;
    }

    /// Counts outputs of a shadow that were not delivered to its topic.
    pub(super) fn not_written(&self, answers: u64) {
        self.lock().unwritten += answers;
    }

    /// Says that the roll-out is over.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Whether it is over.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits for what the rules say; `None`: the roll-out is over before.
    pub(crate) fn await_verdict(&self) -> Option<Verdict> {
        let undecided = |state: &mut State| state.verdict.is_none() && !state.closed;
        let state = self.changed.wait_while(self.lock(), undecided);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        if state.closed { None } else { state.verdict.clone() }
    }

    /// All of it, as of now.
    pub fn report(&self) -> RolloutReport {
        let state = self.lock();
        let side = |variant: Variant| {
            let Tally { records, scored, failed, times } = &state.sides[variant as usize];
            let seconds = |share| times.quantile(share).map(|time| time.as_secs_f64());
            Side {
                records: *records,
                scored: *scored,
                failed: failed.iter().map(|(code, count)| (code.to_string(), *count)).collect(),
                batches: times.count(),
                p50: seconds(0.5),
                p99: seconds(0.99),
                ..Side::default()
            }
        };
        let mut report = RolloutReport {
            serving: side(Variant::Serving),
            candidate: side(Variant::Candidate),
            left_out: state.left_out,
            unwritten: state.unwritten,
            ..RolloutReport::default()
        };
        state.pairs.report(&mut report);
        report
    }

    /// How long the batches of one of the two took.
    pub(crate) fn call_times(&self, variant: Variant) -> &CallTimes {
        &self.times[variant as usize]
    }

    /// Applies the rules: their first verdict is final.
    fn judge(&self, state: &mut State) {
        if state.verdict.is_some() {
            return;
        }
        let hopeless = state.nothing >= HOPELESS;
        state.verdict = match &state.cause {
            Some((code, message)) if hopeless => Some(Verdict::Broken(format!(
                "the candidate's calls failed for {} consecutive records, the last: {code}: {message}",
                state.nothing
            ))),
            _ => {
                let candidate = &state.sides[Variant::Candidate as usize];
                self.rules.judge(candidate, state.pairs.compared(), state.pairs.agreement())
            }
        };
        if state.verdict.is_some() {
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts the consecutive records for which the candidate's calls fail.
    fn despair(&mut self, outcome: &Outcome) {
        let gave_nothing = |failure: &&Failure| {
            matches!(failure.code, Code::Trap | Code::Deadline | Code::Memory | Code::Contract)
        };
        let nothing = outcome.failures.iter().filter(gave_nothing).count();
        if outcome.count() > 0 || nothing < outcome.failures.len() {
            self.nothing = 0;
        } else if let Some(last) = outcome.failures.iter().rfind(gave_nothing) {
            self.nothing += nothing as u64;
            self.cause = Some((last.code, last.message.clone()));
        }
    }
}
