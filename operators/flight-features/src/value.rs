//! One value of one column, from the bytes between two separators or quotes, of CSV or JSON.

use sandbar_operator::text;

use crate::columns::Kind;
use crate::config::Feature;
use crate::fault::Fault;
use crate::sink::Sink;

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Number(f64),
    Text(&'a str),
    Missing,
}

impl Value<'_> {
    #[inline]
    pub(crate) fn write_to(self, row: &mut impl Sink) {
        match self {
            Value::Number(number) => row.number(number),
            Value::Text(text) => row.text(text),
            Value::Missing => row.missing(),
        }
    }
}

/// What the bytes of a wanted column say, with spaces around a number or not.
#[inline]
pub(crate) fn value<'a>(feature: &Feature, bytes: &'a [u8]) -> Result<Value<'a>, Fault> {
    let fault = match feature.kind {
        _ if is_missing(bytes) => return Ok(Value::Missing),
        Kind::Number => match text::number(bytes) {
            Ok(number) => return Ok(Value::Number(number)),
            Err(_) if is_missing(bytes.trim_ascii()) => return Ok(Value::Missing),
            Err(fault) => fault,
        },
        Kind::Text => match str::from_utf8(bytes) {
            Ok(text) => return Ok(Value::Text(text)),
            Err(_) => text::Fault::NotUtf8,
        },
    };
    Err(Fault::Value { column: feature.name, fault })
}

/// The ways in which the data says that there is no value.
#[inline]
pub(crate) fn is_missing(field: &[u8]) -> bool {
    matches!(field, [] | [b'N', b'A'])
}
