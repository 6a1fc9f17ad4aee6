//! Sample rows that come with a model for its validation: a table (CSV) in its folder.
//!
//! The table comes with the model, from any source: it is bounded, and errors
//! in it are found when the model is loaded.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::digest::Sha256;

/// Bytes of a table at most.
pub(super) const BYTES: u64 = 1 << 20;
/// Rows of it at most: they are scored whenever the model is set up.
const ROWS: usize = 1000;
/// The default tolerance.
const TOLERANCE: f64 = 1e-5;

/// `[samples]` of a `model.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SampleFile {
    /// The file's name, in the model's folder.
    pub file: String,
    /// How far a number may be from the expected one; relative to it if it is
    /// beyond 1. Default: 0.00001.
    #[serde(default = "tolerance")]
    pub tolerance: f64,
    /// The file's digest. Unchecked by default.
    #[serde(default)]
    pub sha256: Option<Sha256>,
}

/// The sample rows of a model, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// The file, for errors.
    pub path: PathBuf,
    /// As [`SampleFile::tolerance`].
    pub tolerance: f64,
    /// The names of the columns: features and expected values.
    pub columns: Vec<String>,
    /// The rows, at least one.
    pub rows: Vec<Sample>,
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The line of the file on which it begins.
    pub line: usize,
    /// As many cells as there are columns.
    pub cells: Vec<String>,
}

fn tolerance() -> f64 {
    TOLERANCE
}

impl SampleFile {
    /// What is wrong with the tolerance, if anything is.
    pub(super) fn problem(&self) -> Option<String> {
        let fits = self.tolerance.is_finite() && self.tolerance >= 0.0;
        let wrong =
            || format!("invalid tolerance {}; expected a number of at least 0", self.tolerance);
        (!fits).then(wrong)
    }

    /// The rows in the bytes of the file at `path`.
    ///
    /// # Errors
    /// If they are no table, or one with too many rows.
    pub(super) fn read(&self, path: PathBuf, bytes: &[u8]) -> Result<Samples, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|it| **it == b'\n').count();
            format!("line {line} is not UTF-8; samples must be CSV in UTF-8")
        })?;
        // Spreadsheets write a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rows = split(text)?.into_iter();
        let header =
            rows.next().ok_or("the file is empty; its first line must name the columns")?;
        let columns = header.cells;
        let mut seen = HashSet::new();
        for name in &columns {
            if name.is_empty() {
                return Err("line 1: a column has no name; name it, or leave it out".into());
            }
            if !seen.insert(name) {
                return Err(format!("line 1: duplicate column '{name}'"));
            }
        }
        let rows = rows.collect::<Vec<_>>();
        if let Some(Sample { line, cells }) = rows.iter().find(|it| it.cells.len() != columns.len())
        {
            let (found, expected) = (cells.len(), columns.len());
            return Err(format!(
                "line {line}: expected {expected} cells, as line 1 names {expected} columns, got {found}"
            ));
        }
        if rows.is_empty() {
            return Err(
                "the file has no rows; add one below the column names, or leave [samples] out"
                    .into(),
            );
        }
        Ok(Samples { path, tolerance: self.tolerance, columns, rows })
    }
}

/// The rows of a table as in RFC 4180, the names of the columns first. Empty lines are
/// left out.
fn split(text: &str) -> Result<Vec<Sample>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        // The number of cells is checked later, for an error with the line and the names.
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let (mut line, mut read) = (1, 0);
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        // The names of the columns are a row here.
        if rows.len() > ROWS {
            return Err(format!("more than {ROWS} rows; leave some out"));
        }
        // The reader's position is before the end of the previous line and before empty lines.
        let before = record.position().map_or(0, |position| position.byte() as usize);
        let end = text[before..].find(|it| !matches!(it, '\r' | '\n')).unwrap_or(0);
        line += text[read..before + end].matches('\n').count();
        read = before + end;
        rows.push(Sample { line, cells: record.iter().map(str::to_owned).collect() });
    }
    Ok(rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
mod tests {
    use super::*;

    fn read(bytes: impl AsRef<[u8]>) -> Result<Samples, String> {
        let file = SampleFile { file: "s.csv".into(), tolerance: TOLERANCE, sha256: None };
        file.read("s.csv".into(), bytes.as_ref())
    }

    fn sample(line: usize, cells: &[&str]) -> Sample {
        Sample { line, cells: cells.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn cells_are_taken_apart() {
        let text = "\u{feff}a,\"b, c\",d\r\n1,,\"x \"\"y\"\"\"\r\n\r\n\"two\nlines\",2,\n,,3";
        let samples = read(text).unwrap();
        assert_eq!(samples.columns, ["a", "b, c", "d"]);
        let expected = [
            sample(2, &["1", "", "x \"y\""]),
            sample(4, &["two\nlines", "2", ""]),
            sample(6, &["", "", "3"]),
        ];
        assert_eq!(samples.rows, expected);
        assert_eq!(read("a\n\"\"\n").unwrap().rows, [sample(2, &[""])]);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let long = format!("a\n{}", "1\n".repeat(ROWS + 1));
        for (bytes, expected) in [
            (&b""[..], "the file is empty"),
            (b"a,b\n", "the file has no rows"),
            (b"a,b\n1,2\n3\n", "line 3: expected 2 cells, as line 1 names 2 columns, got 1"),
            (b"a,\n1,2\n", "a column has no name"),
            (b"a,a\n1,2\n", "duplicate column 'a'"),
            (b"a\n1\n\xff\n", "line 3 is not UTF-8"),
            (long.as_bytes(), "more than 1000 rows"),
        ] {
            let error = read(bytes).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(read(&long[..long.len() - 2]).unwrap().rows.len(), ROWS);
    }
}
