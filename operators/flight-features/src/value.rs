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
