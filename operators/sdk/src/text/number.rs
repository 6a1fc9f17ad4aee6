//! Numbers, however they are delivered.

use super::fault::{Fault, shown};

/// Reads a decimal number such as `7`, `-.5`, `+3` or `1e3`, with white space of ASCII around
/// it or not: the nearest number of 64 bits, as C, Java and Python read it. That is also what
/// JSON's numbers are.
///
/// What is too small for 64 bits is zero, as there; what is too large is refused, where they
/// make infinity of it. The words `inf`, `nan` and their like are no numbers, nor are `1_000`
/// and `0x10`.
///
/// # Errors
/// [`Fault::NotANumber`] and [`Fault::OutOfRange`].
#[inline]
pub fn number(text: &[u8]) -> Result<f64, Fault> {
    match integer(text) {
        Some(number) => Ok(number),
        None => any_number(text),
    }
}

/// The quick way, for what most columns of numbers hold: up to 15 digits, which `f64` has
/// exactly.
#[inline]
fn integer(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
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

#[inline(never)]
fn any_number(text: &[u8]) -> Result<f64, Fault> {
    let trimmed = text.trim_ascii();
    // The standard library also reads "inf", "infinity" and "nan".
    let is_word = trimmed.iter().any(|byte| matches!(byte, b'n' | b'N'));
    match str::from_utf8(trimmed).map(str::parse::<f64>) {
        Ok(Ok(number)) if number.is_finite() => Ok(number),
        Ok(Ok(_)) if !is_word => Err(Fault::OutOfRange(shown(trimmed))),
        _ => Err(Fault::NotANumber(shown(trimmed))),
    }
}
