//! Values while an expression is evaluated.

use std::borrow::Cow;
use std::ops::Deref;

use crate::time::Timestamp;

/// A value. Text and lists are borrowed from the record or from the expression where they can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A whole number.
    Int(i64),
    /// A number.
    Number(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// True or false.
    Bool(bool),
    /// A point in time.
    Timestamp(Timestamp),
    /// Values of one type.
    List(Items<'a>),
}

/// The elements of a list.
#[derive(Debug, Clone)]
pub enum Items<'a> {
    /// Those of the expression or of the record.
    Borrowed(&'a [Value<'a>]),
    /// Made for this evaluation.
    Owned(Vec<Value<'a>>),
}

impl<'a> Deref for Items<'a> {
    type Target = [Value<'a>];

    fn deref(&self) -> &[Value<'a>] {
        match self {
            Items::Borrowed(items) => items,
            Items::Owned(items) => items,
        }
    }
}

impl PartialEq for Items<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Value<'_> {
    /// The same, with nothing copied.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Int(value) => Value::Int(*value),
            Value::Number(value) => Value::Number(*value),
            Value::Text(text) => Value::Text(Cow::Borrowed(text)),
            Value::Bool(value) => Value::Bool(*value),
            Value::Timestamp(value) => Value::Timestamp(*value),
            Value::List(items) => Value::List(Items::Borrowed(items)),
        }
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Value::Number(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Value::Text(text)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Text(Cow::Owned(text))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Value::Timestamp(time)
    }
}

impl<'a> From<Vec<Value<'a>>> for Value<'a> {
    fn from(items: Vec<Value<'a>>) -> Self {
        Value::List(Items::Owned(items))
    }
}
