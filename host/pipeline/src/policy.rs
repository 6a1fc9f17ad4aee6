//! What is done about failures: with the record, as the stage where it failed says; and with
//! a worker whose calls fail, the back-off.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::events::{WorkerRecovered, WorkerSlowed};
use sandbar_manifest::{Manifest, OnFailure, Order, Stage};
use sandbar_record::{Code, Failure, MemoryGate};
use sandbar_sandbox::CallError;
use sandbar_telemetry::Stats;

/// What is done about failures. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    stages: Arc<BTreeMap<String, StagePolicy>>,
    /// Whether records follow an earlier one of their key to the dead-letter topic.
    pub(crate) follow: bool,
    /// What the process may still begin.
    pub(crate) memory: MemoryGate,
}

/// What one stage does about its failures.
#[derive(Debug, Clone, Copy)]
struct StagePolicy {
    on_failure: OnFailure,
    retries: u32,
}

impl Policies {
    /// The policies of the manifest, in a process with so much memory.
    pub fn of(manifest: &Manifest, memory: &MemoryGate) -> Self {
        let policy =
            |stage: &Stage| StagePolicy { on_failure: stage.on_failure, retries: stage.retries };
        let stages = manifest.stages.iter();
        let stages = stages.map(|stage| (stage.name.clone(), policy(stage))).collect();
        let follow = manifest.dead_letter.order == Order::Key;
        Policies { stages: Arc::new(stages), follow, memory: memory.clone() }
    }

    /// What a stage does with records that fail in it. What is not a stage, such as the sink
    /// and references, makes dead letters.
    pub fn on_failure(&self, stage: &str) -> OnFailure {
        self.stages.get(stage).map(|policy| policy.on_failure).unwrap_or_default()
    }

    /// How long to wait before records, some of which failed like this, are processed again;
    /// `None`: no more attempts. `attempts` is how often they were processed.
    pub(crate) fn retry(&self, failures: &[Failure], attempts: u32) -> Option<Duration> {
        let may_pass = |failure: &Failure| {
            let policy = self.stages.get(&*failure.stage);
            failure.code == Code::Unavailable
                && policy.is_some_and(|policy| attempts <= policy.retries)
        };
        let pause = FIRST_RETRY * 4_u32.saturating_pow(attempts.saturating_sub(1));
        failures.iter().any(may_pass).then(|| pause.min(LONGEST_RETRY))
    }
}

/// How often a record is called again that was refused a computation for want of memory, though
/// there was enough when its call began.
pub(crate) const STARVED: u32 = 8;

/// The pause before such a call.
pub(crate) fn starved_pause(attempts: u32) -> Duration {
    (FIRST_RETRY * 2_u32.saturating_pow(attempts.saturating_sub(1))).min(LONGEST_RETRY)
}

/// The pause before a batch is retried after a transient failure.
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// The longest such pause.
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// Consecutive calls that may fail before a worker backs off. Less
/// than the records of a batch: a batch in which every record traps is that bad already.
const TOLERATED: u32 = 16;
/// The first pause.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The back-off of a worker. If its consecutive calls fail, it pauses before each
/// next one, so that it does not spend a whole core on making instances; one call that
/// succeeds ends that.
pub(crate) struct BackOff {
    stats: Arc<Stats>,
    failed: u32,
}

impl BackOff {
    pub(crate) fn new(stats: Arc<Stats>) -> Self {
        BackOff { stats, failed: 0 }
    }

    /// A call succeeded.
    pub(crate) fn succeeded(&mut self) {
        if self.is_slow() {
            WorkerRecovered.emit(&self.stats);
        }
        self.failed = 0;
    }

    /// A call failed. Returns how long to wait before the next.
    pub(crate) fn failed(&mut self, error: &CallError) -> Duration {
        let was_slow = self.is_slow();
        self.failed = self.failed.saturating_add(1);
        if !self.is_slow() {
            return Duration::ZERO;
        }
        if !was_slow {
            WorkerSlowed { error, calls: self.failed }.emit(&self.stats);
        }
        let doublings = (self.failed - TOLERATED - 1).min(16);
        (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
    }

    fn is_slow(&self) -> bool {
        self.failed > TOLERATED
    }
}

impl Drop for BackOff {
    fn drop(&mut self) {
        if self.is_slow() {
            self.stats.now.slowed.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandbar_sandbox::Blame;

    #[test]
    fn pauses_grow_to_a_limit_and_end_with_a_success() {
        let stats = Arc::new(Stats::default());
        let mut condition = BackOff::new(stats.clone());
        let error = CallError {
            stage: "s".into(),
            code: Code::Trap,
            message: "a trap".into(),
            blame: Blame::Records,
        };
        for _ in 0..TOLERATED {
            assert_eq!(condition.failed(&error), Duration::ZERO);
        }
        assert_eq!(stats.now.snapshot().slowed, 0);
        let pauses: Vec<Duration> = (0..100).map(|_| condition.failed(&error)).collect();
        assert_eq!(pauses[..3], [10, 20, 40].map(Duration::from_millis));
        assert_eq!(pauses[99], LONGEST_PAUSE);
        assert_eq!(stats.now.snapshot().slowed, 1);
        condition.succeeded();
        assert_eq!(stats.now.snapshot().slowed, 0);
        assert_eq!(condition.failed(&error), Duration::ZERO);
    }
}
