//! One value of one column, from the bytes between two separators or quotes, of CSV or JSON.

use std::ops::Range;

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
    value_in(feature, bytes, 0..bytes.len())
}

/// The same of a part of a text.
#[inline]
pub(crate) fn value_in<'a>(
    feature: &Feature,
    text: &'a [u8],
    range: Range<usize>,
) -> Result<Value<'a>, Fault> {
    let bytes = &text[range.clone()];
    let fault = match feature.kind {
        Kind::Number => {
            if let Some(number) = text::digits_in(text, range) {
                return Ok(Value::Number(number));
            }
            if is_missing(bytes) {
                return Ok(Value::Missing);
            }
            match text::number(bytes) {
                Ok(number) => return Ok(Value::Number(number)),
                Err(_) if is_missing(bytes.trim_ascii()) => return Ok(Value::Missing),
                Err(fault) => fault,
            }
        }
        Kind::Text if is_missing(bytes) => return Ok(Value::Missing),
        Kind::Text => match text::string_in(text, range) {
            Ok(text) => return Ok(Value::Text(text)),
            Err(fault) => fault,
        },
    };
    Err(Fault::Value { column: feature.name, fault })
}

/// The ways in which the data says that there is no value.
#[inline]
pub(crate) fn is_missing(field: &[u8]) -> bool {
    matches!(field, [] | [b'N', b'A'])
}
