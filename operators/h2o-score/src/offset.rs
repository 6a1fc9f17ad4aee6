//! Where the offset of each row comes from, for a model that was trained with one.

use h2o_mojo::{Algorithm, Model};
use sandbar_operator::{Column, Error, Failure, Field, FieldType, Table};

use crate::config::{Config, MissingOffset};
use crate::source::Rejected;

/// The column that holds the offsets.
pub(crate) struct Offset {
    name: String,
    /// Position in the table; `None` where all offsets are zero.
    column: Option<usize>,
    missing: MissingOffset,
    /// The offsets of a batch, where some are missing and count as zero.
    filled: Vec<f64>,
}

impl Offset {
    /// Finds the column; `None` for a model without an offset.
    ///
    /// # Errors
    /// Where the table has no such column although the configuration does not say that
    /// offsets are zero, or one that is not of numbers.
    pub(crate) fn find(
        model: &Model,
        fields: &[Field],
        config: &Config,
    ) -> Result<Option<Offset>, Error> {
        let Some(name) = model.offset_column() else { return Ok(None) };
        let column = fields.iter().position(|field| field.name == name);
        match column.map(|column| &fields[column].ty) {
            Some(FieldType::Number) => {}
            None if config.missing_offset == MissingOffset::Zero => {}
            None => {
                return Err(format!(
                    "offset column '{name}': no such column from the extractor, but the model was \
                     trained with one: add it there, or set missing_offset = \"zero\" if it is \
                     zero in every row"
                )
                .into());
            }
            Some(_) => {
                return Err(format!(
                    "offset column '{name}': expected a number: have the extractor give it as one"
                )
                .into());
            }
        }
        let algorithm = model.algorithm();
        let counts = matches!(algorithm, Algorithm::Gbm | Algorithm::Glm | Algorithm::CoxPh);
        if !counts && column.is_some() {
            eprintln!(
                "offset column '{name}': left out, as H2O's MOJO scorer does for {algorithm}"
            );
        }
        let missing = config.missing_offset;
        Ok(Some(Offset { name: name.into(), column, missing, filled: Vec::new() }))
    }

    /// The offsets of a table's rows; `None` where all are zero.
    pub(crate) fn read<'a>(
        &'a mut self,
        table: &'a Table<'_>,
        rejected: &mut Rejected,
    ) -> Option<&'a [f64]> {
        let Some(Column::Numbers(numbers)) = self.column.and_then(|column| table.column(column))
        else {
            return None;
        };
        if !numbers.iter().any(|number| number.is_nan()) {
            return Some(numbers);
        }
        if self.missing == MissingOffset::Fail {
            let missing = numbers.iter().enumerate().filter(|(_, number)| number.is_nan());
            rejected.extend(missing.map(|(row, _)| {
                (row, Failure::missing(format!("offset column '{}': no value", self.name)))
            }));
            return Some(numbers);
        }
        self.filled.clear();
        self.filled
            .extend(numbers.iter().map(|number| if number.is_nan() { 0.0 } else { *number }));
        Some(&self.filled)
    }
}
