//! One line of CSV to the values of the wanted columns.

use memchr::memchr3;

use crate::columns::{COUNT, Kind};
use crate::config::Feature;
use crate::fault::Fault;
use crate::reader::Sink;
use crate::value::{Number, is_missing, number};

/// Reads lines. What it holds is memory that one line after the other uses.
#[derive(Debug)]
pub(crate) struct Lines {
    separator: u8,
    /// Where the columns of the current line end: in the line itself, or in
    /// `unquoted` if it has quotes. The next column starts one byte further.
    ends: [usize; COUNT],
    /// The index of the last column that anyone wants: ends beyond are not kept.
    last: usize,
    unquoted: Vec<u8>,
}

impl Lines {
    /// For lines with this separator, to read the wanted columns.
    pub(crate) fn new(separator: u8, wanted: &[Feature]) -> Lines {
        Lines {
            separator,
            ends: [0; COUNT],
            last: wanted.iter().map(|feature| feature.column).max().unwrap_or(0),
            unquoted: Vec::new(),
        }
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
            let column = feature.column;
            let start = if column == 0 { 0 } else { self.ends[column - 1] + 1 };
            let field = &line[start..self.ends[column]];
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
    ///
    /// Columns are some three bytes wide, so that a search for each separator
    /// would cost more in its start than in its way: eight bytes are compared at
    /// once, and the separators among them taken from the result's bits.
    #[inline]
    fn split(&mut self, line: &[u8]) -> usize {
        let mut found = 0;
        let (words, rest) = line.as_chunks::<8>();
        for (index, word) in words.iter().enumerate() {
            let mut marks = equal_bytes(u64::from_le_bytes(*word), self.separator);
            if found > self.last {
                found += marks.count_ones() as usize;
                continue;
            }
            while marks != 0 {
                self.end(found, 8 * index + marks.trailing_zeros() as usize / 8);
                found += 1;
                marks &= marks - 1;
            }
        }
        let read = line.len() - rest.len();
        for (index, byte) in rest.iter().enumerate() {
            if *byte == self.separator {
                self.end(found, read + index);
                found += 1;
            }
        }
        self.end(found, line.len());
        found + 1
    }

    /// Keeps where a column ends, unless there are too many.
    #[inline]
    fn end(&mut self, column: usize, end: usize) {
        if let Some(kept) = self.ends.get_mut(column) {
            *kept = end;
        }
    }

    /// The same for a line with quotes, as RFC 4180 has them: around a whole column,
    /// and doubled inside. The columns are copied without their quotes.
    #[cold]
    fn split_quoted(&mut self, line: &[u8]) -> Result<usize, Fault> {
        self.unquoted.clear();
        let mut found = 0;
        let mut rest = Some(line);
        while let Some(from_here) = rest {
            let after = match from_here {
                [b'"', inside @ ..] => self.unquote(inside, found + 1)?,
                _ => self.copy(from_here, found + 1)?,
            };
            self.end(found, self.unquoted.len());
            self.unquoted.push(self.separator);
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

/// The highest bit of each byte of `word` that is `byte`; all other bits are 0.
#[inline]
fn equal_bytes(word: u64, byte: u8) -> u64 {
    const LOW_BITS: u64 = u64::from_ne_bytes([0x7f; 8]);
    let difference = word ^ u64::from_ne_bytes([byte; 8]);
    // In a byte that differs, the sum of its low seven bits carries into the
    // highest, or the highest is set already. No carry leaves its byte.
    !((difference & LOW_BITS).wrapping_add(LOW_BITS) | difference | LOW_BITS)
}
