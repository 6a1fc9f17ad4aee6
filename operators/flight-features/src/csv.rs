//! One line of CSV to the values of the wanted columns.

use memchr::memchr3;

use crate::columns::{COUNT, Kind};
use crate::config::Feature;
use crate::fault::Fault;
use crate::marks::{BLOCK, marks};
use crate::sink::Sink;
use crate::value::{Number, is_missing, number, short_ascii, short_integer};

/// How many columns are kept in one go.
const STEP: usize = 8;

/// Reads lines. What it holds is memory that one line after the other uses.
#[derive(Debug)]
pub(crate) struct Lines {
    separator: u8,
    /// Where the columns of the current line start: in the line itself, or in
    /// `unquoted` if it has quotes. A column ends one byte before the next one
    /// starts; behind the last one it is as if another followed. What lies behind
    /// that is of no meaning.
    starts: [usize; COUNT + STEP],
    /// The index of the last column that anyone wants: starts of those behind the
    /// next one need not be kept.
    last: usize,
    unquoted: Vec<u8>,
}

impl Lines {
    /// For lines with this separator, to read the wanted columns.
    pub(crate) fn new(separator: u8, wanted: &[Feature]) -> Lines {
        Lines {
            separator,
            starts: [0; COUNT + STEP],
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
        let (found, line) = match self.split(line) {
            Some(found) => (found, line),
            None => (self.split_quoted(line)?, self.unquoted.as_slice()),
        };
        if found != COUNT {
            return Err(Fault::Columns { found });
        }

        for feature in wanted {
            let column = feature.column;
            let from_here = &line[self.starts[column]..];
            let field = &from_here[..self.starts[column + 1] - 1 - self.starts[column]];
            match feature.kind {
                Kind::Number => match short_integer(from_here, field.len()) {
                    Some(number) => row.number(number),
                    None if is_missing(field) => row.missing(),
                    None => match number(field) {
                        Number::Is(number) => row.number(number),
                        Number::Missing => row.missing(),
                        Number::Invalid => return Err(Fault::not_a_number(feature.name, field)),
                    },
                },
                Kind::Text if is_missing(field) => row.missing(),
                Kind::Text => match short_ascii(from_here, field.len()) {
                    Some(text) => row.text(text),
                    None => match str::from_utf8(field) {
                        Ok(text) => row.text(text),
                        Err(_) => return Err(Fault::NotUtf8 { column: feature.name }),
                    },
                },
            }
        }
        Ok(())
    }

    /// Finds the columns of a line. Returns how many there are, or nothing if there
    /// are quotes or line ends in it.
    #[inline]
    fn split(&mut self, line: &[u8]) -> Option<usize> {
        let (blocks, rest) = line.as_chunks::<BLOCK>();
        let mut found = 0;
        for (index, block) in blocks.iter().enumerate() {
            let marks = marks(block, self.separator);
            if marks.special {
                return None;
            }
            self.keep(found, marks.separators, index * BLOCK);
            found += marks.separators.count_ones() as usize;
        }
        if !rest.is_empty() {
            let padded;
            let (block, behind) = match line.last_chunk::<BLOCK>() {
                // Some of these bytes were looked at before.
                Some(block) => (block, 0),
                // Lines this short are rare.
                None => {
                    padded = pad(rest);
                    (&padded, BLOCK - rest.len())
                }
            };
            let marks = marks(block, self.separator);
            if marks.special {
                return None;
            }
            let separators = marks.separators << behind >> (BLOCK - rest.len());
            self.keep(found, separators, line.len() - rest.len());
            found += separators.count_ones() as usize;
        }
        self.start(found + 1, line.len() + 1);
        Some(found + 1)
    }

    /// Keeps where columns start: behind the separators of a block, whose bits these
    /// are. `found` separators were before them, `first` is the block's place.
    #[inline]
    fn keep(&mut self, mut found: usize, mut separators: u64, first: usize) {
        // Eight at a time, some of them for nothing: how many a block has differs
        // from line to line, and a wrong guess of the processor costs more.
        while separators != 0 && found <= self.last {
            let Some(starts) = self.starts[found + 1..].first_chunk_mut::<STEP>() else { return };
            for start in starts {
                *start = first + separators.trailing_zeros() as usize + 1;
                separators &= separators.wrapping_sub(1);
            }
            found += STEP;
        }
    }

    /// Keeps where a column starts, unless there are too many.
    #[inline]
    fn start(&mut self, column: usize, start: usize) {
        if let Some(kept) = self.starts.get_mut(column) {
            *kept = start;
        }
    }

    /// The same for a line with quotes, as RFC 4180 has them: around a whole column,
    /// and doubled inside. The columns are copied without their quotes.
    #[cold]
    fn split_quoted(&mut self, line: &[u8]) -> Result<usize, Fault> {
        if let Some(b'\n' | b'\r') = memchr3(b'"', b'\n', b'\r', line).map(|at| line[at]) {
            return Err(Fault::Lines);
        }
        self.unquoted.clear();
        let mut found = 0;
        let mut rest = Some(line);
        while let Some(from_here) = rest {
            let after = match from_here {
                [b'"', inside @ ..] => self.unquote(inside, found + 1)?,
                _ => self.copy(from_here, found + 1)?,
            };
            self.unquoted.push(self.separator);
            found += 1;
            self.start(found, self.unquoted.len());
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
                return Err(Fault::Quotes { field, problem: "unterminated quote" });
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
                return Err(Fault::Quotes { field, problem: "quote inside an unquoted column" });
            }
            Some(_) => return Err(Fault::Lines),
        }
        Ok(after)
    }
}

/// Less than a block, with zeros behind.
#[cold]
fn pad(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..bytes.len()].copy_from_slice(bytes);
    block
}
