//! The records of the control topic. Whatever is read there is untrusted: others may
//! write there, and another version of Sandbar does.
//!
//! - `change/PIPELINE/GROUP/N`: the desired version since change N.
//! - `actual/PIPELINE/GROUP/RUNNER`: the report of one runner; null once it ends.
//!
//! Each change has a key of its own, so compaction keeps them all.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use sandbar_config::name_problem;
use sandbar_pipeline::rollout::RolloutSpec;
use sandbar_registry::pins::Pins;
use sandbar_registry::version::check_text;

/// The format of what is written here.
pub(super) const FORMAT: u64 = 1;
/// Bytes of a record's value that are read at most.
const SIZE_LIMIT: usize = 256 << 10;
/// Bytes of a key that are read at most.
const KEY_LIMIT: usize = 1024;

/// Which fleet: the runners of one pipeline in one consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetName {
    /// The pipeline.
    pub pipeline: String,
    /// The consumer group.
    pub group: String,
}

impl fmt::Display for FleetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pipeline, self.group)
    }
}

/// A change: the complete desired version of a fleet from some moment on, and who made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetChange {
    /// The format of this record.
    pub format: u64,
    /// Its number, from 1.
    pub revision: u64,
    /// Distinguishes it from another of the same number that was never committed.
    pub id: String,
    /// What was done.
    pub action: Action,
    /// Desired versions of the registry: models and components. What is not named here is
    /// as the manifest of each runner says.
    pub pins: Pins,
    /// The candidate to run beside that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Candidate>,
    /// Who.
    pub by: String,
    /// When, by the clock of the runner asked.
    #[serde(with = "humantime_serde")]
    pub at: SystemTime,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The change that a rollback of this one goes back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<u64>,
}

/// The complete candidate to run beside what serves, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// What it consists of, as in [`FleetChange::pins`].
    pub pins: Pins,
    /// The rollout spec.
    pub terms: RolloutSpec,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// What served before the fleet's first change was recorded.
    Begin,
    /// Versions were promoted.
    Promote,
    /// A promotion was rolled back.
    Rollback,
    /// A roll-out was started.
    Rollout,
    /// A roll-out was aborted.
    Abort,
}

/// A runner's report. A newer version may report more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunnerReport {
    /// The format of this record.
    pub format: u64,
    /// The version of Sandbar.
    pub version: String,
    /// When, by the runner's clock.
    #[serde(with = "humantime_serde")]
    pub at: SystemTime,
    /// The newest change that it knows; 0: none.
    pub desired: u64,
    /// The change that it serves; 0: what its manifest says.
    pub serves: u64,
    /// Since when, by its clock; absent before it serves anything.
    #[serde(default, with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub since: Option<SystemTime>,
    /// `name@version` of each model, by the pipeline's name for it.
    pub models: BTreeMap<String, String>,
    /// `name@version` of each component of the registry, by stage.
    pub components: BTreeMap<String, String>,
    /// Whether it is a member of its consumer group.
    pub ready: bool,
    /// The change that it could not switch to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// Records consumed since it started.
    pub records: u64,
    /// Outputs since then.
    pub outputs: u64,
    /// Dead letters since then.
    pub failed: u64,
    /// Records of its partitions beyond what is delivered.
    pub lag: u64,
    /// Records a second, of late.
    pub records_per_second: f64,
    /// Outputs a second, of late.
    pub outputs_per_second: f64,
    /// The progress of the candidate there, while there is a roll-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<ChangeProgress>,
}

/// The progress of a candidate on one runner.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ChangeProgress {
    /// Records that it was given.
    pub records: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Records that both scored.
    pub compared: u64,
    /// The agreement on the labels of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<f64>,
    /// The mean absolute difference of the probabilities or values that both gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_difference: Option<f64>,
}

/// A reconcile error: why a runner does not serve a change. Its serving revision stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The change.
    pub revision: u64,
    /// Why.
    pub reason: String,
    /// Whether it will retry by itself.
    pub again: bool,
}

/// A record of the topic.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A change by its number; an error if it is of a newer format.
    Change(u64, Result<Box<FleetChange>, String>),
    /// A change that is no longer kept.
    Forgotten(u64),
    /// A report of a runner.
    Report(String, Box<RunnerReport>),
    /// A runner ended normally.
    Gone(String),
    /// Another fleet's.
    Other,
    /// None of these, and why.
    Garbage(String),
}

impl FleetName {
    pub(super) fn change_key(&self, number: u64) -> String {
        format!("change/{self}/{number}")
    }

    pub(super) fn report_key(&self, runner: &str) -> String {
        format!("actual/{self}/{runner}")
    }

    /// Reads a record, which may be anything.
    #[doc(hidden)] // for host/fuzz
    pub fn read(&self, key: Option<&[u8]>, value: Option<&[u8]>) -> Entry {
        let Some(key) = key.filter(|key| key.len() <= KEY_LIMIT) else {
            return Entry::Garbage("key missing or too long".to_owned());
        };
        let Ok(key) = std::str::from_utf8(key) else {
            return Entry::Garbage("key is not UTF-8".to_owned());
        };
        // A pipeline's name has no slash in it, nor has what is behind the last; a group may.
        let parts = key.split_once('/').and_then(|(kind, rest)| {
            let (fleet, last) = rest.rsplit_once('/')?;
            Some((kind, fleet, last))
        });
        let Some((kind @ ("change" | "actual"), fleet, last)) = parts else {
            return Entry::Garbage(format!("unknown key {key:?}"));
        };
        if fleet != self.to_string() {
            return Entry::Other;
        }
        let entry = match kind {
            "change" => read_change(last, value),
            _ => read_report(last, value),
        };
        entry.unwrap_or_else(|reason| Entry::Garbage(format!("{key}: {reason}")))
    }
}

fn read_change(number: &str, value: Option<&[u8]>) -> Result<Entry, String> {
    let parsed = number.parse().ok().filter(|it: &u64| *it > 0 && it.to_string() == number);
    let number = parsed.ok_or("not a change number")?;
    let Some(value) = value else { return Ok(Entry::Forgotten(number)) };
    let format = format(value)?;
    if format > FORMAT {
        return Ok(Entry::Change(number, Err(newer(format))));
    }
    let change: FleetChange = serde_json::from_slice(value).map_err(|error| error.to_string())?;
    if change.revision != number || change.back.is_some_and(|back| back >= number) {
        return Err("its revision does not match its key".to_owned());
    }
    check_text("who changes it", &change.by)?;
    check_text("its id", &change.id)?;
    change.reason.as_ref().map_or(Ok(()), |reason| check_text("its reason", reason))?;
    if let Some(Candidate { terms, .. }) = &change.rollout {
        terms.validate().map_err(|error| error.to_string())?;
        let by = terms.by.as_ref().map(ToString::to_string);
        for text in by.iter().chain(&terms.topic) {
            check_text("its terms", text)?;
        }
    }
    Ok(Entry::Change(number, Ok(Box::new(change))))
}

fn read_report(runner: &str, value: Option<&[u8]>) -> Result<Entry, String> {
    // It is shown in terminals.
    name_problem(runner).map_or(Ok(()), Err)?;
    let runner = runner.to_owned();
    let Some(value) = value else { return Ok(Entry::Gone(runner)) };
    let format = format(value)?;
    if format > FORMAT {
        return Err(newer(format));
    }
    let mut report: RunnerReport =
        serde_json::from_slice(value).map_err(|error| error.to_string())?;
    check_text("a version", &report.version)?;
    for (name, id) in report.models.iter().chain(&report.components) {
        name_problem(name).map_or(Ok(()), Err)?;
        check_text("a version", id)?;
    }
    if let Some(refusal) = &mut report.refused {
        refusal.reason = line(&refusal.reason);
    }
    Ok(Entry::Report(runner, Box::new(report)))
}

/// The format of a value.
fn format(value: &[u8]) -> Result<u64, String> {
    if value.len() > SIZE_LIMIT {
        return Err(format!("value of {} bytes; at most {SIZE_LIMIT} are read", value.len()));
    }
    let value: Value = serde_json::from_slice(value).map_err(|error| error.to_string())?;
    let format = value.get("format").and_then(Value::as_u64).filter(|format| *format > 0);
    format.ok_or_else(|| "no 'format'".to_owned())
}

fn newer(format: u64) -> String {
    format!(
        "format {format} is not supported, this version of Sandbar reads format {FORMAT}; run a newer one"
    )
}

/// A reason as one line that can be shown, and is not too long.
pub(super) fn line(text: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(shown).take(1000).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use sandbar_pipeline::rollout::{Fraction, Mode};

    fn fleet() -> FleetName {
        FleetName { pipeline: "flights".into(), group: "team/a".into() }
    }

    fn change() -> FleetChange {
        let pin = serde_json::json!({"version": "flights@4", "sha256": "0".repeat(64)});
        let pins = serde_json::json!({"models": {"flights": pin}, "components": {}});
        FleetChange {
            format: FORMAT,
            revision: 7,
            id: "a".into(),
            action: Action::Promote,
            pins: serde_json::from_value(pins.clone()).unwrap(),
            rollout: Some(Candidate {
                pins: serde_json::from_value(pins).unwrap(),
                terms: RolloutSpec { weight: Fraction::new(0.1), ..RolloutSpec::new(Mode::Canary) },
            }),
            by: "ada".into(),
            at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
            reason: None,
            back: Some(6),
        }
    }

    fn read(key: &str, value: &str) -> Entry {
        fleet().read(Some(key.as_bytes()), Some(value.as_bytes()))
    }

    #[test]
    fn what_is_written_is_read() {
        let (name, change) = (fleet(), change());
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(read(&name.change_key(7), &text), Entry::Change(7, Ok(Box::new(change))));
        let gone = name.read(Some(name.report_key("a-1").as_bytes()), None);
        assert_eq!(gone, Entry::Gone("a-1".into()));
        let forgotten = name.read(Some(b"change/flights/team/a/3"), None);
        assert_eq!(forgotten, Entry::Forgotten(3));
        assert_eq!(read("change/flights/team/7", &text), Entry::Other);
        assert_eq!(read("actual/airports/team/a/b", "x"), Entry::Other);
    }

    #[test]
    fn what_is_not_in_order_is_nothing() {
        let text = serde_json::to_string(&change()).unwrap();
        let key = fleet().change_key(7);
        for (from, to) in [
            ("\"revision\":7", "\"revision\":8"),
            ("\"back\":6", "\"back\":7"),
            ("\"format\":1", "\"format\":0"),
            ("\"format\":1", "\"form\":1"),
            ("\"by\":\"ada\"", "\"by\":\"\\u001b[2J\""),
            ("\"by\":\"ada\"", "\"by\":\"ada\",\"also\":1"),
            ("\"weight\":0.1", "\"weight\":0"),
            ("\"weight\":0.1", "\"weight\":0.1,\"by\":\"header:\\u001b\""),
            ("flights@4", "flights@production"),
            ("flights@4", "../flights@4"),
            ("\"flights\":{", "\"a/b\":{"),
            ("0000", "000"),
        ] {
            assert!(text.contains(from), "{from}");
            let entry = read(&key, &text.replacen(from, to, 1));
            assert!(matches!(entry, Entry::Garbage(_)), "{to}: {entry:?}");
        }
        for key in ["change/flights/team/a/07", "change/flights/team/a/0", "change", "x/y/z", ""] {
            assert!(matches!(read(key, &text), Entry::Garbage(_)), "{key}");
        }
        let large = format!("{text}{}", " ".repeat(SIZE_LIMIT));
        assert!(matches!(read(&key, &large), Entry::Garbage(_)));
    }

    /// A newer form is a change that cannot be read, and no garbage: it counts.
    #[test]
    fn a_newer_form_is_told_from_garbage() {
        let entry = read(&fleet().change_key(9), r#"{"format":2,"else":[]}"#);
        let Entry::Change(9, Err(reason)) = entry else { panic!("{entry:?}") };
        assert!(reason.contains("run a newer one"), "{reason}");
        let entry = read(&fleet().report_key("a"), r#"{"format":2}"#);
        assert!(matches!(entry, Entry::Garbage(_)), "{entry:?}");
    }

    proptest! {
        /// Whatever is cut, doubled or put in is read or refused.
        #[test]
        fn any_damage_is_read_or_refused(
            from in 0..800_usize,
            length in 0..40_usize,
            put in proptest::collection::vec(any::<u8>(), 0..8),
            key in "(change|actual)?/?(flights/team/a)?/?.{0,6}",
        ) {
            let whole = serde_json::to_vec(&change()).unwrap();
            let from = from.min(whole.len());
            let to = (from + length).min(whole.len());
            let value = [&whole[..from], &put, &whole[to..]].concat();
            for key in [key.as_str(), "change/flights/team/a/7", "actual/flights/team/a/r"] {
                let _ = fleet().read(Some(key.as_bytes()), Some(&value));
                let _ = fleet().read(Some(&value), Some(key.as_bytes()));
            }
        }
    }
}
