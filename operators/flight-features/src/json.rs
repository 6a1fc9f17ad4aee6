//! One JSON object to the values of the wanted columns.

use std::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::columns::Kind;
use crate::config::Feature;
use crate::fault::Fault;
use crate::sink::Sink;
use crate::value::{Number, is_missing, number};

/// Reads objects. What it holds is memory that one object after the other uses.
#[derive(Debug)]
pub(crate) struct Objects {
    /// What was found for each wanted column.
    slots: Vec<Slot>,
    /// The texts of the current object, end to end.
    texts: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Slot {
    /// No such key so far.
    Absent,
    /// A key whose value says that there is none.
    Missing,
    Number(f64),
    /// From here to there in `texts`.
    Text(usize, usize),
}

impl Objects {
    pub(crate) fn new(features: usize) -> Objects {
        Objects { slots: vec![Slot::Absent; features], texts: String::new() }
    }

    /// Writes the wanted columns of an object to `row`.
    pub(crate) fn read(
        &mut self,
        value: &[u8],
        wanted: &[Feature],
        row: &mut impl Sink,
    ) -> Result<(), Fault> {
        self.slots.fill(Slot::Absent);
        self.texts.clear();

        let mut fault = None;
        let mut json = serde_json::Deserializer::from_slice(value);
        let object =
            Object { wanted, slots: &mut self.slots, texts: &mut self.texts, fault: &mut fault };
        let read = json.deserialize_map(object).and_then(|()| json.end());
        if let Err(error) = read {
            return Err(fault.unwrap_or_else(|| Fault::Json { problem: error.to_string() }));
        }
        if self.slots.iter().all(|slot| *slot == Slot::Absent) {
            return Err(Fault::NoColumn);
        }
        for slot in &self.slots {
            match *slot {
                Slot::Absent | Slot::Missing => row.missing(),
                Slot::Number(number) => row.number(number),
                Slot::Text(start, end) => row.text(&self.texts[start..end]),
            }
        }
        Ok(())
    }
}

/// Visits the object: wanted keys go to their slots, the rest is skipped unread.
struct Object<'a> {
    wanted: &'a [Feature],
    slots: &'a mut [Slot],
    texts: &'a mut String,
    /// The reason for stopping, where it is not the parser's.
    fault: &'a mut Option<Fault>,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut next = 0;
        let wanted = self.wanted;
        while let Some(key) = map.next_key_seed(Key { wanted, next })? {
            let Some(index) = key else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let feature = &wanted[index];
            let slot = &mut self.slots[index];
            if *slot != Slot::Absent {
                *self.fault = Some(Fault::Twice { column: feature.name });
                return Err(A::Error::custom("twice"));
            }
            *slot = map.next_value_seed(Value { feature, texts: self.texts, fault: self.fault })?;
            next = index + 1;
        }
        Ok(())
    }
}

/// A key, to the index of its feature. It is read as bytes, since the keys that
/// are not wanted need not be UTF-8.
#[derive(Clone, Copy)]
struct Key<'a> {
    wanted: &'a [Feature],
    /// The feature after the one that was found last: in records written by one
    /// program, mostly the next.
    next: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<Option<usize>, E> {
        let is_key = |feature: &Feature| feature.name.as_bytes() == key;
        if self.wanted.get(self.next).is_some_and(is_key) {
            return Ok(Some(self.next));
        }
        Ok(self.wanted.iter().position(is_key))
    }
}

/// The value of a wanted key.
struct Value<'a> {
    feature: &'a Feature,
    texts: &'a mut String,
    fault: &'a mut Option<Fault>,
}

impl Value<'_> {
    fn stop<E: Error>(self, fault: Fault) -> Result<Slot, E> {
        *self.fault = Some(fault);
        Err(E::custom("a value that its column cannot hold"))
    }

    fn wrong_type<E: Error>(self, found: &'static str) -> Result<Slot, E> {
        let column = self.feature.name;
        self.stop(Fault::Type { column, found })
    }

    /// A whole number; in a text column it stands for its digits.
    fn whole<E: Error>(self, number: f64, digits: impl fmt::Display) -> Result<Slot, E> {
        match self.feature.kind {
            Kind::Number => Ok(Slot::Number(number)),
            Kind::Text => {
                let start = self.texts.len();
                write!(self.texts, "{digits}").map_err(E::custom)?;
                Ok(Slot::Text(start, self.texts.len()))
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Slot;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Slot, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Slot;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a string or null")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Slot, E> {
        match self.feature.kind {
            Kind::Number => match number(text.as_bytes()) {
                Number::Is(number) => Ok(Slot::Number(number)),
                Number::Missing => Ok(Slot::Missing),
                Number::Invalid => {
                    let fault = Fault::not_a_number(self.feature.name, text.as_bytes());
                    self.stop(fault)
                }
            },
            Kind::Text if is_missing(text.as_bytes()) => Ok(Slot::Missing),
            Kind::Text => {
                let start = self.texts.len();
                self.texts.push_str(text);
                Ok(Slot::Text(start, self.texts.len()))
            }
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Slot, E> {
        self.whole(number as f64, number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Slot, E> {
        self.whole(number as f64, number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Slot, E> {
        match self.feature.kind {
            Kind::Number => Ok(Slot::Number(number)),
            // How it was written is lost: 1.0 and 1e0 are one number but two texts.
            Kind::Text => self.wrong_type("a number that is not whole"),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Slot, E> {
        Ok(Slot::Missing)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Slot, E> {
        self.wrong_type("a boolean")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Slot, A::Error> {
        self.wrong_type("an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Slot, A::Error> {
        self.wrong_type("an object")
    }
}
