//! The predictions that a table of samples expects.

use std::sync::Arc;

use sandbar_model::samples::{Sample, Table};
use sandbar_sandbox::OutputSchema;

use super::predictors::Wrong;
use crate::operator_harness::Predicted;
use sandbar_record::Failure;

/// Characters of a cell that errors show.
const SHOWN: usize = 40;
/// Classes of which a written table has all probabilities; of more, only those that are a label.
const CLASSES: usize = 20;

/// The columns of a table that are expected values, and what they expect.
pub(super) struct Expected<'a> {
    table: &'a Table,
    columns: Vec<(usize, Due)>,
    output: &'a OutputSchema,
    tolerance: f64,
}

/// What a column expects.
#[derive(Debug, Clone, Copy)]
enum Due {
    /// The label.
    Label,
    /// The probability of a class or the value, by its index.
    Number(usize),
}

impl<'a> Expected<'a> {
    /// The columns that are not `given` to the stages, and what they expect of predictions.
    /// Those that are `guessed` to be features must not be called nearly as what is expected.
    pub(super) fn of(
        table: &'a Table,
        given: &[&str],
        guessed: &[&str],
        output: &'a OutputSchema,
        tolerance: f64,
    ) -> Result<Self, String> {
        let (prefix, labelled) = prefix(output);
        let all = || {
            let label = if labelled { "'label' and " } else { "" };
            let names = quoted(output.names().iter());
            format!("expected {label}'{prefix}.' before each of {names}")
        };
        let mut columns = Vec::new();
        for (place, column) in table.columns.iter().enumerate() {
            if given.contains(&column.as_str()) {
                if guessed.contains(&column.as_str())
                    && let Some(near) = nearly(column, output)
                {
                    return Err(format!(
                        "line 1: column '{column}' would be a feature, which the extractor does not give: did you mean '{near}'? Rename it"
                    ));
                }
                continue;
            }
            let named = column.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.'));
            let index =
                named.and_then(|named| output.names().iter().position(|name| name == named));
            let due = match index {
                Some(index) => Due::Number(index),
                None if labelled && column == "label" => Due::Label,
                None => {
                    return Err(format!(
                        "line 1: column '{column}' is not part of the predictions: {}",
                        all()
                    ));
                }
            };
            columns.push((place, due));
        }
        Ok(Expected { table, columns, output, tolerance })
    }

    /// Compares the prediction of a row.
    pub(super) fn compare(
        &self,
        row: usize,
        predicted: Result<Predicted, Failure>,
    ) -> Result<(), Wrong> {
        let at = |reason: String| (Some(row), reason);
        let predicted = predicted.map_err(|failure| {
            at(format!("the row fails: {}: {}", failure.code, failure.message))
        })?;
        for (place, due) in &self.columns {
            let (column, cell) = (&self.table.columns[*place], &self.table.rows[row].cells[*place]);
            let same = compare(column, cell, *due, &predicted, self.output, self.tolerance);
            same.map_err(at)?;
        }
        Ok(())
    }
}

/// What expected numbers are called, and whether there are labels.
fn prefix(output: &OutputSchema) -> (&'static str, bool) {
    match output {
        OutputSchema::Classes(_) => ("probabilities", true),
        OutputSchema::Values(_) => ("values", false),
    }
}

/// What is expected under nearly this name, if anything is: as a feature it would not be compared.
fn nearly(column: &str, output: &OutputSchema) -> Option<String> {
    let (prefix, labelled) = prefix(output);
    let lower = column.to_lowercase();
    // What H2O and pandas call the prediction itself.
    let single = ["label", "labels", "lable", "predict", "prediction", "predicted"];
    if single.contains(&lower.as_str()) {
        let first = output.names().first().map(|name| format!("{prefix}.{name}"));
        return if labelled { Some("label".to_owned()) } else { first };
    }
    let numbers = ["probability", "probabilities", "value", "values"];
    let (stem, _) = lower.split_once('.').filter(|(stem, _)| numbers.contains(stem))?;
    Some(format!("{prefix}.{}", &column[stem.len() + 1..]))
}

/// A table with the predictions of its rows as expected values.
pub(crate) fn answers(table: &Table, output: &OutputSchema, predicted: &[Predicted]) -> Table {
    let (prefix, labelled) = prefix(output);
    let label = |it: &Predicted| it.label.map(|label| label as usize);
    let few = output.names().len() <= CLASSES || !labelled;
    let kept = |index: &usize| few || predicted.iter().any(|it| label(it) == Some(*index));
    let indices: Vec<usize> = (0..output.names().len()).filter(kept).collect();
    let mut columns = table.columns.clone();
    columns.extend(labelled.then(|| "label".to_owned()));
    columns.extend(indices.iter().map(|index| format!("{prefix}.{}", output.names()[*index])));
    let rows = table.rows.iter().zip(predicted).map(|(row, predicted)| {
        let mut cells = row.cells.clone();
        if labelled {
            let name = label(predicted).and_then(|label| output.names().get(label));
            cells.push(name.cloned().unwrap_or_default());
        }
        cells.extend(indices.iter().map(|index| predicted.values[*index].to_string()));
        Sample { line: row.line, cells }
    });
    Table { columns, rows: rows.collect() }
}

/// Compares the expected value of a cell, if any, with the actual one.
fn compare(
    column: &str,
    cell: &str,
    due: Due,
    came: &Predicted,
    output: &OutputSchema,
    tolerance: f64,
) -> Result<(), String> {
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
            if near(expected, came, tolerance) {
                return Ok(());
            }
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

pub(super) fn quoted<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names = names.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    if names.is_empty() { "none".to_owned() } else { names }
}

/// The beginning of a text that came from a file.
pub(super) fn shown(text: &str) -> Arc<str> {
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
    fn answers_are_what_is_expected() {
        let classes = OutputSchema::Classes(vec!["a".into(), "b, c".into()]);
        let table = Table::read(b"x\n1\n2\n").unwrap();
        let predicted =
            [0.25, 0.5].map(|it| Predicted { label: Some(1), values: vec![it, 1.0 - it] });
        let table = answers(&table, &classes, &predicted);
        let written = table.write();
        assert_eq!(
            written,
            "x,label,probabilities.a,\"probabilities.b, c\"\n1,\"b, c\",0.25,0.75\n2,\"b, c\",0.5,0.5\n"
        );
        let table = Table::read(written.as_bytes()).unwrap();
        let expected = Expected::of(&table, &["x"], &[], &classes, 1e-5).unwrap();
        for (row, predicted) in predicted.into_iter().enumerate() {
            assert_eq!(expected.compare(row, Ok(predicted)), Ok(()));
        }
        let other = Predicted { label: Some(0), values: vec![0.5, 0.5] };
        let error = expected.compare(1, Ok(other)).unwrap_err();
        assert_eq!(error, (Some(1), "'label' is 'a', expected 'b, c'".into()));
        // Many classes: those that are a label.
        let many = OutputSchema::Classes((0..50).map(|it| it.to_string()).collect());
        let one = Predicted { label: Some(7), values: vec![0.02; 50] };
        let table = answers(&Table::read(b"x\n1\n").unwrap(), &many, &[one]);
        assert_eq!(table.columns, ["x", "label", "probabilities.7"]);
    }

    #[test]
    fn a_column_that_is_nearly_an_answer_is_none() {
        let classes = OutputSchema::Classes(vec!["YES".into(), "NO".into()]);
        for (column, near) in
            [("Label", "label"), ("predict", "label"), ("probability.YES", "probabilities.YES")]
        {
            let table = Table::read(format!("x,{column}\n1,2\n").as_bytes()).unwrap();
            let given = ["x", column];
            let error = Expected::of(&table, &given, &given, &classes, 0.0).err().unwrap();
            assert!(error.contains(&format!("did you mean '{near}'")), "{error}");
            assert!(Expected::of(&table, &given, &["x"], &classes, 0.0).is_ok(), "given");
            let error = Expected::of(&table, &["x"], &["x"], &classes, 0.0).err().unwrap();
            assert!(error.contains("is not part of the predictions"), "{error}");
        }
    }
}
