//! A table of samples, as CSV: rows of features or names of pictures, and expected predictions.

use std::collections::HashSet;
use std::path::{Component, Path};

use crate::digest::Sha256;

/// Rows of a table at most, and of a batch of tensors: they are scored whenever the model is
/// set up.
pub const ROWS: usize = 1000;
/// The column of a graph's table that names files, and makes it one of pictures.
pub const PICTURE: &str = "picture";
/// The column with the digests of the files.
pub const SHA256: &str = "sha256";

/// A table, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
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

/// A file that a table names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture<'a> {
    /// Its path in the model's folder.
    pub file: &'a str,
    /// Its digest. Unchecked by default.
    pub sha256: Option<Sha256>,
}

impl Table {
    /// The rows in the bytes of a file.
    ///
    /// # Errors
    /// If they are no table, or one with too many rows.
    pub fn read(bytes: &[u8]) -> Result<Table, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|it| **it == b'\n').count();
            format!("line {line} is not UTF-8; samples must be CSV in UTF-8")
        })?;
        // Spreadsheets write a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        quotes(text)?;
        let mut rows = split(text)?.into_iter();
        let header =
            rows.next().ok_or("the file is empty; its first line must name the columns")?;
        let columns = header.cells;
        let mut seen = HashSet::new();
        for name in &columns {
            if name.is_empty() {
                return Err("line 1: a column has no name; name it, or leave it out".into());
            }
            if name.trim() != name {
                return Err(format!(
                    "line 1: column '{name}': spaces around the name; remove them"
                ));
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
        Ok(Table { columns, rows })
    }

    /// The place of a column.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The files that the rows name, if the table is one of pictures.
    ///
    /// # Errors
    /// If a cell is no path within the model's folder, or no digest.
    pub fn pictures(&self) -> Option<Result<Vec<Picture<'_>>, String>> {
        let (file, digest) = (self.place(PICTURE)?, self.place(SHA256));
        let picture = |row| self.picture(row, file, digest);
        Some(self.rows.iter().map(picture).collect())
    }

    /// The file that a row names.
    fn picture<'a>(
        &self,
        row: &'a Sample,
        file: usize,
        digest: Option<usize>,
    ) -> Result<Picture<'a>, String> {
        let at = |column: &str, reason: String| {
            format!("line {}: column '{column}': {reason}", row.line)
        };
        let path = row.cells[file].as_str();
        if let Some(problem) = path_problem(path) {
            return Err(at(PICTURE, problem));
        }
        let sha256 = digest.map(|place| row.cells[place].as_str()).filter(|it| !it.is_empty());
        let sha256 = sha256.map(str::parse).transpose();
        Ok(Picture { file: path, sha256: sha256.map_err(|reason| at(SHA256, reason))? })
    }

    /// The table as CSV.
    pub fn write(&self) -> String {
        let cell = |cell: &String| match cell.contains(['"', ',', '\r', '\n'])
            || self.columns.len() == 1
        {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell.clone(),
        };
        let line = |cells: &[String]| cells.iter().map(cell).collect::<Vec<_>>().join(",") + "\n";
        let rows = self.rows.iter().map(|row| line(&row.cells));
        std::iter::once(line(&self.columns)).chain(rows).collect()
    }
}

/// What is wrong with the path of a file in a model's folder, if anything is.
pub fn path_problem(path: &str) -> Option<String> {
    let plain = !path.is_empty()
        && !path.contains(['\\', ':', '\0'])
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    (!plain).then(|| {
        format!("'{path}' is not a path within the model folder; put the file there and name it relative to the folder")
    })
}

/// Checks that quotes are where RFC 4180 has them. Read with indulgence, one that is never closed
/// would take all rows behind it into one cell.
fn quotes(text: &str) -> Result<(), String> {
    /// Where the reader is.
    enum At {
        Start,
        Plain,
        /// Within quotes that were opened on this line.
        Quoted(usize),
        /// Behind a quote in a quoted cell: its end, or the first of two.
        Closed(usize),
    }
    let (mut at, mut line) = (At::Start, 1);
    let stray = |line: usize| {
        format!(
            "line {line}: a quote within a cell; put the whole cell in quotes, and double those in it"
        )
    };
    for character in text.chars() {
        at = match (at, character) {
            (At::Start, '"') => At::Quoted(line),
            (At::Closed(opened), '"') => At::Quoted(opened),
            (At::Quoted(opened), '"') => At::Closed(opened),
            (At::Quoted(opened), _) => At::Quoted(opened),
            (_, ',' | '\r' | '\n') => At::Start,
            (At::Plain, '"') | (At::Closed(_), _) => return Err(stray(line)),
            _ => At::Plain,
        };
        line += usize::from(character == '\n');
    }
    match at {
        At::Quoted(opened) => Err(format!("line {opened}: a quote is opened and never closed")),
        _ => Ok(()),
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

    fn read(bytes: impl AsRef<[u8]>) -> Result<Table, String> {
        Table::read(bytes.as_ref())
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
        // And what is written is read as the same cells.
        for table in [samples, read("a\n\"\"\n").unwrap()] {
            let again = read(table.write()).unwrap();
            assert_eq!(again.columns, table.columns);
            assert!(
                again.rows.iter().map(|it| &it.cells).eq(table.rows.iter().map(|it| &it.cells))
            );
        }
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
            (b"a, label\n1,x\n", "column ' label': spaces around the name"),
            (b"a,b\n1,\"2\n3,4\n5,6\n", "line 2: a quote is opened and never closed"),
            (b"a,b\n1,2\"\n", "line 2: a quote within a cell"),
            (b"a,b\n1,\"2\"3\n", "line 2: a quote within a cell"),
            (long.as_bytes(), "more than 1000 rows"),
        ] {
            let error = read(bytes).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(read(&long[..long.len() - 2]).unwrap().rows.len(), ROWS);
    }
}
