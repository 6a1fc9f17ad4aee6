//! `model.ini`: keys and values, the names of the columns, the files of their domains.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::domain;
use crate::error::Error;
use crate::limits::{self, Limits};

/// The entry's name.
pub(crate) const NAME: &str = "model.ini";

/// What `model.ini` says. Values stay text until they are asked for, since it is the reader
/// of an algorithm that knows their types.
pub(crate) struct Info<'a> {
    values: HashMap<&'a str, Value<'a>, RandomState>,
    /// Names of the columns, the response last.
    pub(crate) columns: Vec<&'a str>,
    /// Which columns are categorical, in the order of the file.
    pub(crate) domains: Vec<DomainEntry<'a>>,
}

struct Value<'a> {
    text: &'a str,
    line: usize,
}

/// One line of `[domains]`, such as `5: 10 d000.txt`.
pub(crate) struct DomainEntry<'a> {
    /// Which column.
    pub(crate) column: usize,
    /// How many categories it has.
    pub(crate) size: u64,
    /// The file that lists them, in the folder `domains`.
    pub(crate) file: &'a str,
}

enum Section {
    Preface,
    Info,
    Columns,
    Domains,
}

impl<'a> Info<'a> {
    /// Reads the text of `model.ini`.
    pub(crate) fn parse(text: &'a str, limits: &Limits) -> Result<Self, Error> {
        let mut info = Self { values: HashMap::default(), columns: vec![], domains: vec![] };
        let mut section = Section::Preface;
        for (index, line) in domain::lines(text).enumerate() {
            let number = index + 1;
            let line = trim(line);
            match (line, &section) {
                ("", _) => {}
                // H2O writes no comments, and its reader takes these names for something else.
                (name, Section::Columns) if name.starts_with('#') => return Err(shifting(name)),
                (name @ ("[info]" | "[columns]"), Section::Columns | Section::Domains)
                | (name @ "[domains]", Section::Domains) => return Err(shifting(name)),
                (comment, _) if comment.starts_with('#') => {}
                ("[info]", _) => section = Section::Info,
                ("[columns]", _) => section = Section::Columns,
                ("[domains]", _) => section = Section::Domains,
                (_, Section::Preface) => {}
                (_, Section::Info) => {
                    let (key, value) = line
                        .split_once('=')
                        .ok_or_else(|| fault(number, "expected KEY = VALUE"))?;
                    info.values.insert(trim(key), Value { text: trim(value), line: number });
                }
                (_, Section::Columns) => {
                    info.columns.push(line);
                    let count = info.columns.len() as u64;
                    limits::check(|| "columns".into(), count, limits.columns, "columns")?;
                }
                (_, Section::Domains) => match domain(line) {
                    Some(entry) => info.domains.push(entry),
                    // The names of columns do not end with a column of this name.
                    None if info.columns.len() < info.number("n_columns")? => {
                        return Err(shifting("[domains]"));
                    }
                    None => return Err(fault(number, "expected COLUMN: COUNT FILE")),
                },
            }
        }
        let declared: usize = info.number("n_columns")?;
        if declared != info.columns.len() {
            return Err(Error::Contradiction {
                key: "n_columns".into(),
                reason: format!(
                    "expected {declared} columns, got {}: a name that is empty or holds a line \
                     break shifts those after it in H2O, too: rename it and train again",
                    info.columns.len()
                ),
            });
        }
        Ok(info)
    }

    /// A value as it stands; `None` where it is absent or the word `null`.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.values.get(key).map(|value| value.text).filter(|text| *text != "null")
    }

    /// A value that must be there.
    pub(crate) fn required(&self, key: &str) -> Result<&'a str, Error> {
        self.text(key).ok_or_else(|| Error::MissingKey { key: key.into() })
    }

    /// A number, where it is there.
    pub(crate) fn optional<T: std::str::FromStr>(&self, key: &str) -> Result<Option<T>, Error> {
        let Some(text) = self.text(key) else { return Ok(None) };
        let value = text.parse().map_err(|_| self.fault(key, "invalid number", text))?;
        Ok(Some(value))
    }

    /// A number that must be there.
    pub(crate) fn number<T: std::str::FromStr>(&self, key: &str) -> Result<T, Error> {
        self.optional(key)?.ok_or_else(|| Error::MissingKey { key: key.into() })
    }

    /// `true` or `false`; false where it is absent.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, Error> {
        match self.text(key) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(self.fault(key, "expected true or false", other)),
        }
    }

    /// How many items a list has, or 0 where it is absent or `null`.
    pub(crate) fn items(&self, key: &str) -> usize {
        self.text(key).map_or(0, |text| text.bytes().filter(|byte| *byte == b',').count() + 1)
    }

    /// As [`list`](Self::list), which must be there.
    pub(crate) fn required_list<T: std::str::FromStr>(&self, key: &str) -> Result<Vec<T>, Error> {
        self.list(key)?.ok_or_else(|| Error::MissingKey { key: key.into() })
    }

    /// Numbers in brackets, such as `[0.5, 1.0]`; `None` where absent or `null`.
    pub(crate) fn list<T: std::str::FromStr>(&self, key: &str) -> Result<Option<Vec<T>>, Error> {
        let Some(text) = self.text(key) else { return Ok(None) };
        let inside = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .ok_or_else(|| self.fault(key, "expected a list in brackets", text))?;
        if trim(inside).is_empty() {
            return Ok(Some(vec![]));
        }
        let number = |item: &str| {
            trim(item).parse().map_err(|_| self.fault(key, "invalid number in the list", item))
        };
        inside.split(',').map(number).collect::<Result<_, _>>().map(Some)
    }

    fn fault(&self, key: &str, reason: &str, found: &str) -> Error {
        let line = self.values.get(key).map_or(0, |value| value.line);
        // Weights are lines of megabytes: a message shows where they go wrong, not all of them.
        let found: String = found.chars().take(40).collect();
        Error::Line { entry: NAME.into(), line, reason: format!("{key}: {reason}: {found:?}") }
    }
}

fn domain(line: &str) -> Option<DomainEntry<'_>> {
    let (column, rest) = line.split_once(':')?;
    let (size, file) = trim(rest).split_once(' ')?;
    Some(DomainEntry {
        column: trim(column).parse().ok()?,
        size: size.parse().ok()?,
        file: trim(file),
    })
}

/// A column's name that H2O's writer does not escape and H2O's reader does not take for a
/// name: those after it would be shifted by one, and the last would have none.
fn shifting(name: &str) -> Error {
    Error::Unsupported {
        what: format!("a column named '{}'", name.chars().take(40).collect::<String>()),
        supported: "names that H2O's own reader does not take for a comment or a title, which \
                    shifts the names after them: rename the column and train again"
            .into(),
    }
}

fn fault(line: usize, reason: &str) -> Error {
    Error::Line { entry: NAME.into(), line, reason: reason.into() }
}

/// Cuts off what Java's `String.trim` does: blanks and control characters.
fn trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}
