//! One line of CSV to the values of the wanted columns.

use sandbar_operator::text::{ascii_in, csv, digits_in, line};

use crate::columns::{COUNT, Kind};
use crate::config::Feature;
use crate::fault::Fault;
use crate::sink::Sink;
use crate::value::{Value, is_missing, value};

/// Reads lines. What it holds is memory that one line after the other uses.
#[derive(Debug)]
pub(crate) struct Lines {
    lines: line::Lines,
}

impl Lines {
    /// For lines with this separator, to read the wanted columns.
    pub(crate) fn new(separator: u8, wanted: &[Feature]) -> Lines {
        let last = wanted.iter().map(|feature| feature.column).max().unwrap_or(0);
        Lines { lines: line::Lines::new(separator, COUNT, last) }
    }

    /// Writes the wanted columns of a line, with or without its line end, to `row`.
    pub(crate) fn read(
        &mut self,
        line: &[u8],
        wanted: &[Feature],
        row: &mut impl Sink,
    ) -> Result<(), Fault> {
        let (line, _) = csv::split_end(line);
        // It must be told by its first column alone: where only texts are wanted,
        // every other word of a header would pass for a value.
        if line.starts_with(b"Year") || line.starts_with(b"\"Year\"") {
            return Err(Fault::Header);
        }
        let found = self.lines.split(line)?;
        if found != COUNT {
            return Err(Fault::Columns { found });
        }
        let line = self.lines.copy().unwrap_or(line);
        for feature in wanted {
            let range = self.lines.column(feature.column);
            let field = &line[range.clone()];
            // The quick ways first, apart from each other: most values are digits and short texts.
            let quick = match feature.kind {
                Kind::Number => digits_in(line, range).map(Value::Number),
                Kind::Text if is_missing(field) => Some(Value::Missing),
                Kind::Text => ascii_in(line, range).map(Value::Text),
            };
            match quick {
                Some(value) => value.write_to(row),
                None if is_missing(field) => row.missing(),
                None => value(feature, field)?.write_to(row),
            }
        }
        Ok(())
    }
}
