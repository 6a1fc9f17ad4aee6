//! One value of one column, from the bytes between two separators or quotes.

/// What a numeric column says.
#[derive(Debug, PartialEq)]
pub(crate) enum Number {
    Is(f64),
    Missing,
    /// Neither a finite number nor one of the ways to say that there is none.
    Invalid,
}

/// Reads a number, with spaces around it or not.
#[inline]
pub(crate) fn number(field: &[u8]) -> Number {
    match integer(field) {
        Some(number) => Number::Is(number),
        None => any_number(field.trim_ascii()),
    }
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

/// The quick way, for what nearly all numeric columns hold: up to 15 digits, which
/// `f64` has exactly.
#[inline]
fn integer(field: &[u8]) -> Option<f64> {
    let (negative, digits) = match field {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    let mut number = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = 10 * number + i64::from(digit);
    }
    let number = number as f64;
    Some(if negative { -number } else { number })
}

#[cold]
fn any_number(trimmed: &[u8]) -> Number {
    if is_missing(trimmed) {
        return Number::Missing;
    }
    // The standard library also reads "inf" and "nan", and makes infinity of what
    // is too large.
    match str::from_utf8(trimmed).map(str::parse::<f64>) {
        Ok(Ok(number)) if number.is_finite() => Number::Is(number),
        _ => Number::Invalid,
    }
}

/// The ways in which the data says that there is no value.
#[inline]
pub(crate) fn is_missing(field: &[u8]) -> bool {
    matches!(field, [] | [b'N', b'A'])
}
