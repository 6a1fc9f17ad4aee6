//! Operators that are given their records or rows one by one.

use super::batches::Batches;
use super::error::HarnessError;
use super::origin::Origin;
use crate::interrupted::{Interrupted, blame};
use sandbar_record::{Batch, BatchLimits, Failure, Input};
use sandbar_sandbox::OutputSchema;
use sandbar_sandbox::{
    Blame, CallError, Column, Extractor, Field, FieldType, Operator, Scorer, StageError, Table,
    Text, Usage,
};

/// The topic of records that do not name one.
const TOPIC: &str = "input";

/// A feature of one row. Its field has the type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number; NaN where the value is missing.
    Number(f64),
    /// A text; empty where the value is missing.
    Text(String),
    /// The elements of a tensor, in row-major order, little-endian.
    Tensor(Vec<u8>),
}

/// A prediction of one row. [`ScorerHarness::output`] describes its content.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// The index of the class; `None` where the scorer gives values.
    pub label: Option<u32>,
    /// The probabilities by class, or the values.
    pub values: Vec<f64>,
}

/// An extractor that gets its records one by one.
pub struct ExtractorHarness {
    stage: Extractor,
    batches: Batches,
}

impl ExtractorHarness {
    /// Sets the operator up.
    ///
    /// # Errors
    /// If the component is of another world, or refuses its configuration.
    pub fn new(operator: Operator, limits: BatchLimits) -> Result<Self, StageError> {
        let batches = Batches::new(TOPIC, limits);
        Ok(ExtractorHarness { stage: Extractor::new(operator)?, batches })
    }

    /// The features of a row, in this order.
    pub fn fields(&self) -> &[Field] {
        self.stage.shape()
    }

    /// What the operator has used.
    pub fn usage(&self) -> Usage {
        self.stage.usage()
    }

    /// The features of records, or why they fail, batch after batch.
    ///
    /// # Errors
    /// If the operator cannot be used any more, or a record is larger than a batch
    /// can be.
    #[expect(clippy::type_complexity, reason = "a list of results with their origins")]
    pub fn pipe(
        &mut self,
        records: impl IntoIterator<Item = Input>,
    ) -> Result<Vec<(Origin, Result<Vec<Value>, Failure>)>, HarnessError> {
        let ExtractorHarness { stage, batches } = self;
        let mut results = Vec::new();
        let mut take = |batch: &Batch| {
            let rows = isolate(batch.len(), |range| match range.len() == batch.len() {
                true => extract(stage, batch),
                false => extract(stage, &batch.single(range.start)),
            });
            let rows = rows.map_err(|error| HarnessError::at(batch, Interrupted::Unusable(error)));
            results.extend(batch.records().map(|record| Origin::of(&record)).zip(rows?));
            Ok(())
        };
        for record in records {
            batches.push(&record, &mut take)?;
        }
        batches.flush(&mut take)?;
        Ok(results)
    }
}

/// A scorer that gets rows of features.
pub struct ScorerHarness {
    stage: Scorer,
    features: Vec<Field>,
    /// Rows of a table at most.
    rows: usize,
}

impl ScorerHarness {
    /// Sets the operator up behind an extractor that declares these features.
    ///
    /// # Errors
    /// If the component is of another world, or refuses its configuration or the
    /// features.
    pub fn new(
        operator: Operator,
        features: Vec<Field>,
        limits: BatchLimits,
    ) -> Result<Self, StageError> {
        let stage = Scorer::new(operator, features.clone())?;
        Ok(ScorerHarness { stage, features, rows: limits.records })
    }

    /// The classes or values of predictions.
    pub fn output(&self) -> &OutputSchema {
        self.stage.shape()
    }

    /// What the operator has used.
    pub fn usage(&self) -> Usage {
        self.stage.usage()
    }

    /// The predictions of rows, or why they fail, in order.
    ///
    /// # Errors
    /// If a row does not have the features that were declared, or the operator cannot
    /// be used any more.
    pub fn pipe(
        &mut self,
        rows: &[Vec<Value>],
    ) -> Result<Vec<Result<Predicted, Failure>>, HarnessError> {
        let ScorerHarness { stage, features, rows: most } = self;
        let mut results = Vec::with_capacity(rows.len());
        for (number, rows) in rows.chunks((*most).max(1)).enumerate() {
            // Checked first for all rows, so that a retry cannot fail because of it.
            let table = |rows: &[Vec<Value>]| {
                to_table(features, rows).map_err(|(row, reason)| HarnessError::Row {
                    row: number * *most + row,
                    reason,
                })
            };
            let whole = table(rows)?;
            let predicted = isolate(rows.len(), |range| match range.len() == rows.len() {
                true => score(stage, &whole),
                false => match table(&rows[range]) {
                    Ok(single) => score(stage, &single),
                    Err(_) => Ok(Vec::new()),
                },
            });
            results.extend(predicted.map_err(HarnessError::Unusable)?);
        }
        Ok(results)
    }
}

/// Does `work` for the whole batch or, if that fails, for each row alone.
fn isolate<T>(
    count: usize,
    mut work: impl FnMut(std::ops::Range<usize>) -> Result<Vec<Result<T, Failure>>, CallError>,
) -> Result<Vec<Result<T, Failure>>, CallError> {
    match work(0..count) {
        Err(error) if error.blame == Blame::Records => {}
        done => return done,
    }
    let mut results = Vec::with_capacity(count);
    for index in 0..count {
        match work(index..index + 1) {
            Ok(result) => results.extend(result),
            Err(error) if error.blame != Blame::Records => return Err(error),
            Err(error) => results.push(Err(blame(index, error))),
        }
    }
    Ok(results)
}

fn extract(
    stage: &mut Extractor,
    batch: &Batch,
) -> Result<Vec<Result<Vec<Value>, Failure>>, CallError> {
    let extracted = stage.extract(batch)?;
    let (name, fields) = (stage.name(), stage.shape());
    let mut failures = extracted.failures.into_iter().peekable();
    let mut row = 0;
    let results = (0..batch.len()).map(|record| {
        if let Some(failure) = failures.next_if(|failure| failure.index as usize == record) {
            let (stage, code) = (name.clone(), failure.code.into());
            return Err(Failure { record, stage, code, message: failure.message });
        }
        row += 1;
        let columns = fields.iter().zip(&extracted.table.columns);
        let rows = extracted.table.rows as usize;
        Ok(columns.map(|(_, column)| value(column, row - 1, rows)).collect())
    });
    Ok(results.collect())
}

/// A column's values for one of the rows. The sandbox has checked the lengths.
fn value(column: &Column, row: usize, rows: usize) -> Value {
    match column {
        Column::Numbers(numbers) => Value::Number(numbers[row]),
        Column::Text(Text { bytes, ends }) => {
            let start = if row == 0 { 0 } else { ends[row - 1] as usize };
            let text = &bytes[start..ends[row] as usize];
            Value::Text(String::from_utf8_lossy(text).into_owned())
        }
        Column::Tensor(data) => {
            let size = data.len() / rows;
            Value::Tensor(data[row * size..][..size].to_vec())
        }
    }
}

fn score(stage: &mut Scorer, table: &Table) -> Result<Vec<Result<Predicted, Failure>>, CallError> {
    let scored = stage.score(table)?;
    let (name, width) = (stage.name(), stage.shape().names().len());
    let mut failures = scored.failures.into_iter().peekable();
    let mut labels = scored.labels.into_iter();
    let mut values = scored.values.chunks(width.max(1));
    let results = (0..table.rows as usize).map(|record| {
        if let Some(failure) = failures.next_if(|failure| failure.index as usize == record) {
            let (stage, code) = (name.clone(), failure.code.into());
            return Err(Failure { record, stage, code, message: failure.message });
        }
        let values = values.next().unwrap_or_default().to_vec();
        Ok(Predicted { label: labels.next(), values })
    });
    Ok(results.collect())
}

/// Rows in the contract's form. The error: which row, and what is wrong with it.
fn to_table(fields: &[Field], rows: &[Vec<Value>]) -> Result<Table, (usize, String)> {
    if let Some(row) = rows.iter().position(|row| row.len() != fields.len()) {
        let (found, expected) = (rows[row].len(), fields.len());
        return Err((row, format!("expected {expected} features, got {found}")));
    }
    let column = |(place, field): (usize, &Field)| {
        let wrong = |row: usize| {
            (row, format!("the feature '{}' does not have its declared type", field.name))
        };
        let values = rows.iter().map(|row| &row[place]).enumerate();
        Ok(match &field.ty {
            FieldType::Number => Column::Numbers(
                values
                    .map(|(row, value)| match value {
                        Value::Number(number) => Ok(*number),
                        _ => Err(wrong(row)),
                    })
                    .collect::<Result<_, _>>()?,
            ),
            FieldType::Text => {
                let (mut bytes, mut ends) = (Vec::new(), Vec::new());
                for (row, value) in values {
                    let Value::Text(text) = value else { return Err(wrong(row)) };
                    bytes.extend_from_slice(text.as_bytes());
                    ends.push(u32::try_from(bytes.len()).map_err(|_| wrong(row))?);
                }
                Column::Text(Text { bytes, ends })
            }
            FieldType::Tensor(shape) => {
                let expected = sandbar_sandbox::row_bytes(shape);
                let mut data = Vec::new();
                for (row, value) in values {
                    match value {
                        Value::Tensor(bytes) if Some(bytes.len()) == expected => data.extend(bytes),
                        _ => return Err(wrong(row)),
                    }
                }
                Column::Tensor(data)
            }
        })
    };
    let columns = fields.iter().enumerate().map(column).collect::<Result<_, _>>()?;
    let rows = u32::try_from(rows.len()).map_err(|error| (0, error.to_string()))?;
    Ok(Table { rows, columns })
}
