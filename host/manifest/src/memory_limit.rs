//! `[runner] memory`: how much memory a runner's process may take.

use std::fmt;

use bytesize::ByteSize;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How much memory a runner's process may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MemoryLimit {
    /// Nine tenths of what its container may, if that has a limit. The default.
    #[default]
    Container,
    /// So many bytes.
    Size(ByteSize),
    /// Any amount: it is not watched.
    Off,
}

impl<'de> Deserialize<'de> for MemoryLimit {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Limit;

        impl Visitor<'_> for Limit {
            type Value = MemoryLimit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size such as \"2 GiB\", \"container\" or \"off\"")
            }

            fn visit_i64<E: Error>(self, bytes: i64) -> Result<MemoryLimit, E> {
                let whole = u64::try_from(bytes).map(|bytes| MemoryLimit::Size(ByteSize(bytes)));
                whole.map_err(|_| E::invalid_value(Unexpected::Signed(bytes), &self))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<MemoryLimit, E> {
                match text.trim() {
                    "container" => Ok(MemoryLimit::Container),
                    "off" => Ok(MemoryLimit::Off),
                    size => size
                        .parse()
                        .map(MemoryLimit::Size)
                        .map_err(|_| E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }

        from.deserialize_any(Limit)
    }
}

impl Serialize for MemoryLimit {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            MemoryLimit::Container => to.serialize_str("container"),
            MemoryLimit::Size(size) => to.serialize_u64(size.as_u64()),
            MemoryLimit::Off => to.serialize_str("off"),
        }
    }
}
