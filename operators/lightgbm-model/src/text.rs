//! The text of a model: lines, keys and lists of numbers.
//!
//! LightGBM's own reader takes much for a number that is none, and passes over keys that it
//! does not know. What it writes is narrower, and that is what is read here: a changed byte
//! should not become another model.

use std::str::FromStr;

use crate::error::Error;

/// The text of a model's bytes.
pub(crate) fn of_bytes(bytes: &[u8]) -> Result<&str, Error> {
    str::from_utf8(bytes).map_err(|error| Error::NotModel {
        reason: format!("it is no UTF-8 from byte {} on", error.valid_up_to()),
    })
}

/// The lines of a text, ended by LF, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    /// The number of the line that is next, from 1.
    number: usize,
    /// How many bytes are before it.
    offset: usize,
}

/// One line, without its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    /// From 1.
    pub(crate) number: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, number: 1, offset: 0 }
    }

    /// How many bytes are before the next line.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// Whether the text that is left has this line.
    pub(crate) fn have(&self, line: &str) -> bool {
        self.clone().any(|other| other.text == line)
    }

    /// The next line, which stays the next.
    pub(crate) fn peek(&self) -> Option<Line<'a>> {
        let rest = self.text.get(self.offset..).filter(|rest| !rest.is_empty())?;
        let text = rest.split('\n').next().unwrap_or_default();
        Some(Line { text, number: self.number })
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let line = self.peek()?;
        self.offset = (self.offset + line.text.len() + 1).min(self.text.len());
        self.number += 1;
        Some(line)
    }
}

impl<'a> Line<'a> {
    pub(crate) fn error(&self, reason: impl Into<String>) -> Error {
        Error::Line { line: self.number, reason: reason.into() }
    }

    /// The key before the first `=` and the value behind it.
    pub(crate) fn entry(&self) -> Result<(&'a str, &'a str), Error> {
        self.text
            .split_once('=')
            .ok_or_else(|| self.error(format!("expected 'key=value', got {}", excerpt(self.text))))
    }
}

/// The value of a key, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) key: &'static str,
    pub(crate) text: &'a str,
    pub(crate) line: Line<'a>,
}

impl<'a> Value<'a> {
    pub(crate) fn error(&self, reason: impl AsRef<str>) -> Error {
        self.line.error(format!("{}: {}", self.key, reason.as_ref()))
    }

    /// One number.
    pub(crate) fn number<T: FromStr>(&self) -> Result<T, Error> {
        self.item(self.text)
    }

    /// The words, which blanks separate.
    pub(crate) fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.text.split(' ').filter(|word| !word.is_empty())
    }

    /// As many numbers as `count` says, which blanks separate.
    pub(crate) fn list<T: FromStr>(&self, count: usize) -> Result<Vec<T>, Error> {
        // Every number takes a byte, so a file has memory for no more than it is long.
        let mut list = Vec::with_capacity(count.min(self.text.len()));
        for word in self.words() {
            if list.len() == count {
                return Err(self.error(format!("expected {count} numbers, got more")));
            }
            list.push(self.item(word)?);
        }
        if list.len() < count {
            return Err(self.error(format!("expected {count} numbers, got {}", list.len())));
        }
        Ok(list)
    }

    fn item<T: FromStr>(&self, word: &str) -> Result<T, Error> {
        word.parse().map_err(|_| self.error(format!("invalid number: {}", excerpt(word))))
    }
}

/// The entries of one part of the file, each key at most once.
#[derive(Debug)]
pub(crate) struct Entries<'a> {
    /// The header, or which tree.
    part: String,
    values: Vec<Value<'a>>,
    keys: &'static [&'static str],
}

impl<'a> Entries<'a> {
    /// Without entries. `keys` are those that there may be.
    pub(crate) fn new(part: String, keys: &'static [&'static str]) -> Self {
        Self { part, values: Vec::with_capacity(keys.len()), keys }
    }

    /// Adds an entry.
    pub(crate) fn insert(&mut self, line: Line<'a>, key: &str, text: &'a str) -> Result<(), Error> {
        let Some(key) = self.keys.iter().find(|known| **known == key) else {
            return Err(Error::Unsupported {
                what: format!("line {}: the key {}", line.number, excerpt(key)),
                supported: self.keys.join(", "),
            });
        };
        if self.get(key).is_some() {
            return Err(line.error(format!("{key} stands twice in {}", self.part)));
        }
        self.values.push(Value { key, text, line });
        Ok(())
    }

    /// The value of a key, if there is one.
    pub(crate) fn get(&self, key: &str) -> Option<Value<'a>> {
        self.values.iter().find(|value| value.key == key).copied()
    }

    /// The value of a key that there must be.
    pub(crate) fn required(&self, key: &'static str) -> Result<Value<'a>, Error> {
        self.get(key).ok_or_else(|| Error::MissingKey { part: self.part.clone(), key })
    }

    /// The header, or which tree.
    pub(crate) fn part(&self) -> &str {
        &self.part
    }
}

/// The beginning of a text, in quotes, for a message.
pub(crate) fn excerpt(text: &str) -> String {
    const LENGTH: usize = 40;
    let mut short: String = text.chars().take(LENGTH).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    format!("{short:?}")
}
