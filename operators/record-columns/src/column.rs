//! A column that is read: its type, where it comes from, and what says that there is no value.

use sandbar_operator::text::{Word, number};

use crate::config::{Absent, Kind, Part, Scalar};

/// A number or text that is read.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) origin: Origin,
    /// What says that there is no value.
    pub(crate) missing: Missing,
    pub(crate) absent: Absent,
    /// What it is where there is no value.
    pub(crate) default: Option<Scalar>,
}

/// Where a column comes from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// The record's value: the index of the place.
    Value(usize),
    Header(String),
    Record(Part),
    Constant(Scalar),
}

/// What says that there is no value, besides the empty text, which always does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Missing {
    /// Texts of up to eight bytes.
    words: Box<[Word]>,
    /// Longer ones.
    texts: Box<[Box<[u8]>]>,
    /// Those of the texts that are numbers: `-999` is `-999.0` too.
    numbers: Box<[f64]>,
}

impl Missing {
    pub(crate) fn new(texts: &[String]) -> Missing {
        let texts = || texts.iter().map(String::as_bytes);
        Missing {
            words: texts().filter_map(Word::of).collect(),
            texts: texts().filter(|text| text.len() > 8).map(Box::from).collect(),
            numbers: texts().filter_map(|text| number(text).ok()).collect(),
        }
    }

    /// Whether a text says it.
    #[inline]
    pub(crate) fn text(&self, text: &[u8]) -> bool {
        match Word::of(text) {
            Some(word) => self.word(word),
            None => text.is_empty() || self.texts.iter().any(|missing| **missing == *text),
        }
    }

    /// Whether a text of up to eight bytes says it.
    #[inline]
    pub(crate) fn word(&self, word: Word) -> bool {
        // Mostly there is one, or none: loops cost more in the sandbox.
        match &*self.words {
            [] => false,
            [only] => *only == word,
            words => words.contains(&word),
        }
    }

    /// Whether a number says it.
    #[inline]
    pub(crate) fn number(&self, number: f64) -> bool {
        self.numbers.contains(&number)
    }
}
