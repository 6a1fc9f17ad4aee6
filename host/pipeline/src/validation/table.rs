//! Sample rows of features.

use sandbar_model::samples::Table;
use sandbar_sandbox::{Field, FieldType, OutputSchema, StageError};

use super::expected::{Expected, quoted, shown};
use super::predictors::{Predictors, Wrong, apart};
use crate::operator_harness::{HarnessError, Predicted, ScorerHarness, Value};

/// Has a scorer, which stands behind an extractor, reproduce the rows of a table. Returns how many
/// there are.
pub(super) fn try_rows(
    table: &Table,
    predictors: &Predictors<'_>,
    tolerance: f64,
) -> Result<usize, Wrong> {
    let rows = Rows::of(table, predictors)?;
    let mut harness = rows.harness(predictors)?;
    let output = harness.output().clone();
    let guessed: Vec<&str> = rows
        .given
        .iter()
        .map(|it| it.name.as_str())
        .filter(|name| predictors.fields.iter().all(|field| field.name != *name))
        .collect();
    let names: Vec<&str> = rows.given.iter().map(|it| it.name.as_str()).collect();
    let expected = Expected::of(table, &names, &guessed, &output, tolerance);
    let expected = expected.map_err(|reason| (None, reason))?;
    for (row, predicted) in rows.predict(&mut harness)?.into_iter().enumerate() {
        expected.compare(row, predicted)?;
    }
    Ok(table.rows.len())
}

/// The predictions of rows of features, and what they consist of.
///
/// # Errors
/// If a row fails.
pub(crate) fn predict(
    table: &Table,
    predictors: &Predictors<'_>,
) -> Result<(OutputSchema, Vec<Predicted>), Wrong> {
    let rows = Rows::of(table, predictors)?;
    let mut harness = rows.harness(predictors)?;
    let predicted = rows.predict(&mut harness)?.into_iter().enumerate().map(|(row, predicted)| {
        predicted.map_err(|it| (Some(row), format!("the row fails: {}: {}", it.code, it.message)))
    });
    let predicted = predicted.collect::<Result<_, _>>()?;
    Ok((harness.output().clone(), predicted))
}

/// The features of a table.
struct Rows {
    given: Vec<Field>,
    rows: Vec<Vec<Value>>,
}

impl Rows {
    fn of(table: &Table, predictors: &Predictors<'_>) -> Result<Self, Wrong> {
        let given = features(table, predictors.fields);
        if given.is_empty() {
            return Err((None, "line 1: no column is a feature".to_owned()));
        }
        let places: Vec<usize> = given.iter().filter_map(|it| table.place(&it.name)).collect();
        let mut rows = Vec::with_capacity(table.rows.len());
        for (row, sample) in table.rows.iter().enumerate() {
            let cells = given.iter().zip(&places).map(|(field, place)| {
                value(field, &sample.cells[*place]).map_err(|reason| (Some(row), reason))
            });
            rows.push(cells.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(Rows { given, rows })
    }

    /// The scorer, set up with the features.
    fn harness(&self, predictors: &Predictors<'_>) -> Result<ScorerHarness, Wrong> {
        let set_up = |error: StageError| {
            let names = names(&self.given);
            (None, format!("with the features of the rows ({names}): {error}"))
        };
        let operator = apart(predictors.scorer);
        ScorerHarness::new(operator, self.given.clone(), predictors.limits).map_err(set_up)
    }

    fn predict(
        &self,
        harness: &mut ScorerHarness,
    ) -> Result<Vec<Result<Predicted, sandbar_record::Failure>>, Wrong> {
        harness.pipe(&self.rows).map_err(|error| match error {
            HarnessError::Row { row, reason } => (Some(row), reason),
            other => (None, other.to_string()),
        })
    }
}

/// The columns that are features: those of the extractor, and those that are not named like a
/// part of predictions. The rows say the same behind an extractor that gives less, so what it
/// does not give is of the type that the cells have.
fn features(table: &Table, fields: &[Field]) -> Vec<Field> {
    let predicted = |name: &str| {
        name == "label" || name.starts_with("probabilities.") || name.starts_with("values.")
    };
    let number = |cell: &str| cell.is_empty() || cell.trim().parse::<f64>().is_ok();
    let feature = |(place, name): (usize, &String)| {
        let given = fields.iter().find(|field| field.name == *name).cloned();
        let inferred = || {
            let numbers = table.rows.iter().all(|row| number(&row.cells[place]));
            let ty = if numbers { FieldType::Number } else { FieldType::Text };
            Field { name: name.clone(), ty }
        };
        given.or_else(|| (!predicted(name)).then(inferred))
    };
    table.columns.iter().enumerate().filter_map(feature).collect()
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

fn names(fields: &[Field]) -> String {
    quoted(fields.iter().map(|field| &field.name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
mod tests {
    use super::*;
    use sandbar_model::samples::Sample;

    #[test]
    fn columns_are_told_apart() {
        let names = ["Year", "Origin", "label", "values.x", "values.y"];
        let row = |cells: [&str; 5]| Sample { line: 2, cells: cells.map(str::to_owned).into() };
        let table = Table {
            columns: names.map(str::to_owned).into(),
            rows: vec![row(["1987", "", "1", "2", "3"]), row(["", "SFO", "1", "2", "3"])],
        };
        let given = Field { name: "values.y".into(), ty: FieldType::Text };
        let seen = features(&table, std::slice::from_ref(&given));
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
