//! The table, its cells written once in the form in which records get them.

use std::collections::{BTreeMap, HashMap};

use sandbar_operator::Error;
use sandbar_operator::text::{self, csv};
use serde_json::{Map, Value};

use crate::config::{Config, Format, Into};

/// Rows by their keys.
#[derive(Debug)]
pub(crate) struct Table {
    /// What the added fields or headers are called, `prefix` included.
    pub(crate) names: Vec<String>,
    /// Rows by their keys. The row 0 is one of empty cells.
    rows: HashMap<Box<[u8]>, usize>,
    /// All cells, row after row.
    bytes: Vec<u8>,
    /// Where each cell ends.
    ends: Vec<usize>,
}

/// One cell before it is written.
enum Cell<'a> {
    Empty,
    Text(&'a str),
    /// In JSON as it stands; elsewhere like a text.
    Bare(&'a str),
}

/// How cells are written.
struct Form {
    into: Into,
    format: Format,
    separator: u8,
}

impl Table {
    /// The row of a key, for [`Table::cells`].
    pub(crate) fn row(&self, key: &[u8]) -> Option<usize> {
        self.rows.get(key).copied()
    }

    /// The row for records that have none: its cells are empty.
    pub(crate) const EMPTY: usize = 0;

    /// The cells of a row, one for each of the names.
    pub(crate) fn cells(&self, row: usize) -> impl Iterator<Item = &[u8]> {
        let width = self.names.len();
        (row * width..(row + 1) * width).map(|cell| {
            let start = cell.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.bytes[start..self.ends[cell]]
        })
    }

    /// Reads CSV whose first line names the columns.
    ///
    /// # Errors
    /// Where it is not that, a key is missing or there twice, a column that the
    /// configuration names is not there, or one of its numbers is none.
    pub(crate) fn from_csv(bytes: &[u8], config: &Config) -> Result<Table, Error> {
        let mut rows = csv::Rows::new(text::bytes(bytes)?, b',');
        let header = rows.next().map(|(line, row)| cells(row).map_err(at(line))).transpose()?;
        let header = header.unwrap_or_default();
        let key_name = config.table_key.as_ref().or(header.first()).cloned().unwrap_or_default();
        let key = place(&key_name, &header)?;
        let others = header.iter().filter(|name| **name != key_name).cloned();
        let columns = config.columns.clone().unwrap_or_else(|| others.collect());
        let places: Vec<usize> =
            columns.iter().map(|name| place(name, &header)).collect::<Result<_, _>>()?;
        let mut table = Table::new(&columns, config)?;
        let form = Form::of(config)?;
        for (line, row) in rows {
            let row = cells(row).map_err(at(line))?;
            if row.len() != header.len() {
                let (expected, got) = (header.len(), row.len());
                return Err(at(line)(format!("expected {expected} columns, got {got}").into()));
            }
            let cells =
                places.iter().zip(&columns).map(|(place, column)| match row[*place].as_str() {
                    "" => Ok(Cell::Empty),
                    text if config.numbers.contains(column) => number(text)
                        .map(Cell::Bare)
                        .map_err(|error| error.context(format_args!("{column}"))),
                    text => Ok(Cell::Text(text)),
                });
            table.add(&row[key], cells, &form).map_err(at(line))?;
        }
        Ok(table)
    }

    /// Takes the rows that stand in the configuration.
    ///
    /// # Errors
    /// Where a cell is neither a text nor a number nor a boolean, or a column that the
    /// configuration names is in no row.
    pub(crate) fn from_rows(
        rows: &BTreeMap<String, Map<String, Value>>,
        config: &Config,
    ) -> Result<Table, Error> {
        let mut known: Vec<String> = rows.values().flat_map(Map::keys).cloned().collect();
        known.sort();
        known.dedup();
        let columns = config.columns.clone().unwrap_or_else(|| known.clone());
        columns.iter().try_for_each(|name| place(name, &known).map(drop))?;
        let mut table = Table::new(&columns, config)?;
        let form = Form::of(config)?;
        for (key, row) in rows {
            let texts = columns.iter().map(|column| match row.get(column) {
                None => Ok((String::new(), false)),
                Some(Value::String(text)) => Ok((text.clone(), false)),
                Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok((value.to_string(), true)),
                Some(_) => {
                    Err(Error::from(format!("{column}: expected a string, number or boolean")))
                }
            });
            let texts: Result<Vec<_>, Error> = texts.collect();
            let at = |error: Error| error.context(format_args!("`rows`: '{key}'"));
            let texts = texts.map_err(at)?;
            let cells = texts.iter().map(|(text, bare)| {
                Ok(match text.as_str() {
                    "" => Cell::Empty,
                    text if *bare => Cell::Bare(text),
                    text => Cell::Text(text),
                })
            });
            table.add(key, cells, &form).map_err(at)?;
        }
        Ok(table)
    }

    /// A table of no rows.
    fn new(columns: &[String], config: &Config) -> Result<Table, Error> {
        if columns.is_empty() {
            return Err("no columns to add: name at least one in `columns`".into());
        }
        for (index, column) in columns.iter().enumerate() {
            if columns[..index].contains(column) {
                return Err(format!("`columns`: duplicate column '{column}'").into());
            }
        }
        if let Some(name) = config.numbers.iter().find(|name| !columns.contains(name)) {
            return Err(format!("`numbers`: '{name}' is not an added column").into());
        }
        let names = columns.iter().map(|column| format!("{}{column}", config.prefix)).collect();
        let mut table = Table { names, rows: HashMap::new(), bytes: Vec::new(), ends: Vec::new() };
        let form = Form::of(config)?;
        columns.iter().enumerate().for_each(|(column, _)| table.write(column, Cell::Empty, &form));
        Ok(table)
    }

    fn add<'a>(
        &mut self,
        key: &str,
        cells: impl Iterator<Item = Result<Cell<'a>, Error>>,
        form: &Form,
    ) -> Result<(), Error> {
        if key.is_empty() {
            return Err("the row has no key".into());
        }
        let row = self.ends.len() / self.names.len();
        if self.rows.insert(key.as_bytes().into(), row).is_some() {
            return Err(format!("duplicate key '{key}'").into());
        }
        for (column, cell) in cells.enumerate() {
            self.write(column, cell?, form);
        }
        Ok(())
    }

    fn write(&mut self, column: usize, cell: Cell<'_>, form: &Form) {
        let bytes = &mut self.bytes;
        match (form.into, form.format, cell) {
            (Into::Headers, _, Cell::Text(text) | Cell::Bare(text)) => {
                bytes.extend_from_slice(text.as_bytes());
            }
            (Into::Value, Format::Csv, Cell::Text(text) | Cell::Bare(text)) => {
                csv::write(text.as_bytes(), form.separator, bytes);
            }
            (Into::Value, Format::Json, cell) => {
                let value = match cell {
                    Cell::Empty => "null".to_owned(),
                    Cell::Text(text) => Value::from(text).to_string(),
                    Cell::Bare(text) => text.to_owned(),
                };
                let name = Value::from(self.names[column].as_str());
                bytes.extend_from_slice(format!("{name}:{value}").as_bytes());
            }
            (_, _, Cell::Empty) => {}
        }
        self.ends.push(bytes.len());
    }
}

impl Form {
    fn of(config: &Config) -> Result<Form, Error> {
        let Config { into, format, .. } = config;
        Ok(Form { into: *into, format: *format, separator: config.separator()? })
    }
}

fn place(name: &str, header: &[String]) -> Result<usize, Error> {
    let mut places = header.iter().enumerate().filter(|(_, it)| *it == name);
    match (places.next(), places.next()) {
        (Some((place, _)), None) => Ok(place),
        (Some(_), Some(_)) => Err(format!("duplicate column '{name}' in the table").into()),
        (None, _) => {
            let known = header.join(", ");
            Err(format!("no column '{name}' in the table: use any of {known}").into())
        }
    }
}

/// What a row's columns say.
fn cells(row: Result<Vec<csv::Column<'_>>, text::Fault>) -> Result<Vec<String>, Error> {
    let text = |column: &csv::Column<'_>| {
        String::from_utf8(column.bytes().into_owned()).map_err(|_| text::Fault::NotUtf8.into())
    };
    row?.iter().map(text).collect()
}

/// Where in the table an error is.
fn at(line: usize) -> impl Fn(Error) -> Error {
    move |error| error.context(format_args!("line {line}"))
}

/// A number as JSON has it, without the space around it: it becomes part of records.
fn number(text: &str) -> Result<&str, Error> {
    text::number(text.as_bytes())?;
    let text = text.trim_ascii();
    match serde_json::from_str::<serde_json::Number>(text) {
        Ok(_) => Ok(text),
        Err(_) => Err(format!("not a number in JSON: {text:?}").into()),
    }
}
