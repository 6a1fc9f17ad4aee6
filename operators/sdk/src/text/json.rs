//! JSON objects (RFC 8259), looked through for a few of their keys.
//!
//! Values are handed over as they are written: what a number means is decided in one place for
//! all formats. `serde_json` has no way to that which is as quick (its `RawValue` makes a
//! flight take 1.3 times as long). It still reads strings with escapes, and says what is wrong
//! with a text that is no object; a test holds that both read the same texts.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::fault::{Fault, shown};
use super::scan::{Raw, Scanner, Text};

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written; [`number`](super::number()) reads it.
    Number(&'a [u8]),
    /// A string, without its escapes. As in a column of CSV, whether it is UTF-8 is not
    /// looked at.
    Text(Cow<'a, [u8]>),
    /// An array, whatever is in it.
    Array,
    /// An object, whatever is in it.
    Object,
}

/// Reads objects, one after the other; what it holds is memory for that.
#[derive(Debug)]
pub struct Objects {
    names: Vec<Box<str>>,
    /// Which of them the current object had so far.
    seen: Vec<bool>,
    /// Whether it had any key.
    is_empty: bool,
    /// Where its closing brace is.
    end: usize,
    /// The brackets that are open in what is skipped.
    open: Vec<u8>,
}

impl Objects {
    /// For objects of which the keys of these names are wanted.
    pub fn new<N: Into<Box<str>>>(names: impl IntoIterator<Item = N>) -> Objects {
        let names: Vec<Box<str>> = names.into_iter().map(Into::into).collect();
        let seen = vec![false; names.len()];
        Objects { names, seen, is_empty: true, end: 0, open: Vec::new() }
    }

    /// Reads one object. `take` gets the value of each wanted key that is there, with the
    /// index of its name. All others are skipped, whatever they are and hold, as long as it is
    /// JSON; their strings need not be UTF-8.
    ///
    /// # Errors
    /// What `take` says, [`Fault::DuplicateKey`] where a wanted key comes again, and
    /// [`Fault::Json`] where the text is not one object.
    pub fn read<'a, E: From<Fault>>(
        &mut self,
        text: &'a [u8],
        mut take: impl FnMut(usize, Value<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.seen.fill(false);
        self.is_empty = true;
        let mut scanner = Scanner::new(text);
        // The name after the one that was found last: in records written by one program,
        // mostly the next.
        let mut next = 0;
        let invalid = || E::from(invalid(text));
        scanner.byte(b'{').ok_or_else(invalid)?;
        let mut is_more = scanner.is_any(b'}').ok_or_else(invalid)?;
        while is_more {
            self.is_empty = false;
            let key = scanner.key().ok_or_else(invalid)?;
            let index = self.find(key, next);
            if let Some(index) = index
                && std::mem::replace(&mut self.seen[index], true)
            {
                return Err(Fault::DuplicateKey(shown(self.names[index].as_bytes())).into());
            }
            let value = scanner.value(&mut self.open).ok_or_else(invalid)?;
            if let Some(index) = index {
                take(index, Value::new(value)?)?;
                next = index + 1;
            }
            is_more = scanner.is_another(b'}').ok_or_else(invalid)?;
        }
        self.end = scanner.position() - 1;
        scanner.finish().ok_or_else(invalid)
    }

    /// Whether the last object had any of the wanted keys.
    pub fn any(&self) -> bool {
        self.seen.contains(&true)
    }

    /// Whether the last object had no key at all.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Where in its text the closing brace of the last object is.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Which of the wanted names a key is.
    #[inline]
    fn find(&self, key: Text<'_>, next: usize) -> Option<usize> {
        if key.escaped {
            // A key that is no text is none that is wanted.
            let key = unescaped(key).ok()?;
            return self.names.iter().position(|name| **name == key);
        }
        match self.names.get(next) {
            Some(name) if name.as_bytes() == key.inside => Some(next),
            _ => self.names.iter().position(|name| name.as_bytes() == key.inside),
        }
    }
}

impl<'a> Value<'a> {
    #[inline]
    fn new(raw: Raw<'a>) -> Result<Value<'a>, Fault> {
        Ok(match raw {
            Raw::Null => Value::Null,
            Raw::Bool(value) => Value::Bool(value),
            Raw::Number(number) => Value::Number(number),
            Raw::Text(text) if !text.escaped => Value::Text(Cow::Borrowed(text.inside)),
            Raw::Text(text) => Value::Text(Cow::Owned(unescaped(text)?.into_bytes())),
            Raw::Array => Value::Array,
            Raw::Object => Value::Object,
        })
    }
}

/// A string without its escapes.
#[inline(never)]
pub(super) fn unescaped(text: Text<'_>) -> Result<String, Fault> {
    let quoted = [b"\"", text.inside, b"\""].concat();
    serde_json::from_slice(&quoted)
        .map_err(|error| Fault::Json { problem: format!("in a string: {error}") })
}

/// What is wrong with a text that is not one JSON object.
#[cold]
pub(super) fn invalid(text: &[u8]) -> Fault {
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = json.deserialize_map(Skipped).and_then(|()| json.end());
    let problem = read.err().map_or("invalid".to_owned(), |error| error.to_string());
    Fault::Json { problem }
}

/// An object of which nothing is wanted.
struct Skipped;

impl<'de> Visitor<'de> for Skipped {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
