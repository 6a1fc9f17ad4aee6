//! Why a record gives no row.

use std::fmt;

use sandbar_operator::{FailureCode, text};

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
    /// The JSON object has no wanted key at all.
    NoColumn,
    /// The text cannot be read.
    Text(text::Fault),
    /// The value of a wanted column cannot be read, or is none that the column can hold.
    Value {
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        fault: text::Fault,
    },
}

impl Fault {
    /// The code that the record fails with.
    pub fn code(&self) -> FailureCode {
        match self {
            Fault::Tombstone | Fault::Empty | Fault::NoColumn => FailureCode::Missing,
            Fault::TooLarge { .. } => FailureCode::TooLarge,
            Fault::Header => FailureCode::Unsupported,
            Fault::Columns { .. } => FailureCode::Malformed,
            Fault::Text(fault) | Fault::Value { fault, .. } => fault.code(),
        }
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
            Fault::NoColumn => {
                f.write_str("the JSON object has none of the keys that `features` names")
            }
            Fault::Text(fault) => fault.fmt(f),
            Fault::Value { column, fault } => write!(f, "{column}: {fault}"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<text::Fault> for Fault {
    fn from(fault: text::Fault) -> Fault {
        Fault::Text(fault)
    }
}
