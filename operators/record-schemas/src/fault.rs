//! Why a record cannot be read.

use std::fmt;

/// Why a record cannot be read with its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It ends in the middle of a value, or says that a value is longer than what is left.
    Truncated,
    /// It does not end with its last value: it was written with another schema.
    Trailing(usize),
    /// It is no record of this kind, or was written with another schema.
    Malformed(&'static str),
    /// It was written with a value that the reader's schema has not.
    Unresolved(String),
    /// Its values are nested too deep.
    Deep,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Truncated => f.write_str("the record ends in the middle of a value"),
            Fault::Trailing(bytes) => write!(
                f,
                "{bytes} bytes are left behind the last value: the record was written with another \
                 schema"
            ),
            Fault::Malformed(what) => f.write_str(what),
            Fault::Unresolved(what) => f.write_str(what),
            Fault::Deep => {
                write!(f, "values are nested more than {} levels deep", crate::DEPTH)
            }
        }
    }
}

impl std::error::Error for Fault {}
