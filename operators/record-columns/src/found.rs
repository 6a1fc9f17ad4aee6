//! What a format found in a record's value, before it is known what it means.

use std::ops::Range;

use sandbar_operator::text::line::Lines;

/// What is at one place of a record's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found {
    /// Nothing: the value has no such place.
    Absent,
    /// That there is no value, in the format's own way.
    Null,
    /// Characters of which it is not said whether they are a number or a text, as those of
    /// CSV or of a string in JSON.
    Text(Span),
    /// A number as it is written, by the grammar of JSON.
    Number(Span),
    /// A number that is not written out: its index in [`Findings::floats`].
    Float(u32),
    /// True or false.
    Bool(bool),
    /// The numbers of an array that is wanted: a range of [`Findings::elements`].
    Array(u32, u32),
    /// An array where none is wanted.
    List,
    /// A value with others in it under names, as an object of JSON.
    Object,
    /// Bytes that are neither a number nor a text.
    Bytes,
}

impl Found {
    /// What it is, for a message.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Found::Absent => "nothing",
            Found::Null => "null",
            Found::Text(_) => "a string",
            Found::Number(_) | Found::Float(_) => "a number",
            Found::Bool(_) => "a boolean",
            Found::Array(..) | Found::List => "an array",
            Found::Object => "an object",
            Found::Bytes => "bytes",
        }
    }
}

/// Characters of the record's value, or of what [`Findings::copy`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
    copied: bool,
}

/// What is at a place, with its characters if that is what it is.
#[derive(Clone, Debug)]
pub(crate) enum At<'a> {
    /// [`Found::Text`]: a text, and where in it the characters are.
    Text(&'a [u8], Range<usize>),
    /// [`Found::Number`], in the same way.
    Number(&'a [u8], Range<usize>),
    /// [`Found::Float`].
    Float(f64),
    /// Something else.
    Other(Found),
}

/// All that was found in a record's value. It is memory that one record after the other uses.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// One for each place.
    pub(crate) places: Vec<Found>,
    /// What arrays have in them, end to end.
    pub(crate) elements: Vec<Found>,
    /// A line of CSV, instead of all that: quicker, as its columns need not be looked at
    /// twice.
    pub(crate) line: Option<Line>,
    /// Whether it is the line.
    pub(crate) is_line: bool,
    copied: Vec<u8>,
    /// Numbers that are not written out.
    floats: Vec<f64>,
}

/// A line of CSV in its columns.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) lines: Lines,
    /// The column of each place.
    pub(crate) columns: Vec<usize>,
    /// Where in the value the line begins.
    pub(crate) start: usize,
}

impl Line {
    /// What the columns are ranges of.
    #[inline]
    pub(crate) fn text<'a>(&'a self, value: &'a [u8]) -> &'a [u8] {
        match self.lines.copy() {
            None => &value[self.start..],
            Some(copy) => copy,
        }
    }

    /// Where in the text a place's column is.
    #[inline(always)]
    pub(crate) fn range(&self, place: usize) -> Range<usize> {
        self.lines.column(self.columns[place])
    }
}

impl Span {
    /// A part of the record's value.
    #[inline]
    pub(crate) fn of_value(range: Range<usize>) -> Span {
        // Values of 4 GiB are none that a batch can have.
        Span { start: range.start as u32, end: range.end as u32, copied: false }
    }

    /// A part of it.
    pub(crate) fn part(self, range: Range<usize>) -> Span {
        let Span { start, copied, .. } = self;
        Span { start: start + range.start as u32, end: start + range.end as u32, copied }
    }
}

impl Findings {
    pub(crate) fn new(places: usize) -> Findings {
        Findings { places: vec![Found::Absent; places], ..Findings::default() }
    }

    /// As before the first record: nothing is at any place.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.is_line = false;
        self.places.fill(Found::Absent);
        self.elements.clear();
        self.copied.clear();
        self.floats.clear();
    }

    /// Keeps a number that is not written out.
    pub(crate) fn float(&mut self, number: f64) -> Found {
        self.floats.push(number);
        Found::Float((self.floats.len() - 1) as u32)
    }

    /// Keeps characters that the value does not have so: texts without their quotes or
    /// escapes, or of a binary format.
    pub(crate) fn copy(&mut self, characters: &[u8]) -> Span {
        let start = self.copied.len();
        self.copied.extend_from_slice(characters);
        Span { start: start as u32, end: self.copied.len() as u32, copied: true }
    }

    /// What is at a place of this value.
    #[inline]
    pub(crate) fn at<'a>(&'a self, value: &'a [u8], place: usize) -> At<'a> {
        match &self.line {
            Some(line) if self.is_line => At::Text(line.text(value), line.range(place)),
            _ => self.resolve(value, self.places[place]),
        }
    }

    /// What was found, with its characters.
    #[inline(always)]
    pub(crate) fn resolve<'a>(&'a self, value: &'a [u8], found: Found) -> At<'a> {
        let text = |span: Span| {
            let text = if span.copied { self.copied.as_slice() } else { value };
            (text, span.start as usize..span.end as usize)
        };
        match found {
            Found::Text(span) => {
                let (text, range) = text(span);
                At::Text(text, range)
            }
            Found::Number(span) => {
                let (text, range) = text(span);
                At::Number(text, range)
            }
            Found::Float(index) => {
                At::Float(self.floats.get(index as usize).copied().unwrap_or(f64::NAN))
            }
            other => At::Other(other),
        }
    }
}
