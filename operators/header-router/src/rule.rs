//! A rule, ready to be tried.

use regex_lite::Regex;
use sandbar_operator::{Error, Failure, Record};

use crate::config::{Condition, NotText, Occurrence, RuleConfig};

/// The header of a rule and what it asks of it.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) header: String,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Values(Vec<Vec<u8>>),
    Pattern(Regex),
    Present(bool),
}

impl Rule {
    /// # Errors
    /// Where the rule has no header, not exactly one condition, or a pattern that is none.
    pub(crate) fn new(rule: &RuleConfig) -> Result<Rule, Error> {
        if rule.header.is_empty() {
            return Err("`header` is empty: set the header's name".into());
        }
        let condition = rule.condition().ok_or(
            "expected exactly one condition: set one of `values`, `pattern` and `present`",
        )?;
        let test = match condition {
            Condition::Values([]) => {
                return Err("`values` is empty and never matches: name at least one value, or \
                            remove the rule"
                    .into());
            }
            Condition::Values(values) => {
                Test::Values(values.iter().map(|value| value.clone().into_bytes()).collect())
            }
            Condition::Pattern(pattern) => Test::Pattern(Regex::new(pattern).map_err(|error| {
                Error::from(error).context(format_args!("`pattern` {pattern:?}"))
            })?),
            Condition::Present(present) => Test::Present(present),
        };
        Ok(Rule { header: rule.header.clone(), test })
    }

    /// Whether the rule holds for a record.
    ///
    /// # Errors
    /// Where a pattern looks at what is not text, and that is to fail.
    pub(crate) fn holds(
        &self,
        record: &Record<'_>,
        occurrence: Occurrence,
        not_text: NotText,
    ) -> Result<bool, Failure> {
        let mut named =
            record.headers().filter(|(name, _)| *name == self.header).map(|(_, value)| value);
        if let Test::Present(present) = self.test {
            return Ok(named.next().is_some() == present);
        }
        match occurrence {
            Occurrence::First => self.accepts(named.next().flatten(), not_text),
            Occurrence::Last => self.accepts(named.last().flatten(), not_text),
            Occurrence::Any => {
                for value in named {
                    if self.accepts(value, not_text)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// Whether the test holds for one header's value.
    fn accepts(&self, value: Option<&[u8]>, not_text: NotText) -> Result<bool, Failure> {
        let Some(value) = value else { return Ok(false) };
        match &self.test {
            Test::Values(values) => Ok(values.iter().any(|it| it == value)),
            Test::Pattern(pattern) => match (str::from_utf8(value), not_text) {
                (Ok(text), _) => Ok(pattern.is_match(text)),
                (Err(_), NotText::NoMatch) => Ok(false),
                (Err(_), NotText::Fail) => Err(self.not_text()),
            },
            Test::Present(present) => Ok(*present),
        }
    }

    #[cold]
    fn not_text(&self) -> Failure {
        Failure::malformed(format!("the header '{}' is not UTF-8", self.header))
    }
}
