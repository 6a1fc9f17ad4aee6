//! Records to features: the trait, the row that it fills, and what runs it.

use serde::de::DeserializeOwned;

use crate::bindings::extraction::Extracted;
use crate::bindings::types::{self, Batch};
use crate::error::{Error, Failure};
use crate::field::{Field, FieldType};
use crate::record::{Record, records};
use crate::setup::Setup;

/// Turns each record into one row of features. Export it with [`extractor!`](crate::extractor).
pub trait Extractor: Sized + 'static {
    /// The stage's `config` table. Give it `#[serde(deny_unknown_fields)]`, so that
    /// a typo is an error. Without any configuration: [`NoConfig`](crate::NoConfig).
    type Config: DeserializeOwned;

    /// Called once, before anything else.
    ///
    /// # Errors
    /// What is wrong with the configuration, for the pipeline's author.
    fn configure(config: Self::Config, setup: &Setup) -> Result<Self, Error>;

    /// The features that every row has, at least one, with different names. Asked
    /// once, after `configure`.
    fn features(&self) -> Vec<Field>;

    /// Fills the row with one cell per feature, in the order of
    /// [`features`](Extractor::features).
    ///
    /// # Errors
    /// Why this record gives no row. What was filled already is taken back.
    fn extract(&mut self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Failure>;
}

/// The row that [`Extractor::extract`] fills, cell by cell from left to right.
///
/// A cell of another type than its feature, one too many or one too few make the
/// record fail with the code `internal` and the name of the feature.
pub struct Row<'a> {
    columns: &'a mut [Cells],
    next: usize,
    /// The first cell that did not fit, and what it was.
    mismatch: Option<(usize, &'static str)>,
}

impl Row<'_> {
    /// The next cell is a number. NaN means that it is missing.
    #[inline]
    pub fn number(&mut self, value: f64) {
        match self.columns.get_mut(self.next) {
            Some(Cells::Numbers(numbers)) => numbers.push(value),
            _ => self.mismatch("a number"),
        }
        self.next += 1;
    }

    /// The next cell is text. The empty text means that it is missing.
    #[inline]
    pub fn text(&mut self, value: &str) {
        match self.columns.get_mut(self.next) {
            Some(Cells::Text { bytes, ends }) => {
                bytes.extend_from_slice(value.as_bytes());
                ends.push(bytes.len() as u32);
            }
            _ => self.mismatch("text"),
        }
        self.next += 1;
    }

    /// The next cell is a tensor: its elements in row-major order, little-endian.
    #[inline]
    pub fn tensor(&mut self, elements: &[u8]) {
        match self.columns.get_mut(self.next) {
            Some(Cells::Tensor { data, row }) if elements.len() == *row => {
                data.extend_from_slice(elements);
            }
            _ => self.mismatch("a tensor of another size"),
        }
        self.next += 1;
    }

    /// The next cell is missing: a number or text. (There is no missing tensor.)
    #[inline]
    pub fn missing(&mut self) {
        match self.columns.get_mut(self.next) {
            Some(Cells::Numbers(numbers)) => numbers.push(f64::NAN),
            Some(Cells::Text { bytes, ends }) => ends.push(bytes.len() as u32),
            _ => self.mismatch("nothing"),
        }
        self.next += 1;
    }

    #[cold]
    fn mismatch(&mut self, what: &'static str) {
        self.mismatch.get_or_insert((self.next, what));
    }

    #[inline]
    fn finish(&self, fields: &[Field]) -> Result<(), Failure> {
        if self.mismatch.is_none() && self.next == fields.len() {
            return Ok(());
        }
        Err(self.fault(fields))
    }

    #[cold]
    fn fault(&self, fields: &[Field]) -> Failure {
        let (column, what) = self.mismatch.unwrap_or((self.next, "no cell"));
        Failure::internal(match fields.get(column) {
            Some(field) => format!("feature '{}': got {what} from the extractor", field.name),
            None => {
                format!("expected {} cells for a row, got more from the extractor", fields.len())
            }
        })
    }
}

/// A column while it is being filled.
enum Cells {
    Numbers(Vec<f64>),
    Text {
        bytes: Vec<u8>,
        ends: Vec<u32>,
    },
    Tensor {
        data: Vec<u8>,
        /// Bytes of one row.
        row: usize,
    },
}

/// How much text is reserved at most before it is there: one batch of huge texts
/// shall not make all later ones reserve as much.
const TEXT_RESERVE: usize = 1 << 20;

/// The same for tensors, whose size is known: a batch whose records nearly all fail
/// shall not run into the memory limit for it.
const TENSOR_RESERVE: usize = 32 << 20;

impl Cells {
    /// A column with room for `rows`, and for `text` bytes of text.
    fn with_capacity(ty: &FieldType, rows: usize, text: usize) -> Cells {
        match ty {
            FieldType::Number => Cells::Numbers(Vec::with_capacity(rows)),
            FieldType::Text => Cells::Text {
                bytes: Vec::with_capacity(text.min(TEXT_RESERVE)),
                ends: Vec::with_capacity(rows),
            },
            FieldType::Tensor(shape) => {
                let row = shape.row_bytes();
                let reserve = rows.saturating_mul(row).min(TENSOR_RESERVE);
                Cells::Tensor { data: Vec::with_capacity(reserve), row }
            }
        }
    }

    /// Drops what lies behind the first `rows`.
    fn truncate(&mut self, rows: usize) {
        match self {
            Cells::Numbers(numbers) => numbers.truncate(rows),
            Cells::Text { bytes, ends } => {
                ends.truncate(rows);
                bytes.truncate(ends.last().map_or(0, |end| *end as usize));
            }
            Cells::Tensor { data, row } => data.truncate(rows * *row),
        }
    }

    fn finish(self) -> types::Column {
        match self {
            Cells::Numbers(numbers) => types::Column::Numbers(numbers),
            Cells::Text { bytes, ends } => types::Column::Text(types::Text { bytes, ends }),
            Cells::Tensor { data, .. } => types::Column::Tensor(data),
        }
    }
}

/// A configured extractor, and what is known about its columns.
pub struct Extraction<E> {
    operator: E,
    fields: Vec<Field>,
    /// Bytes of text of each column in the last batch: the room for the next one.
    text: Vec<usize>,
}

impl<E: Extractor> Extraction<E> {
    pub(crate) fn new(config: E::Config, setup: &Setup) -> Result<Extraction<E>, Error> {
        let operator = E::configure(config, setup)?;
        let fields = operator.features();
        let text = vec![0; fields.len()];
        Ok(Extraction { operator, fields, text })
    }

    /// Configures the extractor with what the host says.
    ///
    /// # Errors
    /// Those of its configuration.
    pub fn configure(setup: types::Setup) -> Result<Extraction<E>, String> {
        Setup::read(setup)
            .and_then(|(config, setup)| Self::new(config, &setup))
            .map_err(Error::into_message)
    }

    /// What the extractor declared.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Extracts one batch.
    pub fn extract(&mut self, batch: &Batch) -> Extracted {
        let count = batch.offsets.len();
        let mut columns: Vec<Cells> = self
            .fields
            .iter()
            .zip(&self.text)
            .map(|(field, text)| Cells::with_capacity(&field.ty, count, *text))
            .collect();
        let mut rows = 0;
        let mut failures = Vec::new();
        for record in records(batch) {
            let mut row = Row { columns: &mut columns, next: 0, mismatch: None };
            let result = self.operator.extract(&record, &mut row);
            match result.and_then(|()| row.finish(&self.fields)) {
                Ok(()) => rows += 1,
                Err(failure) => {
                    columns.iter_mut().for_each(|column| column.truncate(rows));
                    failures.push(failure.at(record.index()));
                }
            }
        }
        for (column, text) in columns.iter().zip(&mut self.text) {
            if let Cells::Text { bytes, .. } = column {
                *text = bytes.len() + bytes.len() / 8;
            }
        }
        let columns = columns.into_iter().map(Cells::finish).collect();
        Extracted { table: types::Table { rows: rows as u32, columns }, failures }
    }
}
