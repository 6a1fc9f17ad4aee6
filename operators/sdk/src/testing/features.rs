//! Tables of features, cell by cell.

use super::outcomes::outcomes;
use crate::bindings::scoring::{Output, Scored};
use crate::bindings::types;
use crate::error::Failure;
use crate::field::Field;
use crate::table::{Column, Table};

/// One cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A number or text that is missing.
    Missing,
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
    /// The elements of a tensor, little-endian.
    Tensor(Vec<u8>),
}

impl Cell {
    /// A cell of text.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }
}

/// A table of features, to be built row by row, or as an extractor gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    fields: Vec<Field>,
    table: types::Table,
}

impl Features {
    /// A table of no rows.
    pub fn new(fields: impl Into<Vec<Field>>) -> Features {
        let fields = fields.into();
        let empty = |field: &Field| match &field.ty {
            types::FieldType::Number => types::Column::Numbers(Vec::new()),
            types::FieldType::Text => {
                types::Column::Text(types::Text { bytes: Vec::new(), ends: Vec::new() })
            }
            types::FieldType::Tensor(_) => types::Column::Tensor(Vec::new()),
        };
        let columns = fields.iter().map(empty).collect();
        Features { fields, table: types::Table { rows: 0, columns } }
    }

    /// With one row more.
    ///
    /// # Panics
    /// Where the cells are not those of the fields: the test is wrong.
    #[must_use]
    pub fn row(mut self, cells: impl IntoIterator<Item = Cell>) -> Features {
        let cells: Vec<Cell> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.fields.len(), "a row has one cell for each field");
        for (cell, column) in cells.into_iter().zip(&mut self.table.columns) {
            match (cell, column) {
                (Cell::Number(number), types::Column::Numbers(numbers)) => numbers.push(number),
                (Cell::Missing, types::Column::Numbers(numbers)) => numbers.push(f64::NAN),
                (Cell::Text(value), types::Column::Text(text)) => {
                    text.bytes.extend_from_slice(value.as_bytes());
                    text.ends.push(text.bytes.len() as u32);
                }
                (Cell::Missing, types::Column::Text(text)) => {
                    text.ends.push(text.bytes.len() as u32);
                }
                (Cell::Tensor(elements), types::Column::Tensor(data)) => data.extend(elements),
                (cell, _) => panic!("{cell:?} is not of its field's type: {:?}", self.fields),
            }
        }
        self.table.rows += 1;
        self
    }

    pub(crate) fn from_table(fields: Vec<Field>, table: types::Table) -> Features {
        Features { fields, table }
    }

    pub(crate) fn table(&self) -> &types::Table {
        &self.table
    }

    /// Names and types of the columns.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.table.rows as usize
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cells of each row.
    pub fn rows(&self) -> Vec<Vec<Cell>> {
        let table = Table::new(&self.fields, &self.table);
        let columns: Vec<Column<'_>> =
            (0..self.fields.len()).filter_map(|index| table.column(index)).collect();
        (0..self.len())
            .map(|row| columns.iter().map(|column| cell(column, row)).collect())
            .collect()
    }
}

fn cell(column: &Column<'_>, row: usize) -> Cell {
    match column {
        Column::Numbers(numbers) if numbers[row].is_nan() => Cell::Missing,
        Column::Numbers(numbers) => Cell::Number(numbers[row]),
        Column::Text(text) if text.get(row).is_empty() => Cell::Missing,
        Column::Text(text) => Cell::text(text.get(row)),
        Column::Tensor(tensor) => Cell::Tensor(tensor.get(row).to_vec()),
    }
}

/// What an extractor made of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Extracted {
    pub(super) records: usize,
    /// The rows of the records that did not fail, to be given to a scorer.
    pub features: Features,
    pub(super) failures: Vec<types::Failure>,
}

impl Extracted {
    /// What each record gave.
    pub fn rows(&self) -> Vec<Result<Vec<Cell>, Failure>> {
        outcomes(self.records, self.features.rows(), &self.failures)
    }
}

/// What a scorer made of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Prediction {
    /// A class.
    Class {
        /// Its name.
        label: String,
        /// A probability for each class.
        probabilities: Vec<f64>,
    },
    /// A number for each name of the output.
    Values(Vec<f64>),
}

impl Prediction {
    /// The class, if it is one.
    pub fn label(&self) -> Option<&str> {
        match self {
            Prediction::Class { label, .. } => Some(label),
            Prediction::Values(_) => None,
        }
    }

    /// The probabilities or values.
    pub fn numbers(&self) -> &[f64] {
        match self {
            Prediction::Class { probabilities, .. } => probabilities,
            Prediction::Values(values) => values,
        }
    }
}

pub(super) fn predictions(output: &Output, scored: &Scored) -> Vec<Prediction> {
    let rows = scored.values.chunks(output.names().len().max(1));
    match output {
        Output::Classes(classes) => rows
            .zip(&scored.labels)
            .map(|(row, label)| Prediction::Class {
                label: classes[*label as usize].clone(),
                probabilities: row.to_vec(),
            })
            .collect(),
        Output::Values(_) => rows.map(|row| Prediction::Values(row.to_vec())).collect(),
    }
}
