//! What a MOJO wants of a row, without the model: for who makes the rows.

use std::collections::HashSet;

use crate::algorithms::{coxph, gam};
use crate::archive::Archive;
use crate::encoding;
use crate::error::Error;
use crate::info::{self, Info};
use crate::limits::Limits;

/// The columns of a MOJO's rows. Only `model.ini` is read: neither trees nor weights, nor the
/// categories of columns. So a component that wants no more is small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    columns: Vec<SchemaColumn>,
    offset_column: Option<String>,
}

/// One column of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaColumn {
    /// Its name, as the table that the model was trained on had it.
    pub name: String,
    /// Whether it holds categories; numbers otherwise.
    pub is_categorical: bool,
}

impl Schema {
    /// Reads a MOJO's schema, within the default [`Limits`].
    ///
    /// # Errors
    /// [`Error`], for anything that is not a MOJO. Of which algorithm it is does not matter.
    pub fn read(bytes: &[u8]) -> Result<Schema, Error> {
        let limits = Limits::default();
        let mut archive = Archive::open(bytes, &limits)?;
        let text = archive.find(info::NAME)?.ok_or(Error::NotMojo)?;
        let text = String::from_utf8_lossy(&text);
        let info = Info::parse(&text, &limits)?;
        let count: usize = info.number("n_features")?;
        let response = usize::from(info.flag("supervised")?);
        if count == 0 || count + response > info.columns.len() {
            return Err(Error::Contradiction {
                key: "n_features".into(),
                reason: format!("{count} is out of range for {} columns", info.columns.len()),
            });
        }
        let categorical: HashSet<usize> = info.domains.iter().map(|it| it.column).collect();
        let column = |(index, name): (usize, &&str)| SchemaColumn {
            name: (*name).to_owned(),
            is_categorical: categorical.contains(&index),
        };
        let mut columns: Vec<SchemaColumn> =
            info.columns[..count].iter().enumerate().map(column).collect();
        // What the caller has may be others than what the model was trained on.
        if encoding::rewrites(&info) {
            let originals = encoding::originals(&mut archive, &info, &limits)?.into_iter();
            columns = originals
                .map(|it| SchemaColumn { name: it.name, is_categorical: it.levels > 0 })
                .collect();
        }
        // By name: the table of algorithms would bring all of them along.
        match info.text("algorithm").or(info.text("algo")) {
            Some(gam::ALIAS | gam::NAME) => {
                columns.truncate(gam::plain(&info, count)?);
                for name in gam::curves(&mut archive, &info)?.into_iter().flatten() {
                    if !columns.iter().any(|column| column.name == name) {
                        columns.push(SchemaColumn { name, is_categorical: false });
                    }
                }
            }
            Some(coxph::ALIAS | coxph::NAME) => {
                let reads = coxph::reads(&info, count)?.into_iter();
                columns = reads.filter_map(|column| columns.get(column).cloned()).collect();
            }
            _ => {}
        }
        Ok(Schema { columns, offset_column: info.text("offset_column").map(str::to_owned) })
    }

    /// The columns of a row, in their order.
    pub fn columns(&self) -> &[SchemaColumn] {
        &self.columns
    }

    /// The column of the offset, if the model was trained with one.
    pub fn offset_column(&self) -> Option<&str> {
        self.offset_column.as_deref()
    }
}
