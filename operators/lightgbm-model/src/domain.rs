//! The categories of a pandas column and the way from a category's text to its number.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde_json::Value;

use crate::error::Error;

/// The categories of one pandas column, numbered from 0 in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Domain {
    levels: Vec<Level>,
    names: Vec<String>,
    indices: HashMap<Key, u32, RandomState>,
}

/// A value of a pandas category.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Level {
    /// A text.
    Text(String),
    /// An integer.
    Integer(i128),
    /// A number with a fraction or an exponent.
    Decimal(f64),
    /// A truth value.
    Flag(bool),
}

/// What two texts have in common that mean one category.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Text(Box<[u8]>),
    Integer(i128),
    /// The bits of a number that is no integer.
    Decimal(u64),
    Flag(bool),
}

impl Domain {
    /// Makes the domain of the values of one list; `place` says which.
    pub(crate) fn new(place: &str, values: Vec<Value>) -> Result<Self, Error> {
        let mut domain = Self::default();
        for (index, value) in values.into_iter().enumerate() {
            let place = || format!("pandas_categorical: {place}: category {index}");
            let name = match &value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let level = match value {
                Value::String(text) => Level::Text(text),
                Value::Bool(flag) => Level::Flag(flag),
                Value::Number(number) => match (number.as_i128(), number.as_f64()) {
                    (Some(integer), _) => Level::Integer(integer),
                    (None, Some(decimal)) => Level::Decimal(decimal),
                    (None, None) => return Err(Error::damaged(place(), "is no number")),
                },
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    return Err(Error::Unsupported {
                        what: format!("{}: {name}", place()),
                        supported: "texts, numbers, true and false".into(),
                    });
                }
            };
            let key = match &level {
                Level::Text(text) => Key::Text(text.as_bytes().into()),
                Level::Integer(integer) => Key::Integer(*integer),
                Level::Decimal(decimal) => number_key(*decimal),
                Level::Flag(flag) => Key::Flag(*flag),
            };
            let twin = domain.index(name.as_bytes());
            if let Some(twin) = twin.or_else(|| domain.indices.get(&key).copied()) {
                return Err(Error::Unsupported {
                    what: format!("{}: {name:?} has the text of category {twin}, which", place()),
                    supported: "categories whose texts differ".into(),
                });
            }
            domain.indices.insert(key, index as u32);
            domain.levels.push(level);
            domain.names.push(name);
        }
        Ok(domain)
    }

    /// The number of the category with this text; `None` where the model does not know it.
    ///
    /// A text is found by all its bytes; a number by any decimal text of it (`3`, `3.0`, `3e0`);
    /// a truth value by `true` or `True`, `false` or `False`.
    pub fn index(&self, text: &[u8]) -> Option<u32> {
        let find = |key: Key| self.indices.get(&key).copied();
        if let Some(index) = find(Key::Text(text.into())) {
            return Some(index);
        }
        match text {
            b"true" | b"True" => return find(Key::Flag(true)),
            b"false" | b"False" => return find(Key::Flag(false)),
            _ => {}
        }
        let text = str::from_utf8(text).ok()?;
        match text.parse::<i128>() {
            Ok(integer) => find(Key::Integer(integer)),
            Err(_) => find(number_key(text.parse().ok()?)),
        }
    }

    /// The texts of the categories: the one at `index` is category `index`.
    pub fn levels(&self) -> &[String] {
        &self.names
    }

    /// The values of the categories, as the file has them.
    pub fn values(&self) -> &[Level] {
        &self.levels
    }
}

/// An integer's key where a number is one.
fn number_key(number: f64) -> Key {
    const EXACT: f64 = 1e38;
    if number.trunc() == number && number.abs() < EXACT {
        Key::Integer(number as i128)
    } else {
        Key::Decimal(number.to_bits())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::{Domain, Level};

    fn domain(json: &str) -> Result<Domain, crate::Error> {
        Domain::new("list 0", serde_json::from_str(json).unwrap())
    }

    #[test]
    fn categories_are_found_by_their_texts() {
        let texts = domain(r#"["", "1", "größe", "1.0", "true"]"#).unwrap();
        for (index, text) in ["", "1", "größe", "1.0", "true"].iter().enumerate() {
            assert_eq!(texts.index(text.as_bytes()), Some(index as u32), "{text:?}");
        }
        for other in [&b"01"[..], b"True", b"gr", b"\xff", b" "] {
            assert_eq!(texts.index(other), None);
        }
    }

    #[test]
    fn numbers_are_found_by_every_text_of_them() {
        let numbers = domain("[-4, 2, 9007199254740993, 0.1, 1e20, 3.0]").unwrap();
        for (text, expected) in [
            ("-4", Some(0)),
            ("-4.0", Some(0)),
            ("2e0", Some(1)),
            ("9007199254740993", Some(2)),
            ("9007199254740992", None),
            ("0.1", Some(3)),
            ("0.10", Some(3)),
            ("100000000000000000000", Some(4)),
            ("3", Some(5)),
            ("nan", None),
            ("inf", None),
            ("", None),
            ("true", None),
        ] {
            assert_eq!(numbers.index(text.as_bytes()), expected, "{text:?}");
        }
        assert_eq!(numbers.values()[5], Level::Decimal(3.0));
        assert_eq!(numbers.levels()[3], "0.1");
        let flags = domain("[false, true]").unwrap();
        assert_eq!(flags.index(b"True"), Some(1));
        assert_eq!(flags.index(b"false"), Some(0));
        assert_eq!(flags.index(b"1"), None);
    }

    #[test]
    fn categories_of_one_text_are_refused() {
        for json in [r#"["1", 1]"#, r#"[1, "1"]"#, r#"["true", true]"#, "[1, 1.0]", r#"["a", "a"]"#]
        {
            let error = domain(json).err().unwrap().to_string();
            assert!(error.contains("has the text of category 0"), "{json}: {error}");
        }
        for json in ["[null]", "[[1]]", "[{}]"] {
            assert!(domain(json).err().unwrap().to_string().contains("is not supported"), "{json}");
        }
    }
}
