//! `sandbar rollout`: a candidate beside what a runner serves, requested over HTTP.

use std::time::Duration;

use anyhow::ensure;
use clap::{Args, Subcommand, ValueEnum};
use humantime_serde::re::humantime::{format_duration, parse_duration};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::at::At;
use super::fleet::{self, Telling};
use super::pair::pair;
use super::registry::Who;
use super::shown::{self, moment, tried};
use crate::admin::api::{RollbackRequest, ServingStatus as Told, Swapped};
use crate::admin::fleet::{FleetRolloutRequest, PlainRequest};
use crate::admin::rollout::{Past, RolloutRequest, Underway};
use crate::output::{self, say};
use sandbar_pipeline::rollout::{
    Confused, Fraction, Mode, OnPass, RolloutReport, RolloutSpec, Rules, Side, SplitKey,
    StageReport,
};
use sandbar_registry::ArtifactSource;

/// Run other models or components beside those that a runner serves, and compare them.
#[derive(Debug, Args)]
pub(super) struct Rollout {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Start(Box<Start>),
    Status(Status),
    Promote(Promote),
    Abort(Abort),
}

/// Start a roll-out.
///
/// The candidate is loaded, checked and tried as by `sandbar swap`, and then runs beside what
/// serves until it is promoted or aborted, by a command or by its rules. In a fleet the runner
/// passes it on, so that it runs on each; MODEL and COMPONENT must then be in the registry.
#[derive(Debug, Args)]
struct Start {
    /// canary: it serves a share of the records. shadow: it scores them as well,
    /// but writes no output. ab: its outputs are written beside those of what serves.
    #[arg(long, value_enum)]
    mode: ModeName,
    /// The share of the records that a canary serves, such as 10%.
    #[arg(long, value_name = "SHARE")]
    weight: Option<Fraction>,
    /// What decides which records a canary serves: key, or header:NAME. [default: key]
    #[arg(long)]
    by: Option<SplitKey>,
    /// A model, by the pipeline's name for it: a folder, or NAME@VERSION or NAME@ALIAS in
    /// the manifest's registry.
    #[arg(long = "model", value_name = "NAME=MODEL", value_parser = pair)]
    models: Vec<(String, ArtifactSource)>,
    /// The component of a stage: a file, or a version in the registry.
    #[arg(long = "component", value_name = "STAGE=COMPONENT", value_parser = pair)]
    components: Vec<(String, ArtifactSource)>,
    /// Records that the candidate must have had before the rules are applied.
    #[arg(long, value_name = "N", default_value_t = Rules::default().min_rows)]
    min_rows: u64,
    /// The share of its records that may fail.
    #[arg(long, value_name = "SHARE")]
    max_failure_rate: Option<Fraction>,
    /// The share of the records on whose label it must agree with what serves.
    #[arg(long, value_name = "SHARE")]
    min_agreement: Option<Fraction>,
    /// The longest time for 99 of 100 batches, such as 50ms.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    max_p99: Option<Duration>,
    /// What happens when it passes these rules.
    #[arg(long, value_enum, default_value = "keep")]
    then: ThenName,
    /// A topic for a shadow's predictions, other than the pipeline's own topics.
    #[arg(long)]
    topic: Option<String>,
    /// The revision to run beside, as `sandbar status` shows it: if another one serves by now,
    /// nothing is changed.
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
    #[command(flatten)]
    telling: Telling,
    #[command(flatten)]
    at: At,
}

/// Show the state of the candidate, or how the last roll-out ended.
#[derive(Debug, Args)]
struct Status {
    #[command(flatten)]
    at: At,
}

/// Replace what serves with the candidate.
#[derive(Debug, Args)]
struct Promote {
    #[command(flatten)]
    end: Ending,
}

/// Drop the candidate; what serves stays.
#[derive(Debug, Args)]
struct Abort {
    #[command(flatten)]
    end: Ending,
}

#[derive(Debug, Args)]
struct Ending {
    /// The revision that it runs beside, in a fleet the fleet's: if another one is the newest,
    /// nothing is changed.
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
    #[command(flatten)]
    telling: Telling,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ModeName {
    Canary,
    Shadow,
    Ab,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ThenName {
    Keep,
    Promote,
}

impl Rollout {
    pub(super) fn execute(self) -> anyhow::Result<()> {
        match self.verb {
            Verb::Start(start) => start.execute(),
            Verb::Status(Status { at }) => {
                let told: Told = at.ask("status", None::<&()>)?;
                if at.json {
                    let both = serde_json::json!({
                        "rollout": told.rollout,
                        "last_rollout": told.last_rollout,
                    });
                    output::json(&both)?;
                } else if told.rollout.is_none() && told.last_rollout.is_none() {
                    say!("there has been no roll-out since this runner started");
                } else {
                    show(&told);
                }
                Ok(())
            }
            Verb::Promote(Promote { end }) => {
                end.execute::<Swapped>("rollout/promote", |swapped| {
                    say!("promoted");
                    shown::show(&swapped.serving);
                })
            }
            Verb::Abort(Abort { end }) => end.execute::<Past>("rollout/abort", show_past),
        }
    }
}

impl Ending {
    /// Ends the roll-out on the runner or, in a fleet, on all runners; `show`s the response of
    /// a runner without a fleet.
    fn execute<T: DeserializeOwned + Serialize>(
        self,
        what: &str,
        show: impl FnOnce(&T),
    ) -> anyhow::Result<()> {
        let Ending { revision, telling, at } = self;
        if fleet::of(&at)?.is_none() {
            return at.told(what, &RollbackRequest { revision }, show);
        }
        let (by, reason) = (Who::known().name(), telling.reason.clone());
        telling.ask(&at, &format!("fleet/{what}"), &PlainRequest { by, reason, revision })
    }
}

impl Start {
    fn execute(self) -> anyhow::Result<()> {
        ensure!(
            !self.models.is_empty() || !self.components.is_empty(),
            "no candidate: name a model (--model NAME=MODEL) or a component (--component STAGE=COMPONENT)"
        );
        let rules = Rules {
            min_rows: self.min_rows,
            max_failure_rate: self.max_failure_rate,
            min_agreement: self.min_agreement,
            max_p99: self.max_p99,
            then: match self.then {
                ThenName::Keep => OnPass::Keep,
                ThenName::Promote => OnPass::Promote,
            },
        };
        let mode = match self.mode {
            ModeName::Canary => Mode::Canary,
            ModeName::Shadow => Mode::Shadow,
            ModeName::Ab => Mode::Ab,
        };
        let terms =
            RolloutSpec { mode, weight: self.weight, by: self.by, rules, topic: self.topic };
        terms.validate()?;
        if fleet::of(&self.at)?.is_some() {
            // The runner tells the registry's names from versions.
            let version = |(name, source): (_, ArtifactSource)| (name, source.to_string());
            let request = FleetRolloutRequest {
                models: self.models.into_iter().map(version).collect(),
                operators: self.components.into_iter().map(version).collect(),
                terms,
                by: Who::known().name(),
                reason: self.telling.reason.clone(),
                revision: self.revision,
            };
            return self.telling.ask(&self.at, "fleet/rollout", &request);
        }
        let request = RolloutRequest {
            models: self.models.into_iter().collect(),
            components: self.components.into_iter().collect(),
            revision: self.revision,
            terms,
        };
        self.at.told::<Underway>("rollout", &request, |underway| {
            show_underway(underway);
            tried(underway.samples, underway.trial.as_ref());
        })
    }
}

/// The roll-outs of a runner, if any.
pub(super) fn show(told: &Told) {
    match (&told.rollout, &told.last_rollout) {
        (Some(underway), _) => {
            show_underway(underway);
            show_comparison(&underway.comparison);
        }
        (None, Some(past)) => show_past(past),
        (None, None) => {}
    }
}

fn show_underway(underway: &Underway) {
    say!("roll-out: {} since {}", headline(underway), moment(underway.since));
    for (name, id) in &underway.models {
        say!("  candidate's model {name}: {id}");
    }
    for stage in &underway.components {
        say!("  candidate's stage {}: {}", stage.stage, stage.component.display());
    }
    let RolloutSpec { rules, .. } = &underway.terms;
    let p99 = rules.max_p99.map(|time| format!("p99 at most {}", format_duration(time)));
    let failures = rules.max_failure_rate.map(|share| format!("failures at most {share}"));
    let agreement = rules.min_agreement.map(|share| format!("agreement at least {share}"));
    let all: Vec<String> = [failures, agreement, p99].into_iter().flatten().collect();
    if !all.is_empty() {
        let then = match rules.then {
            OnPass::Keep => "then it is kept",
            OnPass::Promote => "then it is promoted",
        };
        say!("  rules from {} records on: {}; {then}", rules.min_rows, all.join(", "));
    }
}

fn headline(Underway { terms, model, .. }: &Underway) -> String {
    let model = model.as_deref().unwrap_or("other components");
    match terms.weight {
        Some(weight) => {
            let by = terms.by.clone().unwrap_or_default();
            format!("{} of {weight} by {by}, {model}", terms.mode)
        }
        None => format!("{}, {model}", terms.mode),
    }
}

fn show_past(past: &Past) {
    let headline = headline(&past.rollout);
    say!("last roll-out: {headline}, {} {}: {}", past.outcome, moment(past.ended), past.reason);
    show_comparison(&past.rollout.comparison);
}

fn show_comparison(report: &RolloutReport) {
    for (name, side) in [("serving", &report.serving), ("candidate", &report.candidate)] {
        let Side { records, failed, p50, p99, .. } = side;
        let count: u64 = failed.values().sum();
        let codes: Vec<String> =
            failed.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let codes =
            if codes.is_empty() { String::new() } else { format!(" ({})", codes.join(", ")) };
        let time = |seconds: Option<f64>| {
            seconds.map_or("-".to_owned(), |seconds| format!("{:.1} ms", seconds * 1e3))
        };
        say!(
            "  {name}: {records} records, {count} failed{codes}; a batch p50 {}, p99 {}",
            time(*p50),
            time(*p99)
        );
        let labels: Vec<String> =
            side.labels.iter().map(|(label, count)| format!("{label} {count}")).collect();
        if !labels.is_empty() {
            say!("    labels: {}", labels.join(", "));
        }
    }
    if report.stages.is_empty() {
        let RolloutReport { compared, agreement, mean_difference, confusion, .. } = report;
        show_both("", *compared, *agreement, *mean_difference, confusion);
    }
    for (stage, about) in &report.stages {
        show_stage(stage, about);
    }
    if report.left_out > 0 {
        say!("  skipped, as the shadow lagged: {} records", report.left_out);
    }
    if report.unwritten > 0 {
        say!("  not written to the shadow's topic: {} predictions", report.unwritten);
    }
}

/// One of several scorers.
fn show_stage(stage: &str, about: &StageReport) {
    let StageReport { compared, agreement, confusion, mean_difference, serving, candidate } = about;
    for (name, labels) in [("serving", serving), ("candidate", candidate)] {
        let labels: Vec<String> =
            labels.iter().map(|(label, count)| format!("{label} {count}")).collect();
        if !labels.is_empty() {
            say!("  {stage}: {name} labels: {}", labels.join(", "));
        }
    }
    show_both(&format!("{stage}: "), *compared, *agreement, *mean_difference, confusion);
}

/// The predictions of both for the same records.
fn show_both(
    stage: &str,
    compared: u64,
    agreement: Option<f64>,
    difference: Option<f64>,
    confusion: &[Confused],
) {
    if compared == 0 {
        return;
    }
    let percent = |share: f64| format!("{:.2}%", share * 100.0);
    let agreement = agreement.map(|share| format!(", {} of labels agree", percent(share)));
    let difference = difference.map(|mean| format!(", mean difference {mean:.6}"));
    say!(
        "  {stage}both: {compared} records{}{}",
        agreement.unwrap_or_default(),
        difference.unwrap_or_default()
    );
    for confused in confusion.iter().filter(|it| it.serving != it.candidate) {
        let (serving, candidate) = (&confused.serving, &confused.candidate);
        say!("    {serving} but candidate {candidate}: {}", confused.records);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        rollout: super::Rollout,
    }

    #[test]
    fn arguments_are_told_apart() {
        let line =
            "x start --mode canary --weight 10% --by header:who --max-p99 50ms --then promote";
        Line::try_parse_from(line.split(' ')).map(|line| line.rollout).unwrap();
        let line = "x start --mode canary --weight ten";
        let error = Line::try_parse_from(line.split(' ')).map(drop).unwrap_err().to_string();
        assert!(error.contains("'ten' is not a fraction; write 10%"), "{error}");
    }
}
