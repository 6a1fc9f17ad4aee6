//! What the pipeline says.

use std::collections::BTreeMap;

use sandbar_operator::Error;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The stage's configuration. Keys that are not named here are an error.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where in a record the key is.
    pub key: Key,
    /// What the values of records are. Default: JSON. Of no meaning where nothing of the
    /// value is needed.
    #[serde(default)]
    pub format: Format,
    /// Where the columns go. Default: into the value.
    #[serde(default)]
    pub into: Into,
    /// The columns that are added, in this order. Default: all but the table's key.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// The added columns that are numbers in JSON; the others are strings. Default: none.
    #[serde(default)]
    pub numbers: Vec<String>,
    /// Stands before the name of each added field or header. Default: nothing.
    #[serde(default)]
    pub prefix: String,
    /// The column of the table that has the keys. Default: its first.
    #[serde(default)]
    pub table_key: Option<String>,
    /// The table, row by row under their keys, instead of a model.
    #[serde(default)]
    pub rows: Option<BTreeMap<String, Map<String, Value>>>,
    /// What happens to a record whose key is not in the table. Default: it fails.
    #[serde(default)]
    pub on_miss: Absent,
    /// What happens to a record without a key. Default: it fails.
    #[serde(default)]
    pub on_no_key: Absent,
    /// What happens to a record that has a field or header of an added name already.
    /// Default: it fails.
    #[serde(default)]
    pub existing: Existing,
    /// What separates the columns of records in CSV: one ASCII character. Default: `,`.
    #[serde(default = "comma")]
    pub separator: char,
}

fn comma() -> char {
    ','
}

/// Where in a record the key is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Key {
    /// A field of the JSON object. A number or boolean is taken as it is written.
    Field(String),
    /// A column of the line of CSV, from 1.
    Column(usize),
    /// The last header of this name.
    Header(String),
    /// The record's own key.
    RecordKey,
}

/// What the values of records are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object.
    #[default]
    Json,
    /// One line of CSV.
    Csv,
}

/// Where the columns go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Into {
    /// To the end of the JSON object or line.
    #[default]
    Value,
    /// Into headers.
    Headers,
}

/// What happens to a record for which there is no row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Absent {
    /// It becomes a dead letter.
    #[default]
    Fail,
    /// It gets the columns, all of them empty.
    Empty,
    /// It goes on as it is.
    Pass,
    /// It is filtered out.
    Drop,
}

/// What happens to a record that has a field or header of an added name already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Existing {
    /// It becomes a dead letter.
    #[default]
    Fail,
    /// It keeps what it has, and gets the other columns.
    Keep,
}

impl Config {
    /// # Errors
    /// Where the keys contradict each other.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let problem = match (&self.key, self.format) {
            (Key::Field(_), Format::Csv) => {
                "`key`: lines of CSV have no fields: set `key = { column = N }`"
            }
            (Key::Column(_), Format::Json) => {
                "`key`: JSON objects have no columns: set `format = \"csv\"`, or \
                 `key = { field = \"...\" }`"
            }
            (Key::Column(0), Format::Csv) => "`key`: no column 0: columns count from 1",
            _ if self.prefix.contains('\0') => "`prefix` contains a null character",
            _ => return Ok(()),
        };
        Err(problem.into())
    }

    /// The separator as the byte that it is in a line.
    pub(crate) fn separator(&self) -> Result<u8, Error> {
        match u8::try_from(self.separator) {
            Ok(b'"' | b'\n' | b'\r') => {}
            Ok(byte) if byte.is_ascii() => return Ok(byte),
            _ => {}
        }
        Err(format!(
            "`separator`: {:?} is not allowed: use one such as \",\", \";\" or a tab",
            self.separator
        )
        .into())
    }
}
