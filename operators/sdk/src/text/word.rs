//! Short values, read as one word of eight bytes: that needs no loop, whose end the processor
//! would have to guess.

use std::ops::Range;

use super::fault::Fault;

/// The number in a part of a text, if that is one to eight digits and the text goes on behind
/// them. Where this gives none, [`number`](super::number()) of the part is to be asked.
///
/// # Panics
/// If the range is not one of the text.
#[inline]
pub fn digits_in(text: &[u8], range: Range<usize>) -> Option<f64> {
    short_integer(&text[range.start..], range.len())
}

/// A part of a text, if that is one to eight characters of ASCII and the text goes on behind
/// them.
///
/// # Panics
/// If the range is not one of the text.
#[inline]
pub fn ascii_in(text: &[u8], range: Range<usize>) -> Option<&str> {
    short_ascii(&text[range.start..], range.len())
}

/// A part of a text.
///
/// # Errors
/// [`Fault::NotUtf8`].
///
/// # Panics
/// If the range is not one of the text.
#[inline]
pub fn string_in(text: &[u8], range: Range<usize>) -> Result<&str, Fault> {
    match ascii_in(text, range.clone()) {
        Some(text) => Ok(text),
        None => str::from_utf8(&text[range]).map_err(|_| Fault::NotUtf8),
    }
}

/// The first `length` bytes of `text`, if these are one to eight digits.
#[inline]
fn short_integer(text: &[u8], length: usize) -> Option<f64> {
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

/// The first `length` bytes of `text`, if these are one to eight of ASCII.
#[inline]
fn short_ascii(text: &[u8], length: usize) -> Option<&str> {
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
#[inline]
fn short(text: &[u8], length: usize) -> Option<u64> {
    let bytes = text.first_chunk::<8>()?;
    (1..=8).contains(&length).then(|| u64::from_le_bytes(*bytes) << (64 - 8 * length))
}

/// A word of eight such bytes.
const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

#[cfg(test)]
mod tests {
    use super::{digits_in, string_in};
    use crate::text::{Fault, number};

    #[test]
    fn a_number_in_a_text_is_the_number_alone() {
        let text = b"0,7,12345678,-5,123456789,1.5, 3,x1,/0,:9,\xff1,99999999,00000000,padding";
        let mut start = 0;
        for part in text.split(|byte| *byte == b',') {
            let range = start..start + part.len();
            if let Some(digits) = digits_in(text, range) {
                assert_eq!(Ok(digits), number(part), "{part:?}");
            } else {
                let digits = part.iter().all(u8::is_ascii_digit);
                assert!(!digits || !(1..=8).contains(&part.len()), "{part:?}");
            }
            start += part.len() + 1;
        }
    }

    #[test]
    fn a_text_is_checked_wherever_it_stands() {
        let text = b"SFO,\xc3\xa9,\xff,,padding";
        assert_eq!(string_in(text, 0..3), Ok("SFO"));
        assert_eq!(string_in(text, 4..6), Ok("\u{e9}"));
        assert_eq!(string_in(text, 7..8), Err(Fault::NotUtf8));
        assert_eq!(string_in(text, 9..9), Ok(""));
        assert_eq!(string_in(b"SFO", 0..3), Ok("SFO"));
    }
}
