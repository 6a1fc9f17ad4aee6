//! Validation: a model's own sample rows are scored before it makes other predictions.
//!
//! The scorer runs them in its sandbox, in an instance of its own, set up with the features
//! that the rows have. So validation gives the same result behind every extractor, whatever that
//! gives.

use std::sync::Arc;

use thiserror::Error;

use crate::operator_harness::{HarnessError, Predicted, ScorerHarness, Value};
use sandbar_model::{Sample, Samples};
use sandbar_record::BatchLimits;
use sandbar_sandbox::OutputSchema;
use sandbar_sandbox::{Field, FieldType, Operator, StageError};
use sandbar_telemetry::CallTimes;

/// Characters of a cell that errors show.
const SHOWN: usize = 40;

/// Why a model failed its validation.
#[derive(Debug, Error)]
#[error(
    "samples of {model}: {file}{place}: {reason}; the model failed its validation: correct the model, the stages or the samples"
)]
pub struct SampleError {
    /// `name@version` of the model.
    pub model: String,
    /// The file of the rows.
    pub file: String,
    /// `, row 2 (line 3)`, where it is about a row.
    place: String,
    /// Expected and actual value.
    pub reason: String,
}

/// Has a scorer, which stands behind an extractor of `fields`, make predictions of the
/// sample rows of its main model. Returns how many there are: 0 where it has none.
///
/// # Errors
/// If a row cannot be scored, or its prediction is not the expected one.
pub(crate) fn try_samples(
    scorer: &Operator,
    fields: &[Field],
    limits: BatchLimits,
) -> Result<usize, Box<SampleError>> {
    // The others are granted for other purposes; the predictions are made by the first.
    let Some((_, model)) = scorer.grants.models.first() else { return Ok(0) };
    let Some(samples) = &model.samples else { return Ok(0) };
    let wrong = |place: String, reason: String| {
        let file = samples.path.display().to_string();
        Box::new(SampleError { model: model.id.clone(), file, place, reason })
    };
    let whole = |reason: String| wrong(String::new(), reason);
    let at = |row: usize, reason: String| {
        wrong(format!(", row {} (line {})", row + 1, samples.rows[row].line), reason)
    };

    let given = features(samples, fields);
    if given.is_empty() {
        return Err(whole("line 1: no column is a feature".to_owned()));
    }
    // Metrics count only what the pipeline reads.
    let operator = Operator { times: CallTimes::default(), ..scorer.clone() };
    let set_up = |error: StageError| {
        whole(format!("with the features of the rows ({}): {error}", names(&given)))
    };
    let mut harness = ScorerHarness::new(operator, given.clone(), limits).map_err(set_up)?;
    let expected = expectations(samples, &given, harness.output()).map_err(whole)?;
    let places: Vec<usize> = given.iter().filter_map(|it| place(samples, &it.name)).collect();
    let mut rows = Vec::with_capacity(samples.rows.len());
    for (row, sample) in samples.rows.iter().enumerate() {
        let cells = given.iter().zip(&places).map(|(field, place)| {
            value(field, &sample.cells[*place]).map_err(|reason| at(row, reason))
        });
        rows.push(cells.collect::<Result<Vec<_>, _>>()?);
    }
    let predicted = harness.pipe(&rows).map_err(|error| match error {
        HarnessError::Row { row, reason } => at(row, reason),
        other => whole(other.to_string()),
    })?;
    let output = harness.output();
    for (row, (sample, predicted)) in samples.rows.iter().zip(predicted).enumerate() {
        let predicted = predicted.map_err(|failure| {
            at(row, format!("the row fails: {}: {}", failure.code, failure.message))
        })?;
        for (place, due) in &expected {
            compare(samples, sample, *place, *due, &predicted, output)
                .map_err(|reason| at(row, reason))?;
        }
    }
    Ok(samples.rows.len())
}

/// What a column that is no feature expects.
#[derive(Clone, Copy)]
enum Due {
    /// The label.
    Label,
    /// The probability of a class or the value, by its index.
    Number(usize),
}

/// The columns that are features: those of the extractor, and those that are not named like a
/// part of predictions. The rows say the same behind an extractor that gives less, so what it
/// does not give is of the type that the cells have.
fn features(samples: &Samples, fields: &[Field]) -> Vec<Field> {
    let predicted = |name: &str| {
        name == "label" || name.starts_with("probabilities.") || name.starts_with("values.")
    };
    let number = |cell: &str| cell.is_empty() || cell.trim().parse::<f64>().is_ok();
    let feature = |(place, name): (usize, &String)| {
        let given = fields.iter().find(|field| field.name == *name).cloned();
        let inferred = || {
            let numbers = samples.rows.iter().all(|row| number(&row.cells[place]));
            let ty = if numbers { FieldType::Number } else { FieldType::Text };
            Field { name: name.clone(), ty }
        };
        given.or_else(|| (!predicted(name)).then(inferred))
    };
    samples.columns.iter().enumerate().filter_map(feature).collect()
}

/// The columns that are no features, and what they expect of a scorer's predictions.
fn expectations(
    samples: &Samples,
    features: &[Field],
    output: &OutputSchema,
) -> Result<Vec<(usize, Due)>, String> {
    let (table, labelled) = match output {
        OutputSchema::Classes(_) => ("probabilities", true),
        OutputSchema::Values(_) => ("values", false),
    };
    let mut expected = Vec::new();
    for (place, column) in samples.columns.iter().enumerate() {
        if features.iter().any(|field| field.name == *column) {
            continue;
        }
        let named = column.strip_prefix(table).and_then(|rest| rest.strip_prefix('.'));
        let index = named.and_then(|named| output.names().iter().position(|name| name == named));
        let due = match index {
            Some(index) => Due::Number(index),
            None if labelled && column == "label" => Due::Label,
            None => {
                let label = if labelled { "'label' and " } else { "" };
                return Err(format!(
                    "line 1: column '{column}' is not part of the predictions: expected {label}'{table}.' before each of {}",
                    quoted(output.names().iter()),
                ));
            }
        };
        expected.push((place, due));
    }
    Ok(expected)
}

/// Compares the expected value of a cell, if any, with the actual one.
fn compare(
    samples: &Samples,
    sample: &Sample,
    place: usize,
    due: Due,
    came: &Predicted,
    output: &OutputSchema,
) -> Result<(), String> {
    let (column, cell) = (&samples.columns[place], sample.cells[place].as_str());
    if cell.is_empty() {
        return Ok(());
    }
    match due {
        Due::Label => {
            let label = came.label.and_then(|label| output.names().get(label as usize));
            let label = label.map_or("none", String::as_str);
            if label == cell {
                return Ok(());
            }
            Err(format!("'{column}' is '{}', expected '{}'", shown(label), shown(cell)))
        }
        Due::Number(index) => {
            let expected = cell.trim().parse::<f64>().map_err(|_| {
                format!("'{column}': the expected value '{}' is not a number", shown(cell))
            })?;
            let came = came.values.get(index).copied().unwrap_or(f64::NAN);
            if near(expected, came, samples.tolerance) {
                return Ok(());
            }
            let tolerance = samples.tolerance;
            Err(format!("'{column}' is {came}, expected {expected} (tolerance {tolerance})"))
        }
    }
}

/// Whether a number is the expected one, within the tolerance.
fn near(expected: f64, came: f64, tolerance: f64) -> bool {
    expected == came
        || (expected - came).abs() <= tolerance * expected.abs().max(1.0) && expected.is_finite()
        || expected.is_nan() && came.is_nan()
}

/// A cell as a feature. An empty one is a missing value.
fn value(field: &Field, cell: &str) -> Result<Value, String> {
    match &field.ty {
        FieldType::Text => Ok(Value::Text(cell.to_owned())),
        FieldType::Number if cell.is_empty() => Ok(Value::Number(f64::NAN)),
        FieldType::Number => cell.trim().parse().map(Value::Number).map_err(|_| {
            let (name, cell) = (&field.name, shown(cell));
            format!("'{name}' is '{cell}', expected a number, or an empty cell for a missing value")
        }),
        FieldType::Tensor(_) => {
            Err(format!("'{}' is a tensor, which a cell cannot hold", field.name))
        }
    }
}

fn place(samples: &Samples, name: &str) -> Option<usize> {
    samples.columns.iter().position(|column| column == name)
}

fn names(fields: &[Field]) -> String {
    quoted(fields.iter().map(|field| &field.name))
}

fn quoted<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names = names.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    if names.is_empty() { "none".to_owned() } else { names }
}

/// The beginning of a text that came from a file.
fn shown(text: &str) -> Arc<str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_near_or_not() {
        assert!(near(0.5, 0.500_009, 1e-5));
        assert!(!near(0.5, 0.500_011, 1e-5));
        // Relative, beyond 1.
        assert!(near(1e6, 1e6 + 9.0, 1e-5));
        assert!(!near(1e6, 1e6 + 11.0, 1e-5));
        assert!(near(f64::INFINITY, f64::INFINITY, 0.0) && near(f64::NAN, f64::NAN, 0.0));
        assert!(!near(f64::INFINITY, 1.0, 1.0) && !near(1.0, f64::NAN, 1.0));
        assert!(!near(f64::NAN, 1.0, 1.0) && !near(1.0, f64::INFINITY, 1.0));
    }

    #[test]
    fn columns_are_told_apart() {
        let names = ["Year", "Origin", "label", "values.x", "values.y"];
        let row = |cells: [&str; 5]| Sample { line: 2, cells: cells.map(str::to_owned).into() };
        let samples = Samples {
            path: "s.csv".into(),
            tolerance: 0.0,
            columns: names.map(str::to_owned).into(),
            rows: vec![row(["1987", "", "1", "2", "3"]), row(["", "SFO", "1", "2", "3"])],
        };
        let given = Field { name: "values.y".into(), ty: FieldType::Text };
        let seen = features(&samples, std::slice::from_ref(&given));
        let field = |name: &str, ty| Field { name: name.into(), ty };
        let due = [field("Year", FieldType::Number), field("Origin", FieldType::Text), given];
        assert_eq!(seen, due);
    }

    #[test]
    fn cells_become_features() {
        let field = |ty| Field { name: "f".into(), ty };
        assert_eq!(value(&field(FieldType::Number), " 1.5").unwrap(), Value::Number(1.5));
        let missing = value(&field(FieldType::Number), "").unwrap();
        assert!(matches!(missing, Value::Number(number) if number.is_nan()));
        let text = value(&field(FieldType::Text), "1.5").unwrap();
        assert_eq!(text, Value::Text("1.5".into()));
        let error = value(&field(FieldType::Number), &"x".repeat(99)).unwrap_err();
        assert!(error.contains("xxx…', expected a number"), "{error}");
    }
}
