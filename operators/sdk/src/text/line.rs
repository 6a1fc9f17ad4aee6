//! Lines of CSV whose number of columns is known, one after the other: quicker than
//! [`Columns`], since nearly every line is free of quotes.

use std::ops::Range;

use super::csv::Columns;
use super::fault::Fault;
use super::marks::{BLOCK, marks};

/// How many columns are kept in one go.
const STEP: usize = 8;

/// Splits lines. What it holds is memory that one line after the other uses.
#[derive(Debug)]
pub struct Lines {
    separator: u8,
    /// Where the columns of the current line start: in the line itself, or in
    /// `unquoted` if it has quotes. A column ends one byte before the next one
    /// starts; behind the last one it is as if another followed. What lies behind
    /// that is of no meaning.
    starts: Vec<usize>,
    /// The index of the last column that anyone wants: starts of those behind the
    /// next one need not be kept.
    last: usize,
    unquoted: Vec<u8>,
    /// Whether the current line has quotes.
    is_copy: bool,
}

impl Lines {
    /// For lines of so many columns, with this separator. Columns behind the one of index
    /// `last` are counted, and not kept.
    pub fn new(separator: u8, columns: usize, last: usize) -> Lines {
        let last = last.min(columns.saturating_sub(1));
        Lines {
            separator,
            starts: vec![0; columns + STEP],
            last,
            unquoted: Vec::new(),
            is_copy: false,
        }
    }

    /// A copy of the current line, if it has quotes: without them, so that
    /// [`column`](Lines::column) is a range of this.
    #[inline]
    pub fn copy(&self) -> Option<&[u8]> {
        self.is_copy.then_some(&self.unquoted)
    }

    /// Where in the current line, or in its [`copy`](Lines::copy), a column is, of those that
    /// are wanted. To be asked only of a line that has as many columns as it should.
    #[inline]
    pub fn column(&self, column: usize) -> Range<usize> {
        self.starts[column]..self.starts[column + 1] - 1
    }

    /// Finds the columns of one line, which comes without its end
    /// ([`split_end`](super::csv::split_end)). Returns how many it has, for the caller to
    /// compare.
    ///
    /// # Errors
    /// [`Fault::Quotes`] and [`Fault::Lines`].
    #[inline]
    pub fn split(&mut self, line: &[u8]) -> Result<usize, Fault> {
        let found = self.split_plain(line);
        self.is_copy = found.is_none();
        match found {
            Some(found) => Ok(found),
            None => self.split_quoted(line),
        }
    }

    /// Finds the columns of a line. Returns how many there are, or nothing if there
    /// are quotes or line ends in it.
    #[inline]
    fn split_plain(&mut self, line: &[u8]) -> Option<usize> {
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
        for column in Columns::new(line, self.separator) {
            column?.append_to(&mut self.unquoted);
            self.unquoted.push(self.separator);
            found += 1;
            self.start(found, self.unquoted.len());
        }
        Ok(found)
    }
}

/// Less than a block, with zeros behind.
#[inline]
fn pad(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..bytes.len()].copy_from_slice(bytes);
    block
}
