//! Starts and ends roll-outs of what runs.

use std::sync::Arc;
use std::time::SystemTime;

use sandbar_record::{BestEffort, OutputHeaders};

use super::turn::Turn;
use super::{Deployment, Prepared, State, lock};
use crate::chain_runner::ChainRunner;
use crate::hot_swap::StageSet;
use crate::outcome::Outcome;
use crate::policy::Policies;
use crate::revision::Validation;
use crate::rollout::events::{RolloutEnded, RolloutRefused, RolloutStarted};
use crate::rollout::{
    Candidate, Comparison, End, Ended, Mode, Role, Rollout, RolloutSpec, RolloutSpecError, Split,
    Verdict, shadow,
};
use crate::swap::{Swap, SwapError, SwapSpec};

/// Receives the verdict of the rules, and carries it out.
pub type Judge = Box<dyn FnOnce(Verdict) + Send>;

/// A candidate that is fit to run beside what serves.
struct Fitted {
    prepared: Prepared,
    comparison: Arc<Comparison>,
    best_effort: Option<Box<dyn BestEffort>>,
}

impl Deployment {
    /// The roll-out that ended last, if one has.
    pub fn last_rollout(&self) -> Option<Ended> {
        lock(&self.rollouts).last.clone()
    }

    /// Starts a dual run of other models and components, once they are validated and known to
    /// work. Returns when every worker uses them.
    ///
    /// # Errors
    /// If they cannot be used, the terms contradict themselves, another roll-out is under
    /// way, or the pipeline does not run.
    pub fn start_rollout(
        self: &Arc<Self>,
        change: &SwapSpec,
        spec: &RolloutSpec,
    ) -> Result<Rollout, SwapError> {
        self.start(change, spec, None)
    }

    /// The same, with `judge` to end it if the rules say so. A candidate that breaks a rule is
    /// dropped in any case, before `judge` is called.
    ///
    /// # Errors
    /// As [`Deployment::start_rollout`].
    pub fn start_judged_rollout(
        self: &Arc<Self>,
        change: &SwapSpec,
        spec: &RolloutSpec,
        judge: Judge,
    ) -> Result<Rollout, SwapError> {
        self.start(change, spec, Some(judge))
    }

    /// Validates a candidate as [`Deployment::start_rollout`] does, and changes nothing.
    ///
    /// # Errors
    /// As [`Deployment::start_rollout`], which would fail then.
    pub fn validate_rollout(
        &self,
        change: &SwapSpec,
        spec: &RolloutSpec,
    ) -> Result<Validation, SwapError> {
        let turn = self.turns.take("validation")?;
        Ok(self.fit(&turn, change, spec)?.prepared.validation())
    }

    fn start(
        self: &Arc<Self>,
        change: &SwapSpec,
        spec: &RolloutSpec,
        judge: Option<Judge>,
    ) -> Result<Rollout, SwapError> {
        let result = self
            .turns
            .take("roll-out")
            .and_then(|mut turn| self.begin(&mut turn, change, spec, judge));
        match &result {
            Ok(rollout) => RolloutStarted { rollout }.emit(&self.stats),
            Err(error) => RolloutRefused { error }.emit(&self.stats),
        }
        result
    }

    /// Promotes the candidate, as a swap.
    ///
    /// # Errors
    /// If no roll-out is under way, or another revision serves than `revision`.
    pub fn promote_rollout(
        &self,
        revision: Option<u64>,
        reason: String,
    ) -> Result<Swap, SwapError> {
        let result = self.turns.take("promotion").and_then(|mut turn| {
            self.check_revision(revision)?;
            self.promote(&mut turn.state, reason)
        });
        self.refused(result)
    }

    /// Drops the candidate; the serving revision stays.
    ///
    /// # Errors
    /// As [`Deployment::promote_rollout`].
    pub fn abort_rollout(&self, revision: Option<u64>, reason: String) -> Result<Ended, SwapError> {
        let result = self.turns.take("abort").and_then(|mut turn| {
            self.check_revision(revision)?;
            self.discard(&mut turn.state, End::Aborted, reason)
        });
        self.refused(result)
    }

    fn refused<T>(&self, result: Result<T, SwapError>) -> Result<T, SwapError> {
        if let Err(error) = &result {
            RolloutRefused { error }.emit(&self.stats);
        }
        result
    }

    fn begin(
        self: &Arc<Self>,
        turn: &mut Turn<'_, State>,
        change: &SwapSpec,
        spec: &RolloutSpec,
        judge: Option<Judge>,
    ) -> Result<Rollout, SwapError> {
        let Fitted { mut prepared, comparison, best_effort } = self.fit(turn, change, spec)?;
        // What a shadow answers is written nowhere but in a topic of its own.
        if spec.mode != Mode::Shadow || best_effort.is_some() {
            prepared.plan.register_schemas(&prepared.state.definition)?;
        }
        let stage_sets = self.candidates(spec, &prepared, &comparison, best_effort)?;
        self.watch(&comparison, judge)?;

        let candidate = prepared.revision(self.revision().number);
        let (samples, trial) = (prepared.plan.samples(), prepared.trial);
        let rollout = Rollout { spec: spec.clone(), candidate, samples, trial, comparison };
        if self.hot_swap.switch(stage_sets).is_err() {
            rollout.comparison.close();
            return Err(SwapError::NotRunning);
        }
        turn.state.candidate = Some(Box::new(prepared));
        lock(&self.rollouts).current = Some(rollout.clone());
        Ok(rollout)
    }

    /// Loads and validates a candidate, and fits it to the serving stages.
    fn fit(
        &self,
        turn: &Turn<'_, State>,
        change: &SwapSpec,
        spec: &RolloutSpec,
    ) -> Result<Fitted, SwapError> {
        spec.validate()?;
        self.check(change.revision)?;
        let serving = self.plan();
        let best_effort =
            spec.topic.as_deref().map(|topic| self.best_effort(serving.labels(), topic));
        let best_effort = best_effort.transpose()?;
        let prepared = self.prepare_change(turn, change)?;
        let (output, beside) = (serving.shapes(), prepared.plan.shapes());
        let comparison = Arc::new(Comparison::new(spec.rules.clone(), output, beside));
        if spec.rules.min_agreement.is_some() && !comparison.has_labels() {
            return Err(RolloutSpecError::NoLabels { what: "these predictions have none" }.into());
        }
        Ok(Fitted { prepared, comparison, best_effort })
    }

    /// A best-effort sink for a shadow's answers, if the pipeline has nothing to do with their
    /// topic.
    fn best_effort(
        &self,
        labels: OutputHeaders,
        topic: &str,
    ) -> Result<Box<dyn BestEffort>, SwapError> {
        let own = |uses| RolloutSpecError::OwnTopic { uses, topic: topic.to_owned() };
        if self.manifest.written().any(|written| written == topic) {
            return Err(own("writes").into());
        }
        if self.manifest.reads(topic) {
            return Err(own("reads").into());
        }
        // Whoever asks too early asks again.
        let open = self.best_effort.get().ok_or(SwapError::NotRunning)?;
        let error = |reason| RolloutSpecError::Topic { topic: topic.to_owned(), reason };
        open(topic, labels).map_err(|reason| error(reason).into())
    }

    /// A candidate for each worker.
    fn candidates(
        &self,
        spec: &RolloutSpec,
        prepared: &Prepared,
        comparison: &Arc<Comparison>,
        best_effort: Option<Box<dyn BestEffort>>,
    ) -> Result<Vec<StageSet>, SwapError> {
        // A shadow is not part of the stream: neither are its failures, nor
        // its counts.
        let unseen = || -> Result<ChainRunner, SwapError> {
            let (chain, policies) = (prepared.plan.chain()?, Policies::default());
            Ok(ChainRunner::new(chain, policies, Arc::default(), Outcome::keeping(true)))
        };
        let queue = match spec.mode {
            Mode::Shadow => Some(shadow::start(unseen()?, comparison.clone(), best_effort)?),
            Mode::Canary | Mode::Ab => None,
        };
        let role = || -> Result<Role, SwapError> {
            Ok(match (&queue, spec.weight) {
                (Some(queue), _) => Role::Shadow(queue.clone()),
                (None, Some(weight)) => {
                    let (chain, plan) = (prepared.plan.chain()?, &prepared.plan);
                    let outcome = Outcome::keeping(true);
                    let side =
                        ChainRunner::new(chain, plan.policies(), self.stats.clone(), outcome);
                    let split = Split::new(weight, spec.by.clone().unwrap_or_default());
                    Role::Canary(Box::new(side), split)
                }
                (None, None) => Role::Ab(Box::new(unseen()?)),
            })
        };
        let stage_set = |_| -> Result<StageSet, SwapError> {
            let candidate = Candidate { comparison: comparison.clone(), role: role()? };
            Ok(StageSet { serving: None, candidate: Some(Box::new(candidate)) })
        };
        (0..self.hot_swap.workers()).map(stage_set).collect()
    }

    /// Waits, on a thread of its own, for the verdict of the rules and carries it out, or has that
    /// done.
    fn watch(
        self: &Arc<Self>,
        comparison: &Arc<Comparison>,
        judge: Option<Judge>,
    ) -> Result<(), SwapError> {
        let (deployment, comparison) = (Arc::downgrade(self), comparison.clone());
        let thread = std::thread::Builder::new().name("sandbar-rollout".into());
        thread.spawn(move || {
            let Some(verdict) = comparison.await_verdict() else { return };
            let Some(deployment) = deployment.upgrade() else { return };
            // A broken candidate is dropped at once, without waiting for others.
            if judge.is_none() || matches!(verdict, Verdict::Broken(_)) {
                deployment.conclude(&comparison, verdict.clone());
            }
            if let Some(judge) = judge {
                judge(verdict);
            }
        })?;
        Ok(())
    }

    fn conclude(&self, comparison: &Arc<Comparison>, verdict: Verdict) {
        let mut turn = self.turns.await_turn("verdict");
        let state = &mut turn.state;
        // It may have been ended meanwhile.
        let ours = |rollout: &Rollout| Arc::ptr_eq(&rollout.comparison, comparison);
        if !self.rollout().as_ref().is_some_and(ours) {
            return;
        }
        let result = match verdict {
            Verdict::Broken(reason) => self.discard(state, End::RolledBack, reason).map(drop),
            Verdict::Holds(reason) => match self.promote(state, reason) {
                Ok(_) | Err(SwapError::NotRunning) => Ok(()),
                Err(error) => {
                    let reason = format!("cannot promote the candidate: {error}");
                    self.discard(state, End::RolledBack, reason).map(drop)
                }
            },
        };
        let _ = self.refused(result);
    }

    fn promote(&self, state: &mut State, reason: String) -> Result<Swap, SwapError> {
        let prepared = state.candidate.take().ok_or(SwapError::NoRollout)?;
        let swap = match self.install(state, *prepared) {
            Ok(swap) => swap,
            Err(error) => {
                // It no longer exists.
                let reason = format!("cannot promote the candidate: {error}");
                self.discard(state, End::RolledBack, reason)?;
                return Err(error);
            }
        };
        self.end(End::Promoted, reason);
        self.told(Ok(swap))
    }

    fn discard(&self, state: &mut State, end: End, reason: String) -> Result<Ended, SwapError> {
        if self.rollout().is_none() {
            return Err(SwapError::NoRollout);
        }
        let stage_set = |_| StageSet { serving: None, candidate: None };
        let stage_sets = (0..self.hot_swap.workers()).map(stage_set).collect();
        let switched = self.hot_swap.switch(stage_sets);
        state.candidate = None;
        let ended = self.end(end, reason);
        switched.map_err(|_| SwapError::NotRunning)?;
        ended.ok_or(SwapError::NoRollout)
    }

    /// Notes how it ended.
    fn end(&self, end: End, reason: String) -> Option<Ended> {
        let rollout = lock(&self.rollouts).current.take()?;
        rollout.comparison.close();
        let (report, at) = (rollout.report(), SystemTime::now());
        let ended = Ended { rollout, report, at, end, reason };
        RolloutEnded { ended: &ended }.emit(&self.stats);
        lock(&self.rollouts).last = Some(ended.clone());
        Some(ended)
    }
}

impl Drop for Deployment {
    /// Nobody is left to carry out the verdict.
    fn drop(&mut self) {
        if let Some(rollout) = self.rollout() {
            rollout.comparison.close();
        }
    }
}
