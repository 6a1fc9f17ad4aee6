//! One line of CSV to the values of the wanted columns.

use sandbar_operator::text;

use crate::columns::{COUNT, Kind};
use crate::config::Feature;
use crate::fault::Fault;
use crate::marks::{BLOCK, marks};
use crate::sink::Sink;
use crate::value::{Value, is_missing, short_ascii, short_integer, value};

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
        let (line, _) = text::csv::split_end(line);
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
            let read = match feature.kind {
                Kind::Number => short_integer(from_here, field.len()).map(Value::Number),
                Kind::Text if is_missing(field) => Some(Value::Missing),
                Kind::Text => short_ascii(from_here, field.len()).map(Value::Text),
            };
            match read {
                Some(value) => value.write_to(row),
                None if is_missing(field) => row.missing(),
                None => value(feature, field)?.write_to(row),
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

    /// The same for a line with quotes, or with something after its end. The columns are
    /// copied without their quotes.
    #[cold]
    fn split_quoted(&mut self, line: &[u8]) -> Result<usize, Fault> {
        self.unquoted.clear();
        let mut found = 0;
        for column in text::csv::Columns::new(line, self.separator) {
            column?.append_to(&mut self.unquoted);
            self.unquoted.push(self.separator);
            found += 1;
            self.start(found, self.unquoted.len());
        }
        Ok(found)
    }
}

/// Less than a block, with zeros behind.
#[cold]
fn pad(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..bytes.len()].copy_from_slice(bytes);
    block
}
