//! UTF-8, with or without its mark; what else a text may be in.

use std::char::decode_utf16;

use super::fault::Fault;

/// The bytes of a text without the byte order mark, which some editors and spreadsheets put
/// before UTF-8. They need not be UTF-8: whether that matters is for what reads them.
///
/// # Errors
/// [`Fault::Encoding`] for UTF-16 and UTF-32, by their marks or by the zero bytes of the first
/// two characters, as RFC 4627 has it in its section 3. [`Fault::DamagedEncoding`] where there
/// is such a mark and what follows is not in the encoding.
#[inline]
pub fn bytes(text: &[u8]) -> Result<&[u8], Fault> {
    match text {
        [0xef, 0xbb, 0xbf, after @ ..] => Ok(after),
        [0xff | 0xfe | 0, ..] | [_, 0, ..] => not_utf8(text),
        _ => Ok(text),
    }
}

/// The text itself, without the byte order mark.
///
/// # Errors
/// As [`bytes`], and [`Fault::NotUtf8`].
#[inline]
pub fn string(text: &[u8]) -> Result<&str, Fault> {
    str::from_utf8(bytes(text)?).map_err(|_| Fault::NotUtf8)
}

/// The order of the bytes of a character, or of half of one.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

#[cold]
fn not_utf8(text: &[u8]) -> Result<&[u8], Fault> {
    use Order::{Big, Little};
    // Marks as Python's `json.detect_encoding` tries them: UTF-32's begins with UTF-16's.
    let (name, sound) = match text {
        [0xff, 0xfe, 0, 0, after @ ..] => ("UTF-32", is_utf32(after, Little)),
        [0, 0, 0xfe, 0xff, after @ ..] => ("UTF-32", is_utf32(after, Big)),
        [0xff, 0xfe, after @ ..] => ("UTF-16", is_utf16(after, Little)),
        [0xfe, 0xff, after @ ..] => ("UTF-16", is_utf16(after, Big)),
        // Without a mark it is a guess, so it must look like text.
        [a, 0, 0, 0, ..] if is_ascii_text(*a) && is_utf32(text, Little) => ("UTF-32", true),
        [0, 0, 0, a, ..] if is_ascii_text(*a) && is_utf32(text, Big) => ("UTF-32", true),
        [a, 0, b, 0, ..] if is_ascii_text(*a) && is_ascii_text(*b) && is_utf16(text, Little) => {
            ("UTF-16", true)
        }
        [0, a, 0, b, ..] if is_ascii_text(*a) && is_ascii_text(*b) && is_utf16(text, Big) => {
            ("UTF-16", true)
        }
        _ => return Ok(text),
    };
    Err(if sound { Fault::Encoding(name) } else { Fault::DamagedEncoding(name) })
}

fn is_ascii_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

fn is_utf16(text: &[u8], order: Order) -> bool {
    let (units, rest) = text.as_chunks::<2>();
    let units = units.iter().map(|unit| match order {
        Order::Little => u16::from_le_bytes(*unit),
        Order::Big => u16::from_be_bytes(*unit),
    });
    rest.is_empty() && decode_utf16(units).all(|character| character.is_ok())
}

fn is_utf32(text: &[u8], order: Order) -> bool {
    let (units, rest) = text.as_chunks::<4>();
    let mut units = units.iter().map(|unit| match order {
        Order::Little => u32::from_le_bytes(*unit),
        Order::Big => u32::from_be_bytes(*unit),
    });
    rest.is_empty() && units.all(|unit| char::from_u32(unit).is_some())
}
