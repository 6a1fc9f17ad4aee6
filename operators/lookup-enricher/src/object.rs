//! A JSON object, looked through for a few of its fields and otherwise left alone.

use std::borrow::Cow;

use sandbar_operator::Failure;
use sandbar_operator::text::{self, json};

/// Reads objects, one after the other.
#[derive(Debug)]
pub(crate) struct Objects {
    objects: json::Objects,
    /// Whether the first of the wanted names is that of the key's field.
    has_key: bool,
    /// Which of the added fields has the key's name as well.
    key_is_added: Option<usize>,
}

/// What an object says.
pub(crate) struct Object<'a> {
    /// The key as text; `None` where there is none, or it is null.
    pub(crate) key: Option<Cow<'a, [u8]>>,
    /// Whether there is any field.
    pub(crate) is_empty: bool,
    /// Which of the added fields are there already.
    pub(crate) existing: Vec<usize>,
    /// Where in the text its closing brace is.
    pub(crate) end: usize,
}

impl Objects {
    /// For objects whose key is in this field, if it is in the object, and which are to get
    /// the `added` ones.
    pub(crate) fn new(key: Option<&str>, added: &[String]) -> Objects {
        let others = added.iter().map(String::as_str).filter(|name| key != Some(name));
        Objects {
            objects: json::Objects::new(key.into_iter().chain(others)),
            has_key: key.is_some(),
            key_is_added: added.iter().position(|name| key == Some(name)),
        }
    }

    /// Reads a text that is one object, and UTF-8.
    ///
    /// # Errors
    /// Where it is not that, or the key is an object or an array.
    pub(crate) fn read<'a>(&mut self, text: &'a [u8]) -> Result<Object<'a>, Failure> {
        if text.trim_ascii().is_empty() {
            return Err(Failure::missing("the value is empty, not a JSON object"));
        }
        // What is added must not make UTF-8 of one half only.
        str::from_utf8(text).map_err(|_| text::Fault::NotUtf8)?;
        let mut object = Object { key: None, is_empty: true, existing: Vec::new(), end: 0 };
        self.objects.read(text, |index, value| {
            if self.has_key && index == 0 {
                object.existing.extend(self.key_is_added);
                object.key = key(value)?;
            } else {
                // The names of the added fields, without the key's.
                let index = index - usize::from(self.has_key);
                let passed = self.key_is_added.is_some_and(|key| key <= index);
                object.existing.push(index + usize::from(passed));
            }
            Ok::<_, Failure>(())
        })?;
        object.is_empty = self.objects.is_empty();
        object.end = self.objects.end();
        Ok(object)
    }
}

/// The value of the key's field: what is no string, as it is written.
fn key(value: json::Value<'_>) -> Result<Option<Cow<'_, [u8]>>, Failure> {
    match value {
        json::Value::Null => Ok(None),
        json::Value::Text(text) => Ok(Some(text)),
        json::Value::Number(number) => Ok(Some(Cow::Borrowed(number))),
        json::Value::Bool(true) => Ok(Some(Cow::Borrowed(b"true"))),
        json::Value::Bool(false) => Ok(Some(Cow::Borrowed(b"false"))),
        json::Value::Array | json::Value::Object => {
            Err(Failure::invalid("the key is an object or an array: expected a single value"))
        }
    }
}
