//! Sizes and durations as people write them, and text that must not be empty.
//! Written out again, a size is its bytes and a duration its exact parts.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A size: `"64 MiB"`, or a whole number of bytes.
pub mod size {
    use super::*;
    use bytesize::ByteSize;
    use serde::Serializer;

    struct Size;

    impl Visitor<'_> for Size {
        type Value = ByteSize;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a size such as \"64 MiB\"")
        }

        fn visit_i64<E: Error>(self, bytes: i64) -> Result<ByteSize, E> {
            let whole = u64::try_from(bytes);
            whole.map(ByteSize).map_err(|_| E::invalid_value(Unexpected::Signed(bytes), &self))
        }

        fn visit_u64<E: Error>(self, bytes: u64) -> Result<ByteSize, E> {
            Ok(ByteSize(bytes))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<ByteSize, E> {
            text.trim().parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
        }
    }

    /// Reads one, for `#[serde(with)]`.
    ///
    /// # Errors
    /// If it is not one.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ByteSize, D::Error> {
        from.deserialize_any(Size)
    }

    /// Reads one under a key that need not be there.
    ///
    /// # Errors
    /// If it is not one.
    pub fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ByteSize>, D::Error> {
        deserialize(from).map(Some)
    }

    /// Writes its bytes.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(size: &ByteSize, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(size.as_u64())
    }

    /// Writes the bytes of one that need not be there.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize_optional<S: Serializer>(
        size: &Option<ByteSize>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match size {
            Some(size) => serialize(size, to),
            None => to.serialize_none(),
        }
    }
}

/// A duration: `"1s"`, `"500ms"`, `"1m 30s"`.
pub mod duration {
    use super::*;
    use humantime_serde::re::humantime;
    use std::time::Duration;

    struct Span;

    impl Visitor<'_> for Span {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a duration with its unit such as \"1s\" or \"500ms\"")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
            humantime::parse_duration(text.trim())
                .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
        }
    }

    /// Reads one, for `#[serde(with)]`.
    ///
    /// # Errors
    /// If it is not one.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        from.deserialize_any(Span)
    }

    /// Reads one under a key that need not be there.
    ///
    /// # Errors
    /// If it is not one.
    pub fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        deserialize(from).map(Some)
    }

    pub use humantime_serde::serialize;
}

/// A string that is not empty: for the default, leave out its key.
pub fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if text.trim().is_empty() {
        return Err(D::Error::custom("must not be empty; give it a value or leave out the key"));
    }
    Ok(text)
}

/// As [`text`], for a key whose absence has a meaning of its own.
pub fn optional_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from).map(Some)
}

/// The longest duration that a document may name. A longer wait is a mistake, and this keeps
/// clear of the clock's arithmetic.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// What is wrong with a size of which there may be at most `most`, if anything.
pub fn size_problem(size: bytesize::ByteSize, most: bytesize::ByteSize) -> Option<String> {
    if size.as_u64() == 0 {
        return Some(
            "must be greater than zero; give it a size such as \"64 MiB\", or leave out the key"
                .into(),
        );
    }
    (size > most).then(|| format!("{size} is too large; at most {most}"))
}

/// What is wrong with a duration, if anything.
pub fn duration_problem(duration: std::time::Duration) -> Option<String> {
    if duration.is_zero() {
        return Some(
            "must be greater than zero; give it a duration such as \"1s\", or leave out the key"
                .into(),
        );
    }
    (duration > LONGEST)
        .then(|| "must not be longer than a day; give it a shorter duration, such as \"1m\"".into())
}
