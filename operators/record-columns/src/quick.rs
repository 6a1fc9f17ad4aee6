//! Columns that are read the quick way: what is mostly there, digits and short texts.
//!
//! Each output has a [`Quick`], side by side: a line of CSV goes through them in one pass, without
//! a look at what else is known of its columns. What is not written here is left to
//! [`Content::cell`](crate::cell::Content::cell), which has the same rules and says what is wrong.

use std::ops::Range;

use sandbar_operator::text::{Short, Word, number};

use crate::column::{Column, Missing, Origin};
use crate::config::Kind;
use crate::found::{At, Found};
use crate::layout::{Feature, Output};
use crate::sink::Sink;

/// How an output is read the quick way.
#[derive(Debug, Default)]
pub(crate) struct Quick {
    /// What it holds; `None`: it is no column of the record's value.
    kind: Option<Kind>,
    /// Where it is in the value: the index of the place.
    pub(crate) place: usize,
    /// Of a line of CSV the index of its field.
    pub(crate) field: usize,
    missing: Missing,
    /// Whether there is a value where the record has none.
    has_default: bool,
}

impl Quick {
    /// How an output is read; `fields` are those of the places, of a format that has lines.
    pub(crate) fn new(output: &Output, fields: Option<&[usize]>) -> Quick {
        match output {
            Output::Column(Feature::Read(column @ Column { origin: Origin::Value(place), .. })) => {
                Quick {
                    kind: Some(column.kind),
                    place: *place,
                    field: fields
                        .and_then(|fields| fields.get(*place))
                        .copied()
                        .unwrap_or_default(),
                    missing: column.missing.clone(),
                    has_default: column.default.is_some(),
                }
            }
            _ => Quick::default(),
        }
    }

    /// Whether it is a column of the record's value.
    #[inline]
    pub(crate) fn is_of_value(&self) -> bool {
        self.kind.is_some()
    }

    /// Writes what is at its place, if that is quick, and says whether it was.
    #[inline(always)]
    pub(crate) fn write(&self, at: At<'_>, row: &mut impl Sink) -> bool {
        match at {
            At::Text(text, range) => self.write_text(text, range, row),
            At::Number(text, range) if self.kind == Some(Kind::Number) => {
                self.write_text(text, range, row)
            }
            At::Other(Found::Null) => self.write_missing(row),
            _ => false,
        }
    }

    /// The same of characters. Each kind is written where it is found: a value that goes through
    /// an `Option` of a [`Cell`](crate::cell::Cell) takes twice the time in the sandbox.
    #[inline(always)]
    pub(crate) fn write_text(&self, text: &[u8], range: Range<usize>, row: &mut impl Sink) -> bool {
        match self.kind {
            Some(Kind::Number) => {
                let word = Word::in_text(text, range.clone());
                let number = match word.and_then(Word::digits) {
                    Some(digits) => digits,
                    None if self.is_missing(word, text, range.clone()) => {
                        return self.write_missing(row);
                    }
                    // Texts that say that there is none and are numbers are looked for as numbers.
                    None => {
                        match word.and_then(Word::negative).map_or_else(|| number(&text[range]), Ok)
                        {
                            Ok(number) => number,
                            Err(_) => return false,
                        }
                    }
                };
                let is_value = !self.missing.number(number);
                if is_value {
                    row.number(number);
                }
                is_value
            }
            Some(Kind::Text) => {
                let short = Short::in_text(text, range.clone());
                if self.is_missing(short.map(Short::word), text, range.clone()) {
                    return self.write_missing(row);
                }
                match short.and_then(Short::ascii) {
                    Some(text) => row.text(text),
                    None => match str::from_utf8(&text[range]) {
                        Ok(text) => row.text(text),
                        Err(_) => return false,
                    },
                }
                true
            }
            None => false,
        }
    }

    #[inline(always)]
    fn is_missing(&self, word: Option<Word>, text: &[u8], range: Range<usize>) -> bool {
        match word {
            Some(word) => self.missing.word(word),
            None => self.missing.text(&text[range]),
        }
    }

    #[inline(always)]
    fn write_missing(&self, row: &mut impl Sink) -> bool {
        if !self.has_default {
            row.missing();
        }
        !self.has_default
    }
}
