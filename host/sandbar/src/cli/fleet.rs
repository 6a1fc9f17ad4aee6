//! `sandbar promote` and `sandbar fleet`: the desired version of all runners of a group.

use std::time::{Duration, Instant};

use anyhow::bail;
use clap::{Args, Subcommand};
use humantime_serde::re::humantime;
use serde::Serialize;

use super::at::At;
use super::registry::{Who, table};
use super::shown::tried_samples;
use crate::admin::fleet::{FleetStatus, Member, PlainRequest, PromoteRequest, Promoted};
use crate::fleet::{Action, ChangeProgress, FleetChange, RunnerStatus};
use crate::output::{self, say};
use sandbar_registry::time;

/// The interval between polls of the fleet's state.
const LOOK: Duration = Duration::from_millis(50);

/// Make all runners of a fleet serve another version.
///
/// The runner that is asked fetches it, loads it beside what serves, and tries it on a
/// recent batch; only then it is made the desired version of all runners, in the control
/// topic. Each switches to it between two batches, those that start later begin with it, and
/// one that cannot reports why and goes on serving what it served. The registry's aliases
/// do not change.
#[derive(Debug, Args)]
pub(super) struct Promote {
    /// A model, by the pipeline's name for it or the registry's; with --operator a stage, or
    /// the registry's name of an operator.
    #[arg(value_name = "NAME")]
    name: String,
    /// The version: its number or one of its aliases in the registry, or NAME@NUMBER for one of
    /// another name.
    #[arg(value_name = "VERSION")]
    version: String,
    /// NAME is an operator.
    #[arg(long)]
    operator: bool,
    #[command(flatten)]
    change: Changing,
}

/// The runners of a consumer group that serve the same (`[fleet]` in their manifest).
#[derive(Debug, Args)]
pub(super) struct Fleet {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Undo the last promotion: make all runners serve the previous desired version.
    Rollback(Changing),
    /// List the changes of the desired version: who, when, and why.
    History(At),
}

#[derive(Debug, Args)]
struct Changing {
    /// The fleet's revision to change, as `sandbar status` shows it: if there is a newer one by
    /// now, nothing is changed.
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
    #[command(flatten)]
    telling: Telling,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    at: At,
}

/// Options of a change in a fleet: its reason, and waiting for the runners.
#[derive(Debug, Args)]
pub(super) struct Telling {
    /// In a fleet: why, for others to see.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// In a fleet: do not wait until all runners have switched.
    #[arg(long)]
    no_wait: bool,
    /// In a fleet: how long to wait for that.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

impl Promote {
    pub(super) fn execute(self) -> anyhow::Result<()> {
        let Promote { name, version, operator, change } = self;
        let Changing { revision, telling, who, at } = change;
        let reason = telling.reason.clone();
        let (model, operator) = if operator { (None, Some(name)) } else { (Some(name), None) };
        let request = PromoteRequest { model, operator, version, by: who.name(), reason, revision };
        telling.ask(&at, "fleet/promote", &request)
    }
}

impl Fleet {
    pub(super) fn execute(self) -> anyhow::Result<()> {
        match self.verb {
            Verb::Rollback(changing) => {
                let Changing { revision, telling, who, at } = changing;
                let reason = telling.reason.clone();
                let request = PlainRequest { by: who.name(), reason, revision };
                telling.ask(&at, "fleet/rollback", &request)
            }
            Verb::History(at) => {
                let fleet: FleetStatus = at.ask("fleet", None::<&()>)?;
                if at.json {
                    output::json(&fleet.history)?;
                    return Ok(());
                }
                fleet.history.iter().for_each(show_change);
                Ok(())
            }
        }
    }
}

impl Telling {
    /// Requests a change, and waits until all runners have switched to it.
    pub(super) fn ask(&self, at: &At, what: &str, request: &impl Serialize) -> anyhow::Result<()> {
        let begun = Instant::now();
        let promoted: Promoted = at.ask(what, Some(request))?;
        tell(at, &promoted, (!self.no_wait).then_some(self.timeout), begun)
    }
}

/// The fleet of the runner, if it is in one.
pub(super) fn of(at: &At) -> anyhow::Result<Option<FleetStatus>> {
    at.ask_for("fleet", None::<&()>)
}

/// Prints the change, and the state of the runners until all have switched.
fn tell(
    at: &At,
    promoted: &Promoted,
    patience: Option<Duration>,
    begun: Instant,
) -> anyhow::Result<()> {
    let Promoted { change, new, samples, trial } = promoted;
    if at.json {
        output::json(promoted)?;
    } else {
        show_change(change);
        tried_samples(*samples);
        match trial {
            Some(trial) => say!(
                "tried on {} recent records: {} failed, {} failed before",
                trial.records,
                trial.failed,
                trial.failed_before
            ),
            None if !new => say!("it is already the fleet's desired version"),
            None if change.action == Action::Abort => {}
            None => say!("not tried: no records have been read yet, or it runs there already"),
        }
    }
    let Some(patience) = patience else { return Ok(()) };
    let end = Instant::now() + patience;
    loop {
        let fleet: FleetStatus = at.ask("fleet", None::<&()>)?;
        let newest = fleet.desired.as_ref().map_or(0, |desired| desired.revision);
        if newest > change.revision {
            bail!("changed concurrently: the desired version is now that of revision {newest}");
        }
        // Until the runner has read the change, the states are those from before it.
        let known = newest == change.revision;
        let is = |states: &[RunnerStatus]| {
            let of = |member: &&Member| states.contains(&member.state);
            fleet.runners.iter().filter(of).collect::<Vec<_>>()
        };
        let (behind, refused) = (is(&[RunnerStatus::Behind]), is(&[RunnerStatus::Refused]));
        let serving = is(&[RunnerStatus::Serving]).len();
        if known && behind.is_empty() {
            let lost = is(&[RunnerStatus::Lost]).len();
            if !at.json {
                say!(
                    "{serving} runners serve it after {:.0} ms; {} refused it, {lost} lost",
                    begun.elapsed().as_secs_f64() * 1e3,
                    refused.len()
                );
            }
            if refused.is_empty() {
                return Ok(());
            }
            bail!("revision {} is refused: {}", change.revision, reasons(&refused));
        }
        if Instant::now() >= end {
            let waiting: Vec<&str> = behind.iter().map(|member| member.id.as_str()).collect();
            bail!(
                "after {} {serving} runners serve it; still waiting for: {}{}",
                humantime::format_duration(patience),
                waiting.join(", "),
                if refused.is_empty() { String::new() } else { format!("; {}", reasons(&refused)) }
            );
        }
        std::thread::sleep(LOOK);
    }
}

fn reasons(refused: &[&Member]) -> String {
    let each = refused.iter().map(|member| format!("{}: {}", member.id, reason(member)));
    each.collect::<Vec<_>>().join("; ")
}

/// Prints a fleet's desired version and its runners.
pub(super) fn show(fleet: &FleetStatus) {
    say!(
        "fleet {} in consumer group {}, control topic {}",
        fleet.pipeline,
        fleet.group,
        fleet.topic
    );
    if fleet.away {
        say!("control topic unreachable: what follows may be out of date");
    }
    match (&fleet.desired, &fleet.problem) {
        (Some(change), _) => show_change(change),
        (None, Some(problem)) => say!("cannot read the desired version: {problem}"),
        (None, None) => say!("nothing promoted yet: each runner serves what its manifest says"),
    }
    let header =
        ["runner", "state", "revision", "since", "serves", "lag", "records/s", "records", "failed"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(fleet.runners.iter().map(row));
    output::lines(table(&rows));
    for member in fleet.runners.iter().filter(|member| member.state == RunnerStatus::Refused) {
        say!("{} refused it: {}", member.id, reason(member));
    }
    for Member { id, report, .. } in &fleet.runners {
        if let Some(progress) = &report.rollout {
            say!("{id}'s candidate: {}", fares(progress));
        }
    }
}

/// `1200 records, 3 failed; 1197 compared, 98.25% of labels agree`
fn fares(progress: &ChangeProgress) -> String {
    let ChangeProgress { records, failed, compared, agreement, mean_difference } = progress;
    let mut text = format!("{records} records, {failed} failed");
    if *compared > 0 {
        text += &format!("; {compared} compared");
    }
    if let Some(agreement) = agreement {
        text += &format!(", {:.2}% of labels agree", agreement * 100.0);
    }
    if let Some(difference) = mean_difference {
        text += &format!(", mean difference {difference:.6}");
    }
    text
}

fn show_change(change: &FleetChange) {
    let FleetChange { revision, action, pins, rollout, by, at, reason, .. } = change;
    let why = reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    say!("fleet revision {revision}, {} by {by} at {}{why}", action.name(), time(*at));
    for (sort, name, pin) in pins.iter() {
        say!("  {sort} {name}: {}", pin.version);
    }
    if let Some(candidate) = rollout {
        say!("  roll-out: {}", candidate.beside(change));
    }
}

fn row(member: &Member) -> Vec<String> {
    let Member { id, state, silence, report } = member;
    let state = match state {
        RunnerStatus::Serving if !report.ready => "not ready".to_owned(),
        RunnerStatus::Serving => "serving".to_owned(),
        RunnerStatus::Behind => "behind".to_owned(),
        RunnerStatus::Refused => "refused".to_owned(),
        RunnerStatus::Lost => format!("lost for {silence:.0} s"),
    };
    let serves: Vec<&str> =
        report.models.values().chain(report.components.values()).map(String::as_str).collect();
    vec![
        id.clone(),
        state,
        report.serves.to_string(),
        report.since.map_or("-".to_owned(), time),
        serves.join(" "),
        report.lag.to_string(),
        format!("{:.0}", report.records_per_second),
        report.records.to_string(),
        report.failed.to_string(),
    ]
}

fn reason(member: &Member) -> String {
    let Some(refused) = &member.report.refused else { return "unknown reason".to_owned() };
    let again = if refused.again { " (retrying)" } else { "" };
    format!("{}{again}", refused.reason)
}
