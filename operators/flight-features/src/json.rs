//! One JSON object to the values of the wanted columns.

use sandbar_operator::text;
use sandbar_operator::text::json;

use crate::columns::Kind;
use crate::config::Feature;
use crate::fault::Fault;
use crate::sink::Sink;
use crate::value::{Value, value};

/// Reads objects. What it holds is memory that one object after the other uses.
#[derive(Debug)]
pub(crate) struct Objects {
    objects: json::Objects,
    /// What was found for each wanted column.
    slots: Vec<Slot>,
    /// The texts of the current object, end to end.
    texts: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Slot {
    /// No such key so far, or one whose value says that there is none.
    Missing,
    Number(f64),
    /// From here to there in `texts`.
    Text(usize, usize),
}

impl Objects {
    pub(crate) fn new(wanted: &[Feature]) -> Objects {
        Objects {
            objects: json::Objects::new(wanted.iter().map(|feature| feature.name)),
            slots: vec![Slot::Missing; wanted.len()],
            texts: String::new(),
        }
    }

    /// Writes the wanted columns of an object to `row`.
    pub(crate) fn read(
        &mut self,
        object: &[u8],
        wanted: &[Feature],
        row: &mut impl Sink,
    ) -> Result<(), Fault> {
        let Objects { objects, slots, texts } = self;
        slots.fill(Slot::Missing);
        texts.clear();
        objects.read(object, |index, found| {
            slots[index] = slot(&wanted[index], &found, texts)?;
            Ok::<_, Fault>(())
        })?;
        if !objects.any() {
            return Err(Fault::NoColumn);
        }
        for slot in slots {
            match *slot {
                Slot::Missing => row.missing(),
                Slot::Number(number) => row.number(number),
                Slot::Text(start, end) => row.text(&texts[start..end]),
            }
        }
        Ok(())
    }
}

/// The value of a column: what a line of CSV would give for the same characters, whether they
/// are a string or a number.
fn slot(feature: &Feature, found: &json::Value<'_>, texts: &mut String) -> Result<Slot, Fault> {
    let wrong_type =
        |found| Err(Fault::Value { column: feature.name, fault: text::Fault::Type { found } });
    let characters: &[u8] = match found {
        json::Value::Text(text) => text,
        // 1.0 and 1e0 are one number but two texts; which one is meant is not known.
        json::Value::Number(number)
            if feature.kind == Kind::Text
                && number.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) =>
        {
            return wrong_type("a number that is not whole");
        }
        json::Value::Number(number) => number,
        json::Value::Null => return Ok(Slot::Missing),
        json::Value::Bool(_) => return wrong_type("a boolean"),
        json::Value::Array => return wrong_type("an array"),
        json::Value::Object => return wrong_type("an object"),
    };
    Ok(match value(feature, characters)? {
        Value::Number(number) => Slot::Number(number),
        Value::Missing => Slot::Missing,
        Value::Text(text) => {
            let start = texts.len();
            texts.push_str(text);
            Slot::Text(start, texts.len())
        }
    })
}
