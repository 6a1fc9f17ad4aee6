//! One column of a line of CSV.

use std::borrow::Cow;

use sandbar_operator::Failure;

/// A line, and its end, which does not belong to it.
pub(crate) fn split_end(value: &[u8]) -> (&[u8], &[u8]) {
    let line = value.strip_suffix(b"\n").unwrap_or(value);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    value.split_at(line.len())
}

/// The column of this number, from 1, of a line without its end. `None`: there are fewer.
///
/// The whole line is read: what is appended to it must not end up in a quote that the
/// line leaves open.
///
/// # Errors
/// Where the quotes are not those of RFC 4180, or there are several lines.
pub(crate) fn column(
    line: &[u8],
    separator: u8,
    wanted: usize,
) -> Result<Option<Cow<'_, [u8]>>, Failure> {
    let mut found = None;
    let mut rest = Some(line);
    let mut number = 0;
    while let Some(from_here) = rest {
        number += 1;
        let (column, after) = match from_here {
            [b'"', inside @ ..] => quoted(inside)?,
            _ => plain(from_here, separator)?,
        };
        if number == wanted {
            found = Some(column);
        }
        rest = match after {
            [] => None,
            [byte, next @ ..] if *byte == separator => Some(next),
            _ => return Err(Failure::malformed("text after the closing quote")),
        };
    }
    Ok(found)
}

/// A column without quotes, and what follows it, from the separator.
fn plain(from_here: &[u8], separator: u8) -> Result<(Cow<'_, [u8]>, &[u8]), Failure> {
    let end = from_here.iter().position(|byte| *byte == separator).unwrap_or(from_here.len());
    let (column, after) = from_here.split_at(end);
    if column.contains(&b'"') {
        return Err(Failure::malformed("quote inside an unquoted column"));
    }
    if column.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return Err(Failure::malformed("expected one line, got several"));
    }
    Ok((Cow::Borrowed(column), after))
}

/// A column whose opening quote is gone, and what follows the closing one.
fn quoted(inside: &[u8]) -> Result<(Cow<'_, [u8]>, &[u8]), Failure> {
    let quote = |bytes: &[u8]| {
        bytes.iter().position(|byte| *byte == b'"').ok_or(Failure::malformed("unterminated quote"))
    };
    let end = quote(inside)?;
    let mut column = Cow::Borrowed(&inside[..end]);
    let mut after = &inside[end + 1..];
    // A doubled quote is one that belongs to the column.
    while let [b'"', next @ ..] = after {
        let end = quote(next)?;
        let owned = column.to_mut();
        owned.push(b'"');
        owned.extend_from_slice(&next[..end]);
        after = &next[end + 1..];
    }
    Ok((column, after))
}

/// Writes a column, in quotes where it needs them.
pub(crate) fn write(column: &str, separator: u8, line: &mut Vec<u8>) {
    let special = |byte: u8| byte == separator || matches!(byte, b'"' | b'\n' | b'\r');
    if !column.bytes().any(special) {
        return line.extend_from_slice(column.as_bytes());
    }
    line.push(b'"');
    for byte in column.bytes() {
        if byte == b'"' {
            line.push(b'"');
        }
        line.push(byte);
    }
    line.push(b'"');
}
