//! Which schema a record was written with: what registries' serializers put in front of it, or
//! into a header.
//!
//! In front of a value is a byte 0 and the schema's id, or a byte 1 and its globally unique id; of
//! Protobuf the message in the `.proto` file follows, by its indices. A header `__value_schema_id`
//! (`__key_schema_id` for the key) has the same bytes, and then the value has nothing in front.

use std::fmt;
use std::ops::Range;

/// The header with the id of the value's schema.
pub const VALUE_HEADER: &str = "__value_schema_id";
/// The header with the id of the key's schema.
pub const KEY_HEADER: &str = "__key_schema_id";

/// Indices of a message at most: messages in messages.
const NESTED: u64 = 32;

/// Which schema it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SchemaId {
    /// A registry's number for it.
    Id(u32),
    /// Its UUID.
    Guid([u8; 16]),
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SchemaId::Id(id) => write!(f, "{id}"),
            SchemaId::Guid(guid) => {
                for (index, byte) in guid.iter().enumerate() {
                    let hyphen = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
                    write!(f, "{hyphen}{byte:02x}")?;
                }
                Ok(())
            }
        }
    }
}

/// A record's value, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Its schema.
    pub id: SchemaId,
    /// The message, of Protobuf: by its index among the file's, then among the messages in that
    /// one, and so on.
    pub message: Vec<u32>,
    /// What is the record, of the value.
    pub body: Range<usize>,
}

/// Why it is not known with which schema a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireFault {
    /// It begins with another byte than 0 or 1.
    Magic(u8),
    /// It ends in the id, or the indices of the message.
    Truncated,
    /// The indices of the message are none.
    Message,
    /// The header has more than an id.
    Header,
}

impl fmt::Display for WireFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WireFault::Magic(byte) => write!(
                f,
                "the value begins with the byte {byte}, not with the id of a schema (byte 0 or 1): \
                 it was not written by a serializer of a schema registry"
            ),
            WireFault::Truncated => f.write_str("the value ends in the id of its schema"),
            WireFault::Message => {
                f.write_str("the indices of the message behind the schema's id are none")
            }
            WireFault::Header => f.write_str("the header has more in it than the id of a schema"),
        }
    }
}

impl std::error::Error for WireFault {}

/// Takes a value apart, by its header if it has one. `protobuf`: a message's indices are behind
/// the id.
///
/// # Errors
/// If there is no id.
pub fn open(value: &[u8], header: Option<&[u8]>, protobuf: bool) -> Result<Envelope, WireFault> {
    let (id, mut at) = id(header.unwrap_or(value))?;
    let from = header.unwrap_or(value);
    let message = if protobuf { message(from, &mut at)? } else { Vec::new() };
    match header {
        None => Ok(Envelope { id, message, body: at..value.len() }),
        Some(header) if at != header.len() => Err(WireFault::Header),
        Some(_) => Ok(Envelope { id, message, body: 0..value.len() }),
    }
}

fn id(bytes: &[u8]) -> Result<(SchemaId, usize), WireFault> {
    match bytes {
        [0, a, b, c, d, ..] => Ok((SchemaId::Id(u32::from_be_bytes([*a, *b, *c, *d])), 5)),
        [1, guid @ ..] => {
            let guid = guid.first_chunk().ok_or(WireFault::Truncated)?;
            Ok((SchemaId::Guid(*guid), 17))
        }
        [0, ..] | [] => Err(WireFault::Truncated),
        [other, ..] => Err(WireFault::Magic(*other)),
    }
}

/// The count of the indices, and each, zigzag as Avro's numbers; no indices are the first message.
fn message(bytes: &[u8], at: &mut usize) -> Result<Vec<u32>, WireFault> {
    let count = index(bytes, at)?;
    if count > NESTED {
        return Err(WireFault::Message);
    }
    if count == 0 {
        return Ok(vec![0]);
    }
    let one = |_| u32::try_from(index(bytes, at)?).map_err(|_| WireFault::Message);
    (0..count).map(one).collect()
}

fn index(bytes: &[u8], at: &mut usize) -> Result<u64, WireFault> {
    let mut number = 0_u64;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(*at).ok_or(WireFault::Truncated)?;
        *at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            // Odd is negative.
            return if number & 1 == 0 { Ok(number >> 1) } else { Err(WireFault::Message) };
        }
    }
    Err(WireFault::Message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(value: &[u8], protobuf: bool) -> Result<Envelope, WireFault> {
        open(value, None, protobuf)
    }

    #[test]
    fn ids_are_in_front_or_in_the_header() {
        let id = SchemaId::Id(258);
        let envelope = |id, message, body| Ok(Envelope { id, message, body });
        assert_eq!(opened(&[0, 0, 0, 1, 2, 9], false), envelope(id, vec![], 5..6));
        assert_eq!(opened(&[0, 0, 0, 1, 2], false), envelope(id, vec![], 5..5));
        assert_eq!(opened(&[0, 0, 0, 1, 2, 0, 9], true), envelope(id, vec![0], 6..7));
        let nested = [0, 0, 0, 1, 2, 4, 2, 0xd8, 4, 9];
        assert_eq!(opened(&nested, true), envelope(id, vec![1, 300], 9..10));
        let guid = [1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let uuid = SchemaId::Guid(*guid[1..].first_chunk().unwrap_or(&[0; 16]));
        assert_eq!(uuid.to_string(), "00010203-0405-0607-0809-0a0b0c0d0e0f");
        assert_eq!(opened(&guid, false), envelope(uuid, vec![], 17..17));
        assert_eq!(open(b"abc", Some(&guid), false), envelope(uuid, vec![], 0..3));
        let header = [&guid[..], &[2, 6]].concat();
        assert_eq!(open(b"abc", Some(&header), true), envelope(uuid, vec![3], 0..3));
        assert_eq!(open(b"abc", Some(&header), false), Err(WireFault::Header));
    }

    #[test]
    fn what_is_no_id_is_told() {
        assert_eq!(opened(b"", false), Err(WireFault::Truncated));
        assert_eq!(opened(b"{}", false), Err(WireFault::Magic(b'{')));
        assert_eq!(opened(&[0, 0, 0], false), Err(WireFault::Truncated));
        assert_eq!(opened(&[1, 0, 0], false), Err(WireFault::Truncated));
        assert_eq!(opened(&[0, 0, 0, 0, 1], true), Err(WireFault::Truncated));
        for indices in [&[1][..], &[0x42, 2], &[2, 1], &[0xff, 0xff, 0xff, 0xff, 0xff, 1]] {
            let value = [&[0, 0, 0, 0, 1], indices].concat();
            assert_eq!(opened(&value, true), Err(WireFault::Message), "{indices:?}");
        }
        assert_eq!(opened(&[0, 0, 0, 0, 1, 0x20, 0], true), Err(WireFault::Truncated));
    }
}
