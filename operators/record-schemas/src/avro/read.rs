//! Reads a record by its plan.

use super::input::Input;
use super::logical::{decimal, uuid};
use super::node::{Constant, Constants, Fixed, Node, Program, Whole, Width};
use crate::fault::Fault;
use crate::found::{Found, Value};

pub(crate) fn read(plan: &Program, record: &[u8], found: &mut Found) -> Result<(), Fault> {
    let mut reader = Reader { plan, input: Input::new(record), found };
    reader.node(plan.root, 0)?;
    match reader.input.left() {
        0 => Ok(()),
        left => Err(Fault::Trailing(left)),
    }
}

struct Reader<'a> {
    plan: &'a Program,
    input: Input<'a>,
    found: &'a mut Found,
}

impl Reader<'_> {
    fn node(&mut self, node: usize, depth: usize) -> Result<(), Fault> {
        let plan = self.plan;
        // A plan has no other indices than its own.
        let Some(node) = plan.nodes.get(node) else { return Ok(()) };
        let (input, found) = (&mut self.input, &mut *self.found);
        match node {
            Node::Null(places) => found.put(places, Value::Null),
            Node::Boolean(places) => {
                let value = input.boolean()?;
                found.put(places, Value::Boolean(value));
            }
            Node::Int(places, width) => {
                let number = input.int()?;
                found.put(places, widened(number, *width));
            }
            Node::Long(places, width) => {
                let number = input.long()?;
                found.put(places, widened(number, *width));
            }
            Node::Float(places) => {
                let number = f32::from_le_bytes(input.array()?);
                found.put(places, Value::Float(f64::from(number)));
            }
            Node::Double(places) => {
                let number = f64::from_le_bytes(input.array()?);
                found.put(places, Value::Float(number));
            }
            Node::Text(places) => {
                let text = input.bytes()?;
                if !places.is_empty() {
                    if std::str::from_utf8(text).is_err() {
                        return Err(Fault::Malformed("a string is not UTF-8"));
                    }
                    found.put(places, Value::Text(input.at - text.len()..input.at));
                }
            }
            Node::Bytes(places) => {
                input.bytes()?;
                found.put(places, Value::Other("bytes"));
            }
            Node::Decimal(places, scale) => {
                let bytes = input.bytes()?;
                put_decimal(found, places, bytes, *scale);
            }
            Node::Fixed(places, size, meaning) => {
                let bytes = input.take(*size)?;
                match meaning {
                    _ if places.is_empty() => {}
                    Fixed::Bytes => found.put(places, Value::Other("bytes")),
                    Fixed::Duration => found.put(places, Value::Other("a duration")),
                    Fixed::Decimal(scale) => put_decimal(found, places, bytes, *scale),
                    Fixed::Uuid => {
                        let text = found.copy(&uuid(bytes));
                        found.put(places, Value::Copied(text));
                    }
                }
            }
            Node::Enum(places, symbols) => {
                let symbol = usize::try_from(input.int()?).ok().and_then(|it| symbols.get(it));
                let symbol = symbol.ok_or(Fault::Malformed("an enum has no such symbol"))?;
                if !places.is_empty() {
                    let symbol = symbol.as_ref().ok_or_else(|| {
                        let what = "the reader's enum has no such symbol, and no default";
                        Fault::Unresolved(what.to_owned())
                    })?;
                    let text = found.copy(symbol);
                    found.put(places, Value::Copied(text));
                }
            }
            Node::Record(nodes, constants) => {
                let depth = deeper(depth)?;
                for node in nodes {
                    self.node(*node, depth)?;
                }
                if !constants.is_empty() {
                    put_constants(self.found, constants);
                }
            }
            Node::Marked(places, what, parts) => {
                found.put(places, Value::Other(what));
                self.node(*parts, depth)?;
            }
            Node::Array { skip, empty, items, whole } => {
                self.array(*skip, *empty, items, whole, deeper(depth)?)?;
            }
            Node::Map { skip, values } => self.map(*skip, values, deeper(depth)?)?,
            Node::Union(branches) => {
                let branch = usize::try_from(input.long()?).ok().and_then(|it| branches.get(it));
                let branch = *branch.ok_or(Fault::Malformed("a union has no such branch"))?;
                // A union of records that have themselves is deeper with each.
                self.node(branch, depth)?;
            }
            Node::Unresolved(problem) => return Err(Fault::Unresolved(problem.clone())),
        }
        Ok(())
    }

    fn array(
        &mut self,
        skip: usize,
        empty: bool,
        items: &[(usize, usize)],
        whole: &[Whole],
        depth: usize,
    ) -> Result<(), Fault> {
        for whole in whole.iter().filter(|whole| whole.outer) {
            self.found.arrays[whole.place].clear();
            self.found.values[whole.place] = Value::Array(whole.place);
        }
        let wanted = items.iter().map(|(index, _)| *index as u64 + 1);
        let wanted = wanted.chain(whole.iter().map(|whole| u64::from(whole.size)));
        let wanted = wanted.max().unwrap_or(0);
        let mut position = 0_u64;
        loop {
            let (mut count, bytes) = self.input.block()?;
            if count == 0 {
                break;
            }
            let end = bytes.map(|bytes| self.input.at + bytes);
            while count > 0 && position < wanted {
                self.item(position, skip, items, whole, depth)?;
                (position, count) = (position + 1, count - 1);
            }
            // The others have their length, none at all, or at least a byte each.
            position = position.saturating_add(count);
            match end {
                Some(end) if position > wanted => {
                    if end < self.input.at {
                        return Err(Fault::Malformed("a block is longer than it says"));
                    }
                    self.input.at = end;
                }
                _ if empty => {}
                _ => {
                    for _ in 0..count {
                        self.node(skip, depth)?;
                    }
                }
            }
            if end.is_some_and(|end| end != self.input.at) {
                return Err(Fault::Malformed("a block has another length than it says"));
            }
        }
        for whole in whole.iter().filter(|whole| u64::from(whole.size) != position) {
            self.found.values[whole.place] = Value::Other("an array of another size");
        }
        Ok(())
    }

    fn item(
        &mut self,
        position: u64,
        skip: usize,
        items: &[(usize, usize)],
        whole: &[Whole],
        depth: usize,
    ) -> Result<(), Fault> {
        let start = self.input.at;
        let mut read = false;
        for (_, node) in items.iter().filter(|(index, _)| *index as u64 == position) {
            self.input.at = start;
            self.node(*node, depth)?;
            read = true;
        }
        for whole in whole.iter().filter(|whole| position < u64::from(whole.size)) {
            self.input.at = start;
            self.node(whole.node, depth)?;
            if let Some(item) = whole.item {
                let value = std::mem::replace(&mut self.found.values[item], Value::Absent);
                self.found.arrays[whole.place].push(value);
            }
            read = true;
        }
        if !read {
            self.node(skip, depth)?;
        }
        Ok(())
    }

    fn map(&mut self, skip: usize, values: &[(String, usize)], depth: usize) -> Result<(), Fault> {
        loop {
            let (count, bytes) = self.input.block()?;
            if count == 0 {
                return Ok(());
            }
            let end = bytes.map(|bytes| self.input.at + bytes);
            if let (Some(end), true) = (end, values.is_empty()) {
                self.input.at = end;
                continue;
            }
            // A key has at least a byte, so that a large count comes to the record's end.
            for _ in 0..count {
                let key = self.input.bytes()?;
                let wanted = values.iter().find(|(name, _)| name.as_bytes() == key);
                self.node(wanted.map_or(skip, |(_, node)| *node), depth)?;
            }
            if end.is_some_and(|end| end != self.input.at) {
                return Err(Fault::Malformed("a block has another length than it says"));
            }
        }
    }
}

fn deeper(depth: usize) -> Result<usize, Fault> {
    if depth == crate::DEPTH { Err(Fault::Deep) } else { Ok(depth + 1) }
}

/// A whole number as the reader has it: one with fewer digits is rounded, as the reader's is.
#[inline]
fn widened(number: i64, width: Width) -> Value {
    match width {
        Width::Whole => Value::Integer(number),
        Width::Float => Value::Float(f64::from(number as f32)),
        Width::Double => Value::Float(number as f64),
    }
}

fn put_decimal(found: &mut Found, places: &[usize], bytes: &[u8], scale: u32) {
    if places.is_empty() {
        return;
    }
    let value = match decimal(bytes, scale) {
        Some(text) => Value::Decimal(found.copy(&text)),
        None => Value::Other("a decimal of more than 64 bytes"),
    };
    found.put(places, value);
}

fn put_constants(found: &mut Found, constants: &Constants) {
    for (place, constant) in constants {
        let value = match constant {
            Constant::Value(value) => value.clone(),
            Constant::Text(text) => Value::Copied(found.copy(text)),
            Constant::Decimal(text) => Value::Decimal(found.copy(text)),
            Constant::Array(values) => {
                found.arrays[*place].clone_from(values);
                Value::Array(*place)
            }
        };
        found.values[*place] = value;
    }
}
