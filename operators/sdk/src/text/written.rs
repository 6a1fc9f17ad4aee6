//! A value of JSON as it is written.

use std::ops::Range;

use super::fault::Fault;
use super::json::unescaped;
use super::scan::{Raw, Scanner, Text};

/// A value as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(&'a [u8]),
    /// A string without escapes. Whether it is UTF-8 is not looked at.
    Text(&'a [u8]),
    /// A string with escapes, to be read by [`Written::unescape`].
    Escaped(&'a [u8]),
    /// An array with what is in it, to be read by [`elements`].
    Array(&'a [u8]),
    /// An object, with what is in it.
    Object(&'a [u8]),
}

/// A value with what is in it; and where it stands, of a string without its quotes.
#[inline(always)]
pub(super) fn written<'a>(
    raw: &Raw<'a>,
    text: &'a [u8],
    range: Range<usize>,
) -> (Written<'a>, Range<usize>) {
    let inside = || range.start + 1..range.end - 1;
    match raw {
        Raw::Null => (Written::Null, range),
        Raw::Bool(value) => (Written::Bool(*value), range),
        Raw::Number(number) => (Written::Number(number), range),
        Raw::Text(text) if text.escaped => (Written::Escaped(text.inside), inside()),
        Raw::Text(text) => (Written::Text(text.inside), inside()),
        Raw::Array => (Written::Array(&text[range.clone()]), range),
        Raw::Object => (Written::Object(&text[range.clone()]), range),
    }
}

impl<'a> Written<'a> {
    /// What it is, for a message.
    pub fn kind(&self) -> &'static str {
        match self {
            Written::Null => "null",
            Written::Bool(_) => "a boolean",
            Written::Number(_) => "a number",
            Written::Text(_) | Written::Escaped(_) => "a string",
            Written::Array(_) => "an array",
            Written::Object(_) => "an object",
        }
    }

    /// A string with escapes, without them.
    ///
    /// # Errors
    /// [`Fault::Json`] where they make half a character.
    pub fn unescape(escaped: &'a [u8]) -> Result<String, Fault> {
        unescaped(Text { inside: escaped, escaped: true })
    }
}

/// The elements of an array, as [`Written::Array`] has it, in their order.
///
/// # Errors
/// What `take` says.
pub fn elements<'a, E: From<Fault>>(
    array: &'a [u8],
    open: &mut Vec<u8>,
    mut take: impl FnMut(Written<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let mut scanner = Scanner::new(array);
    let mut read = || -> Option<Result<(), E>> {
        scanner.byte(b'[')?;
        let mut is_more = scanner.is_any(b']')?;
        while is_more {
            scanner.peek()?;
            let start = scanner.position();
            let raw = scanner.value(open)?;
            let (value, _) = written(&raw, array, start..scanner.position());
            if let Err(error) = take(value) {
                return Some(Err(error));
            }
            is_more = scanner.is_another(b']')?;
        }
        Some(Ok(()))
    };
    let problem = || Fault::Json { problem: "expected an array".to_owned() };
    read().unwrap_or_else(|| Err(problem().into()))
}
