//! Compares actual results with expectations.

use super::diff::lines;
use super::verdict::{Difference, Verdict};
use sandbar_manifest::cases::expectation::Expectation;
use sandbar_manifest::cases::syntax::{Test, Wording};

/// Compares the actual result of each record with its expectation.
pub(super) fn compare(test: &Test, actual: &[Expectation], about: &[String]) -> Verdict {
    let count = actual.len().max(test.expect.len());
    let mut differences = Vec::new();
    for index in 0..count {
        let due = test.expect.get(index);
        let seen = match (due, actual.get(index)) {
            (Some(due), Some(actual)) => Some(due.normalized(actual, test.tolerance)),
            (None, Some(actual)) => Some(actual.brief()),
            (_, None) => None,
        };
        let (expected, actual) = (due.map(as_table), seen.as_ref().map(as_table));
        // As text, in which NaN is equal to itself.
        if expected.as_ref().map(lines) != actual.as_ref().map(lines) {
            differences.push(Difference {
                record: Some(index),
                about: about.get(index).cloned(),
                line: test.lines_of.expect.get(index).copied().flatten(),
                expected,
                actual,
            });
        }
    }
    if differences.is_empty() { Verdict::Passed } else { Verdict::Failed(differences) }
}

/// Compares the subject's refusal, if any, with the expected one.
pub(super) fn refusal(test: &Test, due: &Wording, reason: Option<&str>) -> Verdict {
    let fits = match (reason, &due.message, &due.contains) {
        (Some(reason), Some(message), _) => reason == message,
        (Some(reason), None, Some(part)) => reason.contains(part.as_str()),
        _ => false,
    };
    if fits {
        return Verdict::Passed;
    }
    let refused =
        |wording: Wording| toml::Table::from_iter([("refused".into(), as_value(&wording))]);
    let actual =
        reason.map(|reason| refused(Wording { message: Some(reason.to_owned()), contains: None }));
    Verdict::Failed(vec![Difference {
        record: None,
        about: None,
        line: test.lines_of.test,
        expected: Some(refused(due.clone())),
        actual,
    }])
}

fn as_table(expectation: &Expectation) -> toml::Table {
    match as_value(expectation) {
        toml::Value::Table(table) => table,
        _ => toml::Table::new(),
    }
}

/// As TOML. Everything in a case has a TOML form, NaN included.
fn as_value<T: serde::Serialize>(value: &T) -> toml::Value {
    let value = toml::Value::try_from(value).unwrap_or_else(|error| error.to_string().into());
    plain(value)
}

/// With whole numbers without a decimal point, as people write them.
fn plain(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            toml::Value::Integer(number as i64)
        }
        toml::Value::Array(list) => list.into_iter().map(plain).collect::<Vec<_>>().into(),
        toml::Value::Table(table) => table
            .into_iter()
            .map(|(key, value)| (key, plain(value)))
            .collect::<toml::Table>()
            .into(),
        other => other,
    }
}
