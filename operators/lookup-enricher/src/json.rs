//! A JSON object, looked through for a few of its fields and otherwise left alone.

use std::borrow::Cow;
use std::fmt;

use sandbar_operator::Failure;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The field that has the key, if it is in the object.
    pub(crate) key: Option<&'a str>,
    /// The names of the fields that are to be added.
    pub(crate) added: &'a [String],
}

/// An object.
pub(crate) struct Object<'a> {
    /// The key's value, as it is written.
    key: Option<&'a RawValue>,
    /// Whether there is any field.
    pub(crate) is_empty: bool,
    /// Which of [`Wanted::added`] are there already.
    pub(crate) existing: Vec<usize>,
    /// Where its closing brace is.
    pub(crate) end: usize,
}

impl<'a> Object<'a> {
    /// Reads the whole value.
    ///
    /// # Errors
    /// Where it is not one JSON object, or has the key twice.
    pub(crate) fn read(value: &'a [u8], wanted: Wanted<'_>) -> Result<Object<'a>, Failure> {
        let text = str::from_utf8(value)
            .map_err(|_| Failure::malformed("not a JSON object: not UTF-8"))?;
        let mut json = serde_json::Deserializer::from_str(text);
        let object = wanted.deserialize(&mut json).and_then(|object| {
            json.end()?;
            Ok(object)
        });
        let malformed = |error| Failure::malformed(format!("not a JSON object: {error}"));
        let mut object = object.map_err(malformed)?;
        object.end = text.trim_ascii_end().len() - 1;
        Ok(object)
    }

    /// The key as text; `None` where there is none, or it is null.
    ///
    /// # Errors
    /// Where it is an object or a list.
    pub(crate) fn key(&self) -> Result<Option<Cow<'a, str>>, Failure> {
        let Some(raw) = self.key.map(RawValue::get) else { return Ok(None) };
        match raw.as_bytes() {
            // Without a backslash a string is what stands between its quotes.
            [b'"', inside @ .., b'"'] if !inside.contains(&b'\\') => {
                Ok(Some(Cow::Borrowed(&raw[1..raw.len() - 1])))
            }
            [b'"', ..] => serde_json::from_str(raw).map(Some).map_err(|error| {
                Failure::malformed(format!("not a JSON object: the key: {error}"))
            }),
            [b'{' | b'[', ..] => {
                Err(Failure::invalid("the key is an object or an array: expected a single value"))
            }
            b"null" => Ok(None),
            _ => Ok(Some(Cow::Borrowed(raw))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = Object<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = Object { key: None, is_empty: true, existing: Vec::new(), end: 0 };
        while let Some(Name { is_key, added }) = map.next_key_seed(NameOf(self))? {
            object.is_empty = false;
            object.existing.extend(added);
            if !is_key {
                map.next_value::<IgnoredAny>()?;
            } else if object.key.replace(map.next_value()?).is_some() {
                let key = self.key.unwrap_or_default();
                return Err(A::Error::custom(format_args!("duplicate field '{key}'")));
            }
        }
        Ok(object)
    }
}

/// What the name of a field says.
struct Name {
    is_key: bool,
    added: Option<usize>,
}

struct NameOf<'a>(Wanted<'a>);

impl<'de> DeserializeSeed<'de> for NameOf<'_> {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameOf<'_> {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
        let Wanted { key, added } = self.0;
        Ok(Name { is_key: key == Some(name), added: added.iter().position(|it| it == name) })
    }
}
