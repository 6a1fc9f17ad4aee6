//! One line of CSV to the values of the wanted columns.

use memchr::{memchr_iter, memchr3};

use crate::columns::{COUNT, Kind};
use crate::config::Feature;
use crate::fault::Fault;
use crate::reader::Sink;
use crate::value::{Number, is_missing, number};

/// Reads lines. What it holds is memory that one line after the other uses.
#[derive(Debug)]
pub(crate) struct Lines {
    separator: u8,
    /// Where the columns of the current line start and end: in the line itself, or
    /// in `unquoted` if it has quotes.
    columns: [(usize, usize); COUNT],
    unquoted: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(separator: u8) -> Lines {
        Lines { separator, columns: [(0, 0); COUNT], unquoted: Vec::new() }
    }

    /// Writes the wanted columns of a line, with or without its line end, to `row`.
    pub(crate) fn read(
        &mut self,
        line: &[u8],
        wanted: &[Feature],
        row: &mut impl Sink,
    ) -> Result<(), Fault> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // It must be told by its first column alone: where only texts are wanted,
        // every other word of a header would pass for a value.
        if line.starts_with(b"Year") || line.starts_with(b"\"Year\"") {
            return Err(Fault::Header);
        }

        // Nearly every line is free of quotes and of line ends.
        let special = memchr3(b'"', b'\n', b'\r', line);
        let (found, line) = match special.map(|at| line[at]) {
            None => (self.split(line), line),
            Some(b'"') => (self.split_quoted(line)?, self.unquoted.as_slice()),
            Some(_) => return Err(Fault::Lines),
        };
        if found != COUNT {
            return Err(Fault::Columns { found });
        }

        for feature in wanted {
            let (start, end) = self.columns[feature.column];
            let field = &line[start..end];
            match feature.kind {
                Kind::Number => match number(field) {
                    Number::Is(number) => row.number(number),
                    Number::Missing => row.missing(),
                    Number::Invalid => return Err(Fault::not_a_number(feature.name, field)),
                },
                Kind::Text if is_missing(field) => row.missing(),
                Kind::Text => match str::from_utf8(field) {
                    Ok(text) => row.text(text),
                    Err(_) => {
                        return Err(Fault::NotUtf8 { column: feature.name });
                    }
                },
            }
        }
        Ok(())
    }

    /// Finds the columns of a line without quotes. Returns how many there are, of
    /// which no more than [`COUNT`] are kept.
    #[inline]
    fn split(&mut self, line: &[u8]) -> usize {
        let mut found = 0;
        let mut start = 0;
        for end in memchr_iter(self.separator, line) {
            if let Some(column) = self.columns.get_mut(found) {
                *column = (start, end);
            }
            found += 1;
            start = end + 1;
        }
        if let Some(column) = self.columns.get_mut(found) {
            *column = (start, line.len());
        }
        found + 1
    }

    /// The same for a line with quotes, as RFC 4180 has them: around a whole column,
    /// and doubled inside. The columns are copied without their quotes.
    #[cold]
    fn split_quoted(&mut self, line: &[u8]) -> Result<usize, Fault> {
        self.unquoted.clear();
        let mut found = 0;
        let mut rest = Some(line);
        while let Some(from_here) = rest {
            let start = self.unquoted.len();
            let after = match from_here {
                [b'"', inside @ ..] => self.unquote(inside, found + 1)?,
                _ => self.copy(from_here, found + 1)?,
            };
            if let Some(column) = self.columns.get_mut(found) {
                *column = (start, self.unquoted.len());
            }
            found += 1;
            rest = match after {
                [] => None,
                [byte, next @ ..] if *byte == self.separator => Some(next),
                [b'\n' | b'\r', ..] => return Err(Fault::Lines),
                _ => {
                    return Err(Fault::Quotes {
                        field: found,
                        problem: "text after the closing quote",
                    });
                }
            };
        }
        Ok(found)
    }

    /// Copies a quoted column, of which the opening quote is gone. Returns what
    /// follows the closing one.
    fn unquote<'a>(&mut self, mut inside: &'a [u8], field: usize) -> Result<&'a [u8], Fault> {
        loop {
            let Some(quote) = memchr::memchr(b'"', inside) else {
                return Err(Fault::Quotes { field, problem: "a quote that does not end" });
            };
            self.unquoted.extend_from_slice(&inside[..quote]);
            inside = &inside[quote + 1..];
            match inside {
                [b'"', after @ ..] => {
                    self.unquoted.push(b'"');
                    inside = after;
                }
                after => return Ok(after),
            }
        }
    }

    /// Copies a column without quotes. Returns what follows it, from the separator.
    fn copy<'a>(&mut self, from_here: &'a [u8], field: usize) -> Result<&'a [u8], Fault> {
        let end = memchr::memchr(self.separator, from_here).unwrap_or(from_here.len());
        let (column, after) = from_here.split_at(end);
        match memchr3(b'"', b'\n', b'\r', column).map(|at| column[at]) {
            None => self.unquoted.extend_from_slice(column),
            Some(b'"') => {
                return Err(Fault::Quotes {
                    field,
                    problem: "a quote inside of a column that does not start with one",
                });
            }
            Some(_) => return Err(Fault::Lines),
        }
        Ok(after)
    }
}
