//! Tables of features as a scorer sees them: views of their columns.

use crate::bindings::types;
use crate::field::{Field, FieldType, TensorShape};

/// Features of some rows. A view: nothing is copied.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    fields: &'a [Field],
    table: &'a types::Table,
}

impl<'a> Table<'a> {
    pub(crate) fn new(fields: &'a [Field], table: &'a types::Table) -> Table<'a> {
        Table { fields, table }
    }

    /// How many rows there are.
    #[inline]
    pub fn rows(&self) -> usize {
        self.table.rows as usize
    }

    /// Names and types of the columns: those that `configure` was given.
    pub fn fields(&self) -> &'a [Field] {
        self.fields
    }

    /// The column at a position. Take it once per batch: for text its bytes are
    /// checked each time.
    pub fn column(&self, index: usize) -> Option<Column<'a>> {
        let field = self.fields.get(index)?;
        Some(match self.table.columns.get(index)? {
            types::Column::Numbers(numbers) => Column::Numbers(numbers),
            types::Column::Text(text) => Column::Text(Text {
                // The host has checked it; this is what makes it a `str` without `unsafe`.
                text: std::str::from_utf8(&text.bytes).unwrap_or_default(),
                ends: &text.ends,
            }),
            types::Column::Tensor(data) => {
                let FieldType::Tensor(shape) = &field.ty else { return None };
                Column::Tensor(Tensor { shape, data })
            }
        })
    }

    /// The column of this name. Scorers for speed look the position up once, in
    /// `configure`.
    pub fn named(&self, name: &str) -> Option<Column<'a>> {
        self.column(self.fields.iter().position(|field| field.name == name)?)
    }
}

/// One feature of all rows.
#[derive(Clone, Copy)]
pub enum Column<'a> {
    /// A number per row; NaN where it is missing.
    Numbers(&'a [f64]),
    /// A text per row.
    Text(Text<'a>),
    /// A tensor per row.
    Tensor(Tensor<'a>),
}

/// A text per row; empty where it is missing.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    text: &'a str,
    ends: &'a [u32],
}

impl<'a> Text<'a> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of a row; empty past the last row.
    #[inline]
    pub fn get(&self, row: usize) -> &'a str {
        let Some(end) = self.ends.get(row) else { return "" };
        let start = match row {
            0 => 0,
            _ => self.ends[row - 1],
        };
        self.text.get(start as usize..*end as usize).unwrap_or_default()
    }

    /// The texts, row by row.
    pub fn iter(self) -> impl ExactSizeIterator<Item = &'a str> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let range = start..*end as usize;
            start = range.end;
            self.text.get(range).unwrap_or_default()
        })
    }
}

/// A tensor of one shape per row.
#[derive(Clone, Copy)]
pub struct Tensor<'a> {
    shape: &'a TensorShape,
    data: &'a [u8],
}

impl<'a> Tensor<'a> {
    /// Type and dimensions of one row.
    pub fn shape(&self) -> &'a TensorShape {
        self.shape
    }

    /// The elements of all rows end to end, row-major, little-endian.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The elements of a row; empty past the last row.
    pub fn get(&self, row: usize) -> &'a [u8] {
        let bytes = self.shape.row_bytes();
        let start = row.saturating_mul(bytes);
        self.data.get(start..start.saturating_add(bytes)).unwrap_or_default()
    }
}
