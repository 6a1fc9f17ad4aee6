//! What was found at the places of a record.

use std::ops::Range;

/// What is at a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: the schema has no such place, or the array or map not this element.
    Absent,
    /// That there is no value, where there may be one.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number of unsigned 64 bits.
    Unsigned(u64),
    /// A number. It may be infinite, or none (NaN).
    Float(f64),
    /// A text: a part of the record, in UTF-8.
    Text(Range<usize>),
    /// A text that is not in the record so: a part of [`Found::copied`].
    Copied(Range<usize>),
    /// A decimal number, written out: a part of [`Found::copied`].
    Decimal(Range<usize>),
    /// The values of an array: a list of [`Found::arrays`].
    Array(usize),
    /// Something that is neither a number nor a text; what it is, for a message.
    Other(&'static str),
}

/// What was found in one record. It is memory that one record after the other uses.
#[derive(Debug, Default)]
pub struct Found {
    /// One for each place.
    pub values: Vec<Value>,
    /// The values of arrays.
    pub arrays: Vec<Vec<Value>>,
    /// Texts that are not in the record so, end to end.
    pub copied: String,
}

impl Found {
    /// Room for so many places.
    pub fn new(places: usize) -> Found {
        Found {
            values: vec![Value::Absent; places],
            arrays: (0..places).map(|_| Vec::new()).collect(),
            copied: String::new(),
        }
    }

    /// As before the first record.
    pub(crate) fn clear(&mut self) {
        self.values.fill(Value::Absent);
        self.copied.clear();
    }

    /// Keeps a text.
    pub(crate) fn copy(&mut self, text: &str) -> Range<usize> {
        let start = self.copied.len();
        self.copied.push_str(text);
        start..self.copied.len()
    }

    /// Puts a value at places.
    #[inline]
    pub(crate) fn put(&mut self, places: &[usize], value: Value) {
        if let [one] = places {
            if let Some(to) = self.values.get_mut(*one) {
                *to = value;
            }
            return;
        }
        self.put_all(places, value);
    }

    fn put_all(&mut self, places: &[usize], value: Value) {
        for place in places {
            if let Some(to) = self.values.get_mut(*place) {
                *to = value.clone();
            }
        }
    }

    /// The text of a value, if it is one.
    pub fn text<'a>(&'a self, record: &'a [u8], value: &Value) -> Option<&'a str> {
        match value {
            Value::Text(range) => std::str::from_utf8(record.get(range.clone())?).ok(),
            Value::Copied(range) | Value::Decimal(range) => self.copied.get(range.clone()),
            _ => None,
        }
    }

    /// A value as a number, if it is one: whole numbers beyond 2^53 are rounded.
    pub fn number(&self, value: &Value) -> Option<f64> {
        match value {
            Value::Integer(number) => Some(*number as f64),
            Value::Unsigned(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            Value::Decimal(range) => self.copied.get(range.clone())?.parse().ok(),
            _ => None,
        }
    }
}
