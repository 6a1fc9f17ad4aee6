//! What a schema is asked for by.

use serde::{Deserialize, Serialize};

/// What a schema is asked for by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Key {
    /// Its id, which a record has in front of it.
    Id(u32),
    /// Its globally unique id, which a record has in a header.
    Guid([u8; 16]),
    /// A subject, and its version; without one, the latest.
    Subject(String, Option<u32>),
}
