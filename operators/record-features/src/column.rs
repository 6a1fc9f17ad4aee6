//! A column that is read: its type, where it comes from, and what says that there is no value.

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
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    /// A bit for each text by its first byte: most values have none of them.
    initials: u64,
    /// Texts of up to seven bytes, each as a [`word`].
    words: Vec<u64>,
    /// Longer ones.
    texts: Vec<Box<[u8]>>,
    /// Those of the texts that are numbers: `-999` is `-999.0` too.
    numbers: Vec<f64>,
}

impl Missing {
    pub(crate) fn new(texts: &[String]) -> Missing {
        let number = |text: &String| sandbar_operator::text::number(text.as_bytes()).ok();
        let initials = texts.iter().filter_map(|text| text.as_bytes().first());
        Missing {
            initials: initials.fold(0, |bits, byte| bits | 1 << (byte % 64)),
            words: texts.iter().filter_map(|text| word(text.as_bytes())).collect(),
            texts: texts
                .iter()
                .map(String::as_bytes)
                .filter(|text| word(text).is_none())
                .map(Box::from)
                .collect(),
            numbers: texts.iter().filter_map(number).collect(),
        }
    }

    /// Whether a text says it.
    #[inline]
    pub(crate) fn text(&self, text: &[u8]) -> bool {
        match text.first() {
            None => true,
            Some(byte) => self.initials >> (byte % 64) & 1 != 0 && self.is_any(text),
        }
    }

    #[inline]
    fn is_any(&self, text: &[u8]) -> bool {
        match word(text) {
            Some(word) => self.words.contains(&word),
            None => self.texts.iter().any(|missing| **missing == *text),
        }
    }

    /// Whether a number says it.
    #[inline]
    pub(crate) fn number(&self, number: f64) -> bool {
        self.numbers.contains(&number)
    }
}

/// A text of up to seven bytes and its length as one number.
#[inline]
fn word(text: &[u8]) -> Option<u64> {
    let shifted = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
    (text.len() < 8).then(|| text.iter().fold(text.len() as u64, shifted))
}
