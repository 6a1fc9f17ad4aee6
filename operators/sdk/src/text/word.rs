//! Short values, read as one word of eight bytes: that needs no loop, whose end the processor
//! would have to guess.

use std::ops::Range;

use super::fault::Fault;

/// One to eight bytes as one number, and how many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The first byte lowest, and the last one highest of all: below there are zeros.
    bytes: u64,
    length: usize,
}

impl Word {
    /// A text of one to eight bytes.
    pub fn of(text: &[u8]) -> Option<Word> {
        let bytes = text.iter().fold(0, |word, byte| word >> 8 | u64::from(*byte) << 56);
        (1..=8).contains(&text.len()).then_some(Word { bytes, length: text.len() })
    }

    /// A part of a text, if that is one to eight bytes, and there are eight of the text from its
    /// start or up to its end.
    ///
    /// # Panics
    /// If the range is not one of the text.
    #[inline]
    pub fn in_text(text: &[u8], range: Range<usize>) -> Option<Word> {
        let length = range.len();
        if !(1..=8).contains(&length) {
            return None;
        }
        let others = 64 - 8 * length;
        let bytes = match text[range.start..].first_chunk::<8>() {
            Some(bytes) => u64::from_le_bytes(*bytes) << others,
            None => u64::from_le_bytes(*text[..range.end].last_chunk::<8>()?) >> others << others,
        };
        Some(Word { bytes, length })
    }

    /// The number, if these are digits.
    #[inline]
    pub fn digits(self) -> Option<f64> {
        let digits = self.bytes ^ (repeat(b'0') << (64 - 8 * self.length));
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

    /// The number, if these are a minus and digits.
    #[inline]
    pub fn negative(self) -> Option<f64> {
        let others = 64 - 8 * self.length;
        if self.length == 1 || (self.bytes >> others) as u8 != b'-' {
            return None;
        }
        let bytes = self.bytes & !(0xff << others);
        Word { bytes, length: self.length - 1 }.digits().map(|number| -number)
    }

    /// Whether these are characters of ASCII.
    #[inline]
    pub fn is_ascii(self) -> bool {
        self.bytes & repeat(0x80) == 0
    }
}

/// A part of a text of which a [`Word`] can be had.
#[derive(Clone, Copy, Debug)]
pub struct Short<'a> {
    bytes: &'a [u8],
    /// Of these bytes.
    word: Word,
}

impl<'a> Short<'a> {
    /// A part of a text, as [`Word::in_text`] has it.
    ///
    /// # Panics
    /// If the range is not one of the text.
    #[inline]
    pub fn in_text(text: &'a [u8], range: Range<usize>) -> Option<Short<'a>> {
        let word = Word::in_text(text, range.clone())?;
        Some(Short { bytes: &text[range], word })
    }

    /// Its word.
    #[inline]
    pub fn word(self) -> Word {
        self.word
    }

    /// The text, if it is of ASCII.
    #[inline]
    pub fn ascii(self) -> Option<&'a str> {
        if !self.word.is_ascii() {
            return None;
        }
        // SAFETY: the word is of all these bytes; none of them has the highest bit, so that each
        // is an ASCII character, which is UTF-8.
        Some(unsafe { str::from_utf8_unchecked(self.bytes) })
    }
}

/// The number in a part of a text, if that is one to eight digits and a [`Word`] of it can be had. Where this gives none, [`number`](super::number()) of the part is to be asked.
///
/// # Panics
/// If the range is not one of the text.
#[inline]
pub fn digits_in(text: &[u8], range: Range<usize>) -> Option<f64> {
    Word::in_text(text, range)?.digits()
}

/// A part of a text, if that is one to eight characters of ASCII and a [`Word`] of it can be had.
///
/// # Panics
/// If the range is not one of the text.
#[inline]
pub fn ascii_in(text: &[u8], range: Range<usize>) -> Option<&str> {
    Short::in_text(text, range)?.ascii()
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

/// A word of eight such bytes.
const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

#[cfg(test)]
mod tests {
    use super::{Word, digits_in, string_in};
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
            if let Some(negative) = Word::of(part).and_then(Word::negative) {
                assert_eq!(Ok(negative), number(part), "{part:?}");
            } else {
                assert_ne!(part, b"-5".as_slice());
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

    #[test]
    fn a_word_is_that_of_the_same_bytes_alone() {
        let texts: [&[u8]; 7] = [b"NA", b"\0NA", b"NA\0", b"N", b"12345678", b"\xff", b"\0"];
        for text in texts {
            let start = [text, b",and more"].concat();
            let end = [b"more and,", text].concat();
            for word in [Word::in_text(&start, 0..text.len()), Word::in_text(&end, 9..end.len())] {
                for other in texts {
                    assert_eq!(word == Word::of(other), text == other, "{text:?} {other:?}");
                }
            }
        }
        assert_eq!((Word::of(b""), Word::of(b"123456789")), (None, None));
        assert_eq!((Word::in_text(b"NA,", 0..2), Word::in_text(b"9,N,A,", 2..3)), (None, None));
        assert_eq!(Word::of(b"-12").and_then(Word::negative), Some(-12.0));
        let zero = Word::of(b"-0").and_then(Word::negative);
        assert_eq!(zero.map(f64::to_bits), Some((-0.0f64).to_bits()));
        let others: [&[u8]; 5] = [b"-", b"12", b"--1", b"-1.5", b"-x"];
        for other in others {
            assert_eq!(Word::of(other).and_then(Word::negative), None, "{other:?}");
        }
    }
}
