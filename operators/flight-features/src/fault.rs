//! Why a record gives no row.

use std::fmt;

use crate::columns::COUNT;

/// Why a record gives no row. Each says what was found and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The record's value is null.
    Tombstone,
    /// There is nothing in the value, or only white space.
    Empty,
    /// The value is larger than the stage accepts.
    TooLarge {
        /// The length of the value in bytes.
        bytes: usize,
        /// The limit: `max_bytes` of the configuration.
        limit: usize,
    },
    /// The line that names the columns.
    Header,
    /// The line has too few or too many columns.
    Columns {
        /// How many it has.
        found: usize,
    },
    /// There is something after the end of the line.
    Lines,
    /// A quote where RFC 4180 has none.
    Quotes {
        /// The field, the first being 1.
        field: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// The value is not one JSON object.
    Json {
        /// What the parser says, with its place.
        problem: String,
    },
    /// The JSON object has a wanted key twice.
    Twice {
        /// The key.
        column: &'static str,
    },
    /// The JSON object has no wanted key at all.
    NoColumn,
    /// A wanted text is not UTF-8.
    NotUtf8 {
        /// The column.
        column: &'static str,
    },
    /// A wanted number is none.
    NotANumber {
        /// The column.
        column: &'static str,
        /// The value, shortened.
        value: String,
    },
    /// A wanted JSON value is of a type that the column cannot hold.
    Type {
        /// The column.
        column: &'static str,
        /// What it is.
        found: &'static str,
    },
}

/// How much of a value a message shows, in characters.
const SHOWN: usize = 40;

impl Fault {
    /// The fault of a value that should be a finite number.
    pub(crate) fn not_a_number(column: &'static str, value: &[u8]) -> Fault {
        // Four bytes a character at most, and one character to know of more.
        let start = &value[..value.len().min(4 * SHOWN + 4)];
        let text = String::from_utf8_lossy(start);
        let mut characters = text.chars();
        let mut shown: String = characters.by_ref().take(SHOWN).collect();
        if characters.next().is_some() {
            shown.push('…');
        }
        Fault::NotANumber { column, value: shown }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Tombstone => f.write_str("the value is null (a tombstone), not a flight"),
            Fault::Empty => f.write_str("the value is empty, not a flight"),
            Fault::TooLarge { bytes, limit } => {
                write!(f, "the value has {bytes} bytes, which exceeds `max_bytes` ({limit})")
            }
            Fault::Header => f.write_str("the value is the CSV header line, not a flight"),
            Fault::Columns { found } => write!(f, "expected {COUNT} columns, got {found}"),
            Fault::Lines => f.write_str("expected one line, got several"),
            Fault::Quotes { field, problem } => write!(f, "column {field}: {problem}"),
            Fault::Json { problem } => write!(f, "invalid JSON object: {problem}"),
            Fault::Twice { column } => write!(f, "{column}: duplicate key in the JSON object"),
            Fault::NoColumn => {
                f.write_str("the JSON object has none of the keys that `features` names")
            }
            Fault::NotUtf8 { column } => write!(f, "{column}: not UTF-8"),
            Fault::NotANumber { column, value } => {
                write!(f, "{column}: expected a number, got {value:?}")
            }
            Fault::Type { column, found } => {
                write!(f, "{column}: unexpected JSON type: {found}")
            }
        }
    }
}

impl std::error::Error for Fault {}
