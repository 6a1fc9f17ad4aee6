//! CSV as RFC 4180 has it, with any separator of one byte but a quote and a line end.
//!
//! A column may be in quotes, and only as a whole; in them a quote is doubled, and separators
//! and line ends mean nothing. Python's `csv` and others are more lenient: they take `a"b` and
//! `"a"b` for texts, and end a quote that is left open at the end of the file. What one of
//! them makes of such a line is not what another does, so it is refused here.

use std::borrow::Cow;

use memchr::{memchr, memchr3};

use super::fault::Fault;

/// One column, still in the text that it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    /// Without the quotes around it.
    inside: &'a [u8],
    /// Whether there are doubled quotes in it.
    doubled: bool,
}

impl<'a> Column<'a> {
    /// What the column says: copied only where it has quotes in it.
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        if !self.doubled {
            return Cow::Borrowed(self.inside);
        }
        let mut bytes = Vec::with_capacity(self.inside.len());
        self.append_to(&mut bytes);
        Cow::Owned(bytes)
    }

    /// Appends what the column says.
    #[inline]
    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        let mut rest = self.inside;
        while self.doubled
            && let Some(quote) = memchr(b'"', rest)
        {
            bytes.extend_from_slice(&rest[..=quote]);
            // Of each two the second is left out.
            rest = rest.get(quote + 2..).unwrap_or_default();
        }
        bytes.extend_from_slice(rest);
    }
}

/// A line, and its end (LF, CRLF or none), which does not belong to it.
#[inline]
pub fn split_end(text: &[u8]) -> (&[u8], &[u8]) {
    let line = text.strip_suffix(b"\n").unwrap_or(text);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    text.split_at(line.len())
}

/// The columns of one line, which comes without its end ([`split_end`]). There is always one
/// at least. Nothing follows a fault.
#[derive(Clone, Debug)]
pub struct Columns<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
    found: usize,
}

impl<'a> Columns<'a> {
    /// The columns of this line.
    #[inline]
    pub fn new(line: &'a [u8], separator: u8) -> Columns<'a> {
        Columns { rest: Some(line), separator, found: 0 }
    }
}

impl<'a> Iterator for Columns<'a> {
    type Item = Result<Column<'a>, Fault>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let from_here = self.rest.take()?;
        self.found += 1;
        Some(match column(from_here, self.separator, self.found) {
            Ok((_, [b'\n' | b'\r', ..])) => Err(Fault::Lines),
            Ok((column, after)) => {
                self.rest = after.split_first().map(|(_, next)| next);
                Ok(column)
            }
            Err(fault) => Err(fault),
        })
    }
}

/// The rows of a whole table, each with the number of the line that it begins on. Lines end
/// with LF, CRLF or CR; empty ones are skipped. Nothing follows a fault.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    rest: &'a [u8],
    separator: u8,
    line: usize,
}

impl<'a> Rows<'a> {
    /// The rows of this text, from its first line on.
    pub fn new(text: &'a [u8], separator: u8) -> Rows<'a> {
        Rows { rest: text, separator, line: 1 }
    }

    /// The row at `self.rest`, and what follows it.
    fn row(&self) -> Result<(Vec<Column<'a>>, &'a [u8]), Fault> {
        let mut columns = Vec::new();
        let mut from_here = self.rest;
        loop {
            let (column, after) = column(from_here, self.separator, columns.len() + 1)?;
            columns.push(column);
            from_here = match after {
                [b'\r', b'\n', next @ ..] | [b'\n' | b'\r', next @ ..] => {
                    return Ok((columns, next));
                }
                [_, next @ ..] => next,
                [] => return Ok((columns, after)),
            };
        }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = (usize, Result<Vec<Column<'a>>, Fault>);

    fn next(&mut self) -> Option<Self::Item> {
        while let [b'\r', b'\n', next @ ..] | [b'\n' | b'\r', next @ ..] = self.rest {
            self.rest = next;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return None;
        }
        let line = self.line;
        let row = self.row();
        let next = row.as_ref().map_or(&[][..], |(_, next)| *next);
        self.line += line_ends(&self.rest[..self.rest.len() - next.len()]);
        self.rest = next;
        Some((line, row.map(|(columns, _)| columns)))
    }
}

/// How many lines end in a text.
fn line_ends(text: &[u8]) -> usize {
    let ends = |at: usize| match text[at] {
        b'\n' => true,
        b'\r' => text.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    (0..text.len()).filter(|at| ends(*at)).count()
}

/// The column at the start of `from_here`, and what follows it: nothing, or from the separator
/// or line end on.
#[inline]
fn column(from_here: &[u8], separator: u8, number: usize) -> Result<(Column<'_>, &[u8]), Fault> {
    match from_here {
        [b'"', inside @ ..] => quoted(inside, separator, number),
        _ => plain(from_here, separator, number),
    }
}

/// A column without quotes.
#[inline]
fn plain(from_here: &[u8], separator: u8, number: usize) -> Result<(Column<'_>, &[u8]), Fault> {
    let end = memchr(separator, from_here).unwrap_or(from_here.len());
    let end = match memchr3(b'"', b'\n', b'\r', &from_here[..end]) {
        None => end,
        Some(quote) if from_here[quote] == b'"' => {
            let problem = "quote inside an unquoted column";
            return Err(Fault::Quotes { column: number, problem });
        }
        Some(line_end) => line_end,
    };
    let (inside, after) = from_here.split_at(end);
    Ok((Column { inside, doubled: false }, after))
}

/// A column whose opening quote is gone.
#[inline]
fn quoted(inside: &[u8], separator: u8, number: usize) -> Result<(Column<'_>, &[u8]), Fault> {
    let fault = |problem| Fault::Quotes { column: number, problem };
    let mut doubled = false;
    let mut at = 0;
    loop {
        let Some(quote) = memchr(b'"', &inside[at..]) else {
            return Err(fault("unterminated quote"));
        };
        let end = at + quote;
        match &inside[end + 1..] {
            [b'"', ..] => {
                doubled = true;
                at = end + 2;
            }
            after @ ([] | [b'\n' | b'\r', ..]) => {
                return Ok((Column { inside: &inside[..end], doubled }, after));
            }
            after if after[0] == separator => {
                return Ok((Column { inside: &inside[..end], doubled }, after));
            }
            _ => return Err(fault("text after the closing quote")),
        }
    }
}

/// Writes a column, in quotes where it needs them.
pub fn write(column: &[u8], separator: u8, line: &mut Vec<u8>) {
    let special = |byte: &u8| *byte == separator || matches!(byte, b'"' | b'\n' | b'\r');
    if !column.iter().any(special) {
        return line.extend_from_slice(column);
    }
    line.push(b'"');
    for byte in column {
        if *byte == b'"' {
            line.push(b'"');
        }
        line.push(*byte);
    }
    line.push(b'"');
}
