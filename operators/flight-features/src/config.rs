//! The configuration of the stage, and what it means once it is checked.

use std::fmt;

use serde::Deserialize;

use crate::columns::{CLASSIC, COLUMNS, Kind};

/// The `config` table of a stage that runs this operator. Every key has a default;
/// keys that are not named here are an error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What the records are. Default: `auto`.
    pub format: Format,
    /// Which columns go out, and in which order. Default: the eight of the classic
    /// example ([`CLASSIC`]). At least one, each at most once.
    pub features: Vec<String>,
    /// What separates the columns of a CSV line: one ASCII character that is
    /// neither a letter nor a digit nor one of `"`, `+`, `-`, `.`, `{`, `[` or a
    /// line end. Default: `,`.
    pub separator: char,
    /// The largest value that is read, in bytes; a larger one fails as too large.
    /// Default: 65,536, some 500 times an ordinary flight.
    pub max_bytes: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            format: Format::Auto,
            features: CLASSIC.map(str::to_owned).to_vec(),
            separator: ',',
            max_bytes: 64 * 1024,
        }
    }
}

/// What the records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Each record for itself: JSON where the first character that is not a space
    /// is `{` or `[`, which no flight in CSV starts with, else CSV.
    Auto,
    /// One line of CSV per record.
    Csv,
    /// One JSON object per record.
    Json,
}

/// What is wrong with a configuration: the key, the value and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// A column that goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Its index in [`COLUMNS`], that is in a line.
    pub column: usize,
}

impl Config {
    /// The features by their columns, in the order in which they go out.
    pub(crate) fn wanted(&self) -> Result<Vec<Feature>, ConfigError> {
        if self.features.is_empty() {
            return Err(ConfigError(format!(
                "`features` is empty: name at least one column of {}",
                names()
            )));
        }
        let mut wanted: Vec<Feature> = Vec::with_capacity(self.features.len());
        for name in &self.features {
            let Some(column) = COLUMNS.iter().position(|column| column.name == name) else {
                return Err(ConfigError(format!(
                    "`features`: unknown column {name:?}: use any of {}",
                    names()
                )));
            };
            if wanted.iter().any(|feature| feature.column == column) {
                return Err(ConfigError(format!(
                    "`features`: duplicate column {name:?}: name each column once"
                )));
            }
            wanted.push(Feature { name: COLUMNS[column].name, kind: COLUMNS[column].kind, column });
        }
        Ok(wanted)
    }

    /// The separator as the byte that it is in a line.
    pub(crate) fn separator(&self) -> Result<u8, ConfigError> {
        match u8::try_from(self.separator) {
            Ok(b'"' | b'+' | b'-' | b'.' | b'{' | b'[' | b'\n' | b'\r') => {}
            Ok(byte) if byte.is_ascii() && !byte.is_ascii_alphanumeric() => return Ok(byte),
            _ => {}
        }
        Err(ConfigError(format!(
            "`separator`: {:?} can be part of a value: use one character such as \",\", \";\", \"|\" \
             or a tab",
            self.separator
        )))
    }

    /// The largest value that is read.
    pub(crate) fn max_bytes(&self) -> Result<usize, ConfigError> {
        match self.max_bytes {
            0 => Err(ConfigError(
                "`max_bytes`: must be greater than zero: set at least the length of a line, or \
                 omit it for 65536"
                    .to_owned(),
            )),
            max_bytes => Ok(max_bytes),
        }
    }
}

fn names() -> String {
    COLUMNS.map(|column| column.name).join(", ")
}
