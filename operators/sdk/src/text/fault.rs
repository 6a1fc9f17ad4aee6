//! What is wrong with a text, and the code that a record fails with for it.

use std::fmt;

use crate::error::{Failure, FailureCode};

/// What is wrong with a text. The codes are the same whatever the format.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Sound text, but in this encoding.
    Encoding(&'static str),
    /// It has the mark of this encoding, and is not text in it.
    DamagedEncoding(&'static str),
    /// It is not UTF-8.
    NotUtf8,
    /// There is something after the end of the line.
    Lines,
    /// A quote where RFC 4180 has none, or none where it must be.
    Quotes {
        /// The column, the first being 1.
        column: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// It is not one JSON object.
    Json {
        /// What the parser says, with its place.
        problem: String,
    },
    /// The JSON object has this key, which is read, more than once.
    DuplicateKey(String),
    /// Something else where a number is needed.
    NotANumber(String),
    /// A number that 64 bits of floating point do not hold.
    OutOfRange(String),
    /// JSON of another type than what is needed.
    Type {
        /// What it is.
        found: &'static str,
    },
    /// JSON of which something is needed that is in it, and that has nothing in it.
    Inside {
        /// The key whose value it is.
        key: String,
        /// What it is.
        found: &'static str,
    },
}

/// How much of a value a message shows, in characters.
const SHOWN: usize = 40;

impl Fault {
    /// The code that a record fails with.
    pub fn code(&self) -> FailureCode {
        match self {
            Fault::Encoding(_) => FailureCode::Unsupported,
            Fault::DamagedEncoding(_)
            | Fault::NotUtf8
            | Fault::Lines
            | Fault::Quotes { .. }
            | Fault::Json { .. }
            | Fault::DuplicateKey(_) => FailureCode::Malformed,
            Fault::NotANumber(_)
            | Fault::OutOfRange(_)
            | Fault::Type { .. }
            | Fault::Inside { .. } => FailureCode::Invalid,
        }
    }
}

/// The start of a value, for a message: up to 40 characters.
#[cold]
pub fn shown(value: &[u8]) -> String {
    // Four bytes a character at most, and one character to know of more.
    let start = &value[..value.len().min(4 * SHOWN + 4)];
    let text = String::from_utf8_lossy(start);
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(SHOWN).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Encoding(encoding) => write!(f, "the text is {encoding}: write it as UTF-8"),
            Fault::DamagedEncoding(encoding) => {
                write!(f, "the text begins with the mark of {encoding} and is not {encoding}")
            }
            Fault::NotUtf8 => f.write_str("not UTF-8"),
            Fault::Lines => f.write_str("expected one line, got several"),
            Fault::Quotes { column, problem } => write!(f, "column {column}: {problem}"),
            Fault::Json { problem } => write!(f, "not a JSON object: {problem}"),
            Fault::DuplicateKey(key) => write!(f, "duplicate key '{key}' in the JSON object"),
            Fault::NotANumber(value) => write!(f, "expected a number, got {value:?}"),
            Fault::OutOfRange(value) => {
                write!(f, "number out of range: {value:?}: expected one up to 1.8e308")
            }
            Fault::Type { found } => write!(f, "unexpected JSON type: {found}"),
            Fault::Inside { key, found } => {
                write!(f, "'{key}': expected a JSON object or array, got {found}")
            }
        }
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for Failure {
    #[cold]
    fn from(fault: Fault) -> Failure {
        Failure { code: fault.code(), message: fault.to_string().into() }
    }
}
