//! What the pipeline says.

use serde::Deserialize;

/// The stage's configuration. Keys that are not named here are an error.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Tried in this order; the first that holds decides.
    pub rules: Vec<RuleConfig>,
    /// Where a record goes for which none holds. Default: `"pass"`.
    #[serde(default)]
    pub otherwise: Destination,
    /// Which header counts where several have the name. Default: the last.
    #[serde(default)]
    pub occurrence: Occurrence,
    /// What happens to a record whose header is not UTF-8 where a `pattern` looks at it.
    /// Default: it fails.
    #[serde(default)]
    pub not_text: NotText,
}

/// A rule as it is written: a header, one condition, a destination.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// The header's name, which is compared byte for byte, as Kafka does.
    pub header: String,
    /// Holds where the header is one of these.
    #[serde(default)]
    pub values: Option<Vec<String>>,
    /// Holds where this regular expression is found in the header. It may be anywhere in
    /// it, unless `^` and `$` say otherwise.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Holds where there is such a header (`true`), or none (`false`).
    #[serde(default)]
    pub present: Option<bool>,
    /// Where the record goes.
    pub to: Destination,
}

/// The one condition of a rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Condition<'a> {
    /// The header is one of these.
    Values(&'a [String]),
    /// This is found in it.
    Pattern(&'a str),
    /// It is there, or not.
    Present(bool),
}

impl RuleConfig {
    /// The condition, if there is exactly one.
    pub fn condition(&self) -> Option<Condition<'_>> {
        match (&self.values, &self.pattern, self.present) {
            (Some(values), None, None) => Some(Condition::Values(values)),
            (None, Some(pattern), None) => Some(Condition::Pattern(pattern)),
            (None, None, Some(present)) => Some(Condition::Present(present)),
            _ => None,
        }
    }
}

/// Where a record goes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Destination {
    /// To the next stage.
    #[default]
    Pass,
    /// Nowhere.
    Drop,
    /// To the dead-letter topic, with code `unsupported`.
    Fail,
    /// To this topic, one of the stage's `topics`.
    Topic(String),
}

/// Which header counts where several have the name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Occurrence {
    /// The last, which is what Kafka's own clients take.
    #[default]
    Last,
    /// The first.
    First,
    /// All: a rule holds if it holds for one of them.
    Any,
}

/// What happens to a record whose header is not UTF-8 where a `pattern` looks at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotText {
    /// It becomes a dead letter with code `malformed`.
    #[default]
    Fail,
    /// The rule does not hold, and the next is tried.
    NoMatch,
}
