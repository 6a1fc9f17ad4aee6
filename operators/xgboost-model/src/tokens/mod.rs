//! JSON and UBJSON as one sequence of tokens.
//!
//! Nothing is built of a document but what is asked for: a token borrows from the bytes, and
//! the only memory is a list of the containers that are open, which is limited.

mod json;
mod token;
mod ubjson;

use crate::error::Error;

pub(crate) use token::{Number, Token};

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
