//! JSON and UBJSON as one sequence of tokens.
//!
//! Nothing is built of a document but what is asked for: a token borrows from the bytes, and
//! the only memory is a list of the containers that are open, which is limited.

mod json;
mod ubjson;

use std::borrow::Cow;

use crate::error::Error;

/// How deep containers may be in one another. XGBoost's are 8 deep.
const DEPTH: usize = 64;

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

/// The tokens of a document, one after the other.
#[derive(Debug)]
pub(crate) enum Tokens<'a> {
    Json(json::Json<'a>),
    Ubjson(ubjson::Ubjson<'a>),
}

impl<'a> Tokens<'a> {
    /// Tells the format by what follows the first brace, as XGBoost does.
    pub(crate) fn of(bytes: &'a [u8]) -> Result<Self, Error> {
        let not = |reason: &str| Err(Error::NotXgboost { reason: reason.into() });
        let mut items = bytes.iter().filter(|byte| !byte.is_ascii_whitespace());
        match (items.next(), items.next()) {
            (Some(b'{'), Some(b'"' | b'}')) => Ok(Self::Json(json::Json::new(bytes))),
            (Some(b'{'), Some(_)) if bytes.starts_with(b"{") => {
                Ok(Self::Ubjson(ubjson::Ubjson::new(bytes)))
            }
            (None, _) => not("the file is empty"),
            _ if bytes.starts_with(b"binf") || bytes.starts_with(b"bs64") => not(
                "this is the old binary format: load it into an XGBoost before 3.1 and save it \
                 with save_model as .json or .ubj",
            ),
            _ => not("expected a JSON or UBJSON object, as save_model writes to .json and .ubj"),
        }
    }

    /// The next token; nothing is said of tokens after [`Token::End`] or an error.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Token<'a>, Error> {
        match self {
            Self::Json(json) => json.next(),
            Self::Ubjson(ubjson) => ubjson.next(),
        }
    }
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
fn fault<T>(offset: usize, reason: &'static str) -> Result<T, Error> {
    Err(Error::Syntax { offset, reason })
}
