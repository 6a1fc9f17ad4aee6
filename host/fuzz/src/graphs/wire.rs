//! Messages of Protocol Buffers as trees, without knowing what they mean: what ONNX and TensorFlow
//! files are made of. A change keeps the lengths of what is around it right.

use crate::bytes::Bytes;

/// How deep messages are looked into.
const DEPTH: u32 = 12;
/// Bytes of a changed file at most.
const LENGTH: usize = 1 << 20;
/// Changes of a file at most.
const CHANGES: usize = 12;
/// Numbers that are sizes, axes, types or versions at an edge.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    3,
    7,
    11,
    13,
    16,
    127,
    255,
    65_535,
    u32::MAX as u64,
    1 << 31,
    1 << 40,
    u64::MAX,
    1 << 63,
];

/// A message.
pub type Message = Vec<Field>;

/// A field of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    number: u64,
    value: Value,
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Number(u64),
    Fixed(Vec<u8>),
    Bytes(Vec<u8>),
    Message(Message),
}

/// A message out of its bytes.
pub fn read(bytes: &[u8]) -> Option<Message> {
    message(bytes, DEPTH)
}

fn message(mut bytes: &[u8], depth: u32) -> Option<Message> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let mut take = |count: u64| {
            let (taken, rest) = bytes.split_at_checked(usize::try_from(count).ok()?)?;
            bytes = rest;
            Some(taken)
        };
        let value = match key & 7 {
            0 => Value::Number(varint(&mut bytes)?),
            1 => Value::Fixed(take(8)?.to_vec()),
            5 => Value::Fixed(take(4)?.to_vec()),
            2 => {
                let length = varint(&mut bytes)?;
                let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
                bytes = rest;
                // A text could be a message too, but is not meant as one.
                let text = taken.iter().all(|byte| matches!(byte, b' '..=b'~'));
                let inner = (depth > 0 && !text).then(|| message(taken, depth - 1)).flatten();
                inner.map_or_else(|| Value::Bytes(taken.to_vec()), Value::Message)
            }
            _ => return None,
        };
        fields.push(Field { number: key >> 3, value });
    }
    Some(fields)
}

/// A number of up to ten bytes, as Protocol Buffers and WebAssembly have them.
pub fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// The bytes of a message.
pub fn write(message: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Field { number, value } in message {
        let mut key = |wire: u64| put(&mut bytes, number << 3 | wire);
        match value {
            Value::Number(number) => {
                key(0);
                put(&mut bytes, *number);
            }
            Value::Fixed(fixed) => {
                key(if fixed.len() == 8 { 1 } else { 5 });
                bytes.extend(fixed);
            }
            Value::Bytes(inner) => {
                key(2);
                put(&mut bytes, inner.len() as u64);
                bytes.extend(inner);
            }
            Value::Message(inner) => {
                let inner = write(inner);
                key(2);
                put(&mut bytes, inner.len() as u64);
                bytes.extend(inner);
            }
        }
    }
    bytes
}

/// Writes such a number.
pub fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Changes a message as the input says, with parts of another; gives its bytes.
pub fn change(mut of: Message, other: &[Field], bytes: &mut Bytes<'_>) -> Vec<u8> {
    for _ in 0..CHANGES {
        if bytes.0.is_empty() {
            break;
        }
        once(&mut of, other, bytes);
    }
    let mut file = write(&of);
    file.truncate(LENGTH);
    file
}

fn once(of: &mut Message, other: &[Field], bytes: &mut Bytes<'_>) {
    let kind = bytes.byte() % 8;
    let place = usize::from(u16::from_le_bytes([bytes.byte(), bytes.byte()]));
    let wanted = |field: &Field| match kind {
        0 | 1 => matches!(field.value, Value::Number(_)),
        2 | 3 => matches!(field.value, Value::Bytes(_) | Value::Fixed(_)),
        _ => true,
    };
    let count = all(of).filter(|field| wanted(field)).count();
    if count == 0 {
        return;
    }
    let donors: Vec<Field> = match kind {
        2 => all(of).filter(|field| wanted(field)).cloned().collect(),
        4 | 5 => all(other).cloned().collect(),
        _ => Vec::new(),
    };
    let mut left = place % count;
    edit(of, &mut left, &wanted, &mut |message, at| {
        let field = &mut message[at];
        match kind {
            0 | 1 => {
                let byte = bytes.byte();
                let number = NUMBERS.get(usize::from(byte & 31)).copied();
                field.value = Value::Number(number.unwrap_or(u64::from(byte)));
            }
            // Another name or data of the file.
            2 => {
                let donor = &donors[usize::from(bytes.byte()) % donors.len()];
                field.value = donor.value.clone();
            }
            3 => {
                if let Value::Bytes(data) | Value::Fixed(data) = &mut field.value
                    && !data.is_empty()
                {
                    let (place, byte) = (usize::from(bytes.byte()) % data.len(), bytes.byte());
                    match (byte, &field.value) {
                        (0xf0.., Value::Bytes(_)) => truncate(&mut field.value, place),
                        _ => set(&mut field.value, place, byte),
                    }
                }
            }
            // The same field of another file, in its place or beside it.
            4 | 5 => {
                let mut fitting = donors.iter().filter(|donor| donor.number == field.number);
                let chosen = usize::from(bytes.byte());
                let count = fitting.clone().count();
                if count > 0
                    && let Some(donor) = fitting.nth(chosen % count)
                {
                    match kind {
                        4 => *field = donor.clone(),
                        _ => message.insert(at, donor.clone()),
                    }
                }
            }
            6 => {
                message.remove(at);
            }
            _ => {
                let byte = usize::from(bytes.byte());
                let times = if byte > 0xf0 { 1 << (byte - 0xf0) } else { 1 + byte % 4 };
                let copy = vec![field.clone(); times.min(LENGTH / (1 + size(field)))];
                message.splice(at..at, copy);
            }
        }
    });
}

fn set(value: &mut Value, place: usize, byte: u8) {
    if let Value::Bytes(data) | Value::Fixed(data) = value {
        data[place] = byte;
    }
}

fn truncate(value: &mut Value, length: usize) {
    if let Value::Bytes(data) = value {
        data.truncate(length);
    }
}

fn size(field: &Field) -> usize {
    match &field.value {
        Value::Number(_) => 2,
        Value::Fixed(data) | Value::Bytes(data) => data.len(),
        Value::Message(fields) => fields.iter().map(|field| 2 + size(field)).sum(),
    }
}

/// All fields, those of messages inside too.
fn all(message: &[Field]) -> Box<dyn Iterator<Item = &Field> + '_> {
    Box::new(message.iter().flat_map(|field| {
        let inner: Box<dyn Iterator<Item = &Field>> = match &field.value {
            Value::Message(inner) => all(inner),
            _ => Box::new(std::iter::empty()),
        };
        std::iter::once(field).chain(inner)
    }))
}

/// Does something at the field that is `left` fields away, of those that are wanted.
fn edit(
    message: &mut Message,
    left: &mut usize,
    wanted: &impl Fn(&Field) -> bool,
    change: &mut impl FnMut(&mut Message, usize),
) -> bool {
    for at in 0..message.len() {
        if wanted(&message[at]) {
            if *left == 0 {
                change(message, at);
                return true;
            }
            *left -= 1;
        }
        if let Value::Message(inner) = &mut message[at].value
            && edit(inner, left, wanted, change)
        {
            return true;
        }
    }
    false
}
