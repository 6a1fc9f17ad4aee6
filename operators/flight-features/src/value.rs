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
    let read = match feature.kind {
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
    Err(Fault::Value { column: feature.name, fault: read })
}

/// The quickest way, for one to eight digits: the first `length` bytes of `text`, if
/// these are all digits.
#[inline]
pub(crate) fn short_integer(text: &[u8], length: usize) -> Option<f64> {
    let characters = short(text, length)?;
    let digits = characters ^ (repeat(b'0') << (64 - 8 * length));
    // A byte above 9 has its highest bit, or gets it: the sum leaves its byte only
    // where the bit is there already, in that byte or in one below.
    let above_nine = digits | digits.wrapping_add(repeat(0x7f - 9));
    if above_nine & repeat(0x80) != 0 {
        return None;
    }
    // Neighbours are joined: digits to pairs, pairs to fours, fours to all eight.
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let number = (fours * 10_000 + (fours >> 32)) as u32;
    Some(f64::from(number))
}

/// The quickest way for texts: the first `length` bytes of `text`, if these are one
/// to eight of ASCII.
#[inline]
pub(crate) fn short_ascii(text: &[u8], length: usize) -> Option<&str> {
    let characters = short(text, length)?;
    if characters & repeat(0x80) != 0 {
        return None;
    }
    // SAFETY: `short` gives all bytes of `text[..length]`; none of them has the
    // highest bit, so that each is an ASCII character, which is UTF-8.
    Some(unsafe { str::from_utf8_unchecked(&text[..length]) })
}

/// The first `length` bytes of `text` as the highest bytes of a word, the first of
/// them lowest, with zeros below: if these are one to eight, and `text` goes on to
/// its eighth byte or further.
///
/// Work on a word needs no loop, whose end the processor would have to guess.
#[inline]
fn short(text: &[u8], length: usize) -> Option<u64> {
    let bytes = text.first_chunk::<8>()?;
    (1..=8).contains(&length).then(|| u64::from_le_bytes(*bytes) << (64 - 8 * length))
}

/// A word of eight such bytes.
const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The ways in which the data says that there is no value.
#[inline]
pub(crate) fn is_missing(field: &[u8]) -> bool {
    matches!(field, [] | [b'N', b'A'])
}
