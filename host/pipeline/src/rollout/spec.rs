//! The rollout spec: its mode, its fraction of the records, its rules.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// The default number of rows after which rules are judged.
const MIN_ROWS: u64 = 1000;

/// How a candidate runs beside what serves, and what happens on pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutSpec {
    /// What is done with the candidate's outputs.
    pub mode: Mode,
    /// The fraction of the records that a canary serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Fraction>,
    /// The split key of a canary; by default the record's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<SplitKey>,
    /// The rules of the candidate.
    #[serde(default)]
    pub rules: Rules,
    /// The topic of a shadow's outputs, besides the comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

/// What is done with the candidate's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It serves a fraction of the records.
    Canary,
    /// It scores all records beside the stream; its predictions are compared.
    Shadow,
    /// Its outputs are written beside those of what serves.
    Ab,
}

/// The split key: what decides which variant a record gets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SplitKey {
    /// The record's key.
    #[default]
    Key,
    /// The value of the last header of this name.
    Header(String),
}

/// The rules of a candidate. A broken rule ends the roll-out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Records of the candidate after which it is judged.
    #[serde(default = "min_rows")]
    pub min_rows: u64,
    /// The fraction of its records that may fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_failure_rate: Option<Fraction>,
    /// The minimum agreement on the labels of the records that both scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_agreement: Option<Fraction>,
    /// The maximum 99th percentile of its batch times.
    #[serde(default, with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub max_p99: Option<Duration>,
    /// What happens on pass.
    #[serde(default)]
    pub then: OnPass,
}

/// What happens on pass: when a candidate has kept its rules for as long as they ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnPass {
    /// The roll-out continues until it is ended on request, or a rule is broken.
    #[default]
    Keep,
    /// The candidate is promoted.
    Promote,
}

/// A fraction, from 0 to 1: written `10%` or `0.1`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Fraction(f64);

/// Why a rollout spec is invalid.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum RolloutSpecError {
    /// A canary without a weight.
    #[error(
        "canary: no fraction of the records to serve: give it a weight above 0, such as \"10%\""
    )]
    NoWeight,
    /// A setting of another mode.
    #[error("mode {mode}: {what} is for {place}: leave it out")]
    NotOfMode {
        /// What.
        what: &'static str,
        /// Which mode it is for.
        place: &'static str,
        /// The mode that was asked for.
        mode: Mode,
    },
    /// Promotion by rules without any rule.
    #[error(
        "then = \"promote\" needs a rule that the candidate can break: max_failure_rate, min_agreement or max_p99"
    )]
    NoRule,
    /// Rules that would be judged before there is any record.
    #[error("min_rows is 0: must be at least 1, the rules are judged after that many records")]
    NoRows,
    /// Agreement on labels that do not exist.
    #[error("min_agreement compares labels, but {what}: leave it out")]
    NoLabels {
        /// What has none.
        what: &'static str,
    },
    /// The candidate's outputs would go into the stream.
    #[error(
        "topic '{topic}': the pipeline itself {uses} it: name another topic for the shadow's outputs"
    )]
    OwnTopic {
        /// `reads` or `writes`.
        uses: &'static str,
        /// The topic.
        topic: String,
    },
    /// The topic cannot be written to.
    #[error("cannot write the shadow's outputs: topic '{topic}': {reason}")]
    Topic {
        /// The topic.
        topic: String,
        /// Why not.
        reason: String,
    },
}

impl RolloutSpec {
    /// A spec of this mode, with defaults.
    pub fn new(mode: Mode) -> Self {
        RolloutSpec { mode, weight: None, by: None, rules: Rules::default(), topic: None }
    }

    /// Whether the spec is valid.
    ///
    /// # Errors
    /// The first setting that contradicts another, by its name.
    pub fn validate(&self) -> Result<(), RolloutSpecError> {
        let RolloutSpec { mode, weight, by, rules, topic } = self;
        let not_of = |what, place| Err(RolloutSpecError::NotOfMode { what, place, mode: *mode });
        if *mode == Mode::Canary {
            if weight.is_none_or(|weight| weight.0 <= 0.0) {
                return Err(RolloutSpecError::NoWeight);
            }
            if rules.min_agreement.is_some() {
                return not_of("min_agreement", "shadow and ab, where both score a record");
            }
        } else if weight.is_some() {
            return not_of("a weight", "a canary, since others see every record");
        } else if by.is_some() {
            return not_of("by", "a canary, since others see every record");
        }
        if topic.is_some() && *mode != Mode::Shadow {
            return not_of("a topic", "a shadow, since others write to the pipeline's own");
        }
        if rules.min_rows == 0 {
            return Err(RolloutSpecError::NoRows);
        }
        if rules.then == OnPass::Promote && !rules.can_break() {
            return Err(RolloutSpecError::NoRule);
        }
        Ok(())
    }
}

impl Rules {
    /// Whether there is one that can be broken.
    fn can_break(&self) -> bool {
        self.max_failure_rate.is_some() || self.min_agreement.is_some() || self.max_p99.is_some()
    }
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            min_rows: MIN_ROWS,
            max_failure_rate: None,
            min_agreement: None,
            max_p99: None,
            then: OnPass::Keep,
        }
    }
}

fn min_rows() -> u64 {
    MIN_ROWS
}

impl Fraction {
    /// A fraction, if it is from 0 to 1.
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Fraction(share))
    }

    /// From 0 to 1.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Fraction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let share = match text.trim().strip_suffix('%') {
            Some(percent) => number(percent).map(|percent| percent / 100.0),
            None => number(text),
        };
        let error = || format!("'{text}' is not a fraction; write 10% or 0.1, from 0 to 100%");
        share.and_then(Fraction::new).ok_or_else(error)
    }
}

impl fmt::Display for Fraction {
    /// In percent, with as many places as it needs, up to four.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.4}", self.0 * 100.0);
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Fraction;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a fraction such as \"10%\" or 0.1, from 0 to 1")
            }

            fn visit_f64<E: serde::de::Error>(self, share: f64) -> Result<Fraction, E> {
                Fraction::new(share)
                    .ok_or_else(|| E::invalid_value(Unexpected::Float(share), &self))
            }

            fn visit_u64<E: serde::de::Error>(self, share: u64) -> Result<Fraction, E> {
                self.visit_f64(share as f64)
            }

            fn visit_i64<E: serde::de::Error>(self, share: i64) -> Result<Fraction, E> {
                self.visit_f64(share as f64)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Fraction, E> {
                text.parse().map_err(E::custom)
            }
        }
        from.deserialize_any(Any)
    }
}

impl Mode {
    /// The name in requests and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mode::Canary => "canary",
            Mode::Shadow => "shadow",
            Mode::Ab => "ab",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SplitKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "key" => Ok(SplitKey::Key),
            Some(("header", name)) if !name.is_empty() => Ok(SplitKey::Header(name.to_owned())),
            _ => Err(format!("'{text}' is not a split key; write key or header:NAME")),
        }
    }
}

impl fmt::Display for SplitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SplitKey::Key => f.write_str("key"),
            SplitKey::Header(name) => write!(f, "header:{name}"),
        }
    }
}

impl Serialize for SplitKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SplitKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    fn spec(json: &str) -> Result<RolloutSpec, String> {
        let spec: RolloutSpec = serde_json::from_str(json).map_err(|error| error.to_string())?;
        spec.validate().map_err(|error| error.to_string())?;
        Ok(spec)
    }

    #[test]
    fn what_is_asked_for_is_read_and_written() {
        let text = r#"{"mode":"canary","weight":"12.5%","by":"header:customer",
            "rules":{"min_rows":500,"max_failure_rate":0.01,"max_p99":"50ms","then":"promote"}}"#;
        let seen = spec(text).unwrap();
        assert_eq!(seen.weight.unwrap().to_string(), "12.5%");
        assert_eq!(seen.by, Some(SplitKey::Header("customer".into())));
        assert_eq!(seen.rules.max_p99, Some(Duration::from_millis(50)));
        let again = serde_json::to_string(&seen).unwrap();
        assert_eq!(spec(&again).unwrap(), seen);
        assert_eq!(spec(r#"{"mode":"ab"}"#).unwrap(), RolloutSpec::new(Mode::Ab));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, expected) in [
            (r#"{"mode":"canary"}"#, "give it a weight above 0"),
            (r#"{"mode":"canary","weight":0}"#, "give it a weight above 0"),
            (r#"{"mode":"canary","weight":10}"#, "a fraction such as"),
            (r#"{"mode":"canary","weight":"110%"}"#, "'110%' is not a fraction; write 10%"),
            (r#"{"mode":"ab","weight":0.1}"#, "a weight is for a canary"),
            (r#"{"mode":"shadow","by":"key"}"#, "by is for a canary"),
            (r#"{"mode":"canary","weight":0.1,"by":"value"}"#, "write key or header:NAME"),
            (r#"{"mode":"ab","topic":"t"}"#, "a topic is for a shadow"),
            (r#"{"mode":"ab","rules":{"min_rows":0}}"#, "min_rows is 0"),
            (r#"{"mode":"ab","rules":{"then":"promote"}}"#, "needs a rule that"),
            (
                r#"{"mode":"canary","weight":0.1,"rules":{"min_agreement":0.9}}"#,
                "min_agreement is for shadow and ab",
            ),
            (r#"{"mode":"mirror"}"#, "unknown variant `mirror`"),
            (r#"{"mode":"ab","wieght":1}"#, "unknown field `wieght`"),
        ] {
            let error = spec(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}
