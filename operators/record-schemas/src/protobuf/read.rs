//! Reads a record by its plan.

use super::field::{Default, Field, Program, Scalar, Slot, State, What};
use super::input::{Input, Wire};
use crate::fault::Fault;
use crate::found::{Found, Value};

const WIRE: Fault = Fault::Malformed(
    "a field is written otherwise than its type is: the record was written with another schema",
);

pub(crate) fn read(
    plan: &Program,
    record: &[u8],
    found: &mut Found,
    state: &mut State,
) -> Result<(), Fault> {
    state.entered.clear();
    state.entered.resize(plan.messages.len(), false);
    state.counts.clear();
    state.counts.resize(plan.lists, 0);
    let input = Input { record, at: 0, end: record.len() };
    let mut reader = Reader { plan, input, found, state };
    reader.message(plan.root, None, 0)?;
    for (place, sizes) in &plan.whole {
        if found.values[*place] == Value::Array(*place)
            && (sizes.len() != 1 || found.arrays[*place].len() != sizes[0] as usize)
        {
            found.values[*place] = Value::Other("an array of another size");
        }
    }
    Ok(())
}

struct Reader<'a> {
    plan: &'a Program,
    input: Input<'a>,
    found: &'a mut Found,
    state: &'a mut State,
}

impl<'a> Reader<'a> {
    /// Reads a message to its end: that of the input, or of a group with this number.
    fn message(&mut self, message: usize, group: Option<u32>, depth: usize) -> Result<(), Fault> {
        if depth == crate::DEPTH {
            return Err(Fault::Deep);
        }
        self.enter(message);
        let plan: &'a Program = self.plan;
        let fields = &plan.messages[message].fields;
        loop {
            let (number, wire) = match (self.input.tag()?, group) {
                (None, None) => return Ok(()),
                (None, Some(_)) => return Err(Fault::Truncated),
                (Some((number, Wire::GroupEnd)), Some(group)) if number == group => return Ok(()),
                (Some((_, Wire::GroupEnd)), _) => {
                    return Err(Fault::Malformed("a group ends that has not begun"));
                }
                (Some(tag), _) => tag,
            };
            match fields.binary_search_by_key(&number, |field| field.number) {
                Ok(index) => self.field(&fields[index], fields, wire, depth)?,
                Err(_) => self.input.skip(number, wire, depth)?,
            }
        }
    }

    /// A message of which one more part is read may have been there before.
    fn enter(&mut self, message: usize) {
        if std::mem::replace(&mut self.state.entered[message], true) {
            return;
        }
        for (place, default) in &self.plan.messages[message].defaults {
            let value = match default {
                Default::Value(value) => value.clone(),
                Default::Text(text) => Value::Copied(self.found.copy(text)),
            };
            if let Value::Array(array) = value {
                self.found.arrays[array].clear();
            }
            self.found.values[*place] = value;
        }
    }

    /// All that a message had is gone, and so is it.
    fn reset(&mut self, message: usize) {
        let plan = &self.plan.messages[message];
        for place in &plan.places {
            self.found.values[*place] = Value::Null;
        }
        for message in &plan.messages {
            self.state.entered[*message] = false;
        }
        for list in &plan.lists {
            self.state.counts[*list] = 0;
        }
    }

    fn field(
        &mut self,
        field: &'a Field,
        all: &'a [Field],
        wire: Wire,
        depth: usize,
    ) -> Result<(), Fault> {
        if let Some(oneof) = field.oneof {
            for other in all.iter().filter(|other| other.oneof == Some(oneof)) {
                if other.number == field.number {
                    continue;
                }
                match &other.what {
                    What::One(Slot::Scalar(_, places)) => self.found.put(places, Value::Null),
                    What::One(Slot::Message { message, .. }) => self.reset(*message),
                    _ => {}
                }
            }
        }
        match &field.what {
            What::Skip => self.input.skip(field.number, wire, depth),
            What::One(slot) => self.slot(slot, field.number, wire, depth),
            What::List { list, packed, items, whole, item } => {
                if let (Some(scalar), Wire::Bytes) = (packed, wire) {
                    let range = self.input.bytes()?;
                    let end = std::mem::replace(&mut self.input.end, range.end);
                    self.input.at = range.start;
                    while self.input.at < self.input.end {
                        let value = self.scalar(scalar, wire_of(scalar))?;
                        self.item(*list, items, whole, value);
                    }
                    self.input.end = end;
                    return Ok(());
                }
                match item {
                    Some(scalar) => {
                        let value = self.scalar(scalar, wire)?;
                        self.item(*list, items, whole, value);
                        Ok(())
                    }
                    None => self.element(*list, items, whole, field.number, wire, depth),
                }
            }
            What::Map { key, values } => self.entry(key, values, wire, depth),
        }
    }

    /// A value of a list that is no message; `None`: the schema has no name for it.
    fn item(
        &mut self,
        list: usize,
        items: &[(u64, Slot)],
        whole: &[(usize, u64)],
        value: Option<Value>,
    ) {
        let Some(value) = value else { return };
        let position = self.state.counts[list];
        self.state.counts[list] += 1;
        for (index, slot) in items {
            if let (true, Slot::Scalar(_, places)) = (*index == position, slot) {
                self.found.put(places, value.clone());
            }
        }
        for (place, most) in whole {
            if position < *most {
                self.found.arrays[*place].push(value.clone());
            }
        }
    }

    /// A message of a list.
    fn element(
        &mut self,
        list: usize,
        items: &'a [(u64, Slot)],
        whole: &[(usize, u64)],
        number: u32,
        wire: Wire,
        depth: usize,
    ) -> Result<(), Fault> {
        let position = self.state.counts[list];
        self.state.counts[list] += 1;
        for (place, most) in whole {
            if position < *most {
                self.found.arrays[*place].push(Value::Other("a message"));
            }
        }
        match items.iter().find(|(index, _)| *index == position) {
            Some((_, slot)) => self.slot(slot, number, wire, depth),
            None => self.input.skip(number, wire, depth),
        }
    }

    /// A value where one is wanted.
    fn slot(&mut self, slot: &'a Slot, number: u32, wire: Wire, depth: usize) -> Result<(), Fault> {
        match slot {
            Slot::Scalar(scalar, places) => {
                if let Some(value) = self.scalar(scalar, wire)? {
                    self.found.put(places, value);
                }
                Ok(())
            }
            Slot::Message { message, group, here } => {
                self.found.put(here, Value::Other("a message"));
                match (wire, group) {
                    (Wire::Group, true) => self.message(*message, Some(number), depth + 1),
                    (Wire::Bytes, false) => {
                        let range = self.input.bytes()?;
                        self.inside(range, |reader| reader.message(*message, None, depth + 1))
                    }
                    _ => Err(WIRE),
                }
            }
        }
    }

    /// Reads a part of the input.
    fn inside(
        &mut self,
        range: std::ops::Range<usize>,
        read: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let end = std::mem::replace(&mut self.input.end, range.end);
        self.input.at = range.start;
        read(self)?;
        (self.input.at, self.input.end) = (range.end, end);
        Ok(())
    }

    /// An entry of a map: a message of a key and a value. Of entries with one key the last counts.
    fn entry(
        &mut self,
        key: &Scalar,
        values: &'a [(String, Slot)],
        wire: Wire,
        depth: usize,
    ) -> Result<(), Fault> {
        if wire != Wire::Bytes {
            return Err(WIRE);
        }
        let range = self.input.bytes()?;
        let mut name = key_text(key, self.found, self.input.record, None);
        self.inside(range.clone(), |reader| {
            while let Some((number, wire)) = reader.input.tag()? {
                match number {
                    1 => {
                        let value = reader.scalar(key, wire)?;
                        name = key_text(key, reader.found, reader.input.record, value);
                    }
                    _ => reader.input.skip(number, wire, depth)?,
                }
            }
            Ok(())
        })?;
        let Some((_, slot)) = values.iter().find(|(wanted, _)| *wanted == name) else {
            return Ok(());
        };
        match slot {
            Slot::Scalar(scalar, places) => {
                let value = zero(scalar, self.found);
                self.found.put(places, value);
            }
            Slot::Message { message, here, .. } => {
                self.reset(*message);
                self.found.put(here, Value::Other("a message"));
                self.enter(*message);
            }
        }
        self.inside(range, |reader| {
            while let Some((number, wire)) = reader.input.tag()? {
                match number {
                    2 => reader.slot(slot, number, wire, depth)?,
                    _ => reader.input.skip(number, wire, depth)?,
                }
            }
            Ok(())
        })
    }

    /// A value that is no message; `None` if it is one of an enum that has no others.
    fn scalar(&mut self, scalar: &Scalar, wire: Wire) -> Result<Option<Value>, Fault> {
        if wire != wire_of(scalar) {
            return Err(WIRE);
        }
        let input = &mut self.input;
        Ok(Some(match scalar {
            Scalar::Double => Value::Float(f64::from_le_bytes(input.array()?)),
            Scalar::Float => Value::Float(f32::from_le_bytes(input.array()?).into()),
            // Written with 64 bits where they are negative.
            Scalar::Int32 => Value::Integer((input.varint()? as i32).into()),
            Scalar::Int64 => Value::Integer(input.varint()? as i64),
            Scalar::Uint32 => Value::Unsigned((input.varint()? as u32).into()),
            Scalar::Uint64 => Value::Unsigned(input.varint()?),
            Scalar::Sint32 => {
                let number = input.varint()? as u32;
                Value::Integer(((number >> 1) as i32 ^ -((number & 1) as i32)).into())
            }
            Scalar::Sint64 => {
                let number = input.varint()?;
                Value::Integer((number >> 1) as i64 ^ -((number & 1) as i64))
            }
            Scalar::Fixed32 => Value::Unsigned(u32::from_le_bytes(input.array()?).into()),
            Scalar::Fixed64 => Value::Unsigned(u64::from_le_bytes(input.array()?)),
            Scalar::Sfixed32 => Value::Integer(i32::from_le_bytes(input.array()?).into()),
            Scalar::Sfixed64 => Value::Integer(i64::from_le_bytes(input.array()?)),
            Scalar::Bool => Value::Boolean(input.varint()? != 0),
            Scalar::String => {
                let range = input.bytes()?;
                let text = input.record.get(range.clone()).unwrap_or_default();
                if std::str::from_utf8(text).is_err() {
                    return Err(Fault::Malformed("a string is not UTF-8"));
                }
                Value::Text(range)
            }
            Scalar::Bytes => {
                input.bytes()?;
                Value::Other("bytes")
            }
            Scalar::Enum(names, open) => {
                let number = input.varint()? as i32;
                match names.binary_search_by_key(&number, |(known, _)| *known) {
                    Ok(index) => Value::Copied(self.found.copy(&names[index].1)),
                    Err(_) if *open => Value::Integer(number.into()),
                    Err(_) => return Ok(None),
                }
            }
        }))
    }
}

fn wire_of(scalar: &Scalar) -> Wire {
    match scalar {
        Scalar::Double | Scalar::Fixed64 | Scalar::Sfixed64 => Wire::Eight,
        Scalar::Float | Scalar::Fixed32 | Scalar::Sfixed32 => Wire::Four,
        Scalar::String | Scalar::Bytes => Wire::Bytes,
        _ => Wire::Varint,
    }
}

/// What a value is that is not there.
fn zero(scalar: &Scalar, found: &mut Found) -> Value {
    match scalar {
        Scalar::Double | Scalar::Float => Value::Float(0.0),
        Scalar::Bool => Value::Boolean(false),
        Scalar::String => Value::Copied(0..0),
        Scalar::Bytes => Value::Other("bytes"),
        Scalar::Enum(names, _) => match names.iter().find(|(number, _)| *number == 0) {
            Some((_, name)) => Value::Copied(found.copy(name)),
            None => Value::Integer(0),
        },
        _ => Value::Integer(0),
    }
}

/// A key as a step of a way says it.
fn key_text(key: &Scalar, found: &Found, record: &[u8], value: Option<Value>) -> String {
    match value {
        Some(Value::Boolean(value)) => value.to_string(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Unsigned(number)) => number.to_string(),
        Some(value) => found.text(record, &value).unwrap_or_default().to_owned(),
        None => match key {
            Scalar::String => String::new(),
            Scalar::Bool => "false".to_owned(),
            _ => "0".to_owned(),
        },
    }
}
