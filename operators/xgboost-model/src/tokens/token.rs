//! One step of a document, in whichever form.

use std::borrow::Cow;

use crate::error::Error;

/// How deep containers may be in one another. XGBoost's are 8 deep.
pub(super) const DEPTH: usize = 64;

/// One step of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token<'a> {
    BeginObject,
    EndObject,
    /// Stands before each value of an object.
    Key(Cow<'a, str>),
    BeginArray,
    EndArray,
    Text(Cow<'a, str>),
    Number(Number<'a>),
    Flag(bool),
    Null,
    /// The end of the bytes, after one whole value.
    End,
}

/// A number as the document has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number<'a> {
    Integer(i64),
    Single(f32),
    Double(f64),
    /// A number with a fraction or an exponent, or a large one.
    Decimal(&'a str),
}

impl Number<'_> {
    /// The number in single precision, rounded once.
    pub(crate) fn single(self) -> Option<f32> {
        match self {
            Self::Integer(value) => Some(value as f32),
            Self::Single(value) => Some(value),
            Self::Double(value) => Some(value as f32),
            Self::Decimal(text) => text.parse().ok(),
        }
    }

    /// The number in double precision.
    pub(crate) fn double(self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(value as f64),
            Self::Single(value) => Some(value.into()),
            Self::Double(value) => Some(value),
            Self::Decimal(text) => text.parse().ok(),
        }
    }

    /// The number, if it is an integer.
    pub(crate) fn integer(self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(value),
            _ => None,
        }
    }
}

/// The error at a byte.
pub(super) fn fault<T>(offset: usize, reason: &'static str) -> Result<T, Error> {
    Err(Error::Syntax { offset, reason })
}
