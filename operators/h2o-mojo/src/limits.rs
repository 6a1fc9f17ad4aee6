//! How much a model may take.

use crate::error::Error;

/// What [`Model::read_within`](crate::Model::read_within) accepts of a model.
///
/// The defaults let through anything that H2O is used for in earnest and keep a hostile file
/// from taking more than about a gigabyte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries of the archive. Default 200,000; a tree takes two.
    pub entries: u64,
    /// Bytes of all entries that scoring needs, inflated. Default 256 MiB.
    pub inflated_bytes: u64,
    /// Columns, features and response together. Default 65,535, which is also the most that
    /// the tree format can name.
    pub columns: u64,
    /// Categories of all columns together. Default 1,000,000.
    pub categories: u64,
    /// Nodes of all trees together, leaves included. Default 16,000,000, of 20 bytes each.
    pub nodes: u64,
    /// Weights of all layers together, padding included. Default 32,000,000, of 4 bytes each.
    pub weights: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 200_000,
            inflated_bytes: 256 << 20,
            columns: 65_535,
            categories: 1_000_000,
            nodes: 16_000_000,
            weights: 32_000_000,
        }
    }
}

/// Fails where `value` is more than `limit`, the field `name` of [`Limits`].
pub(crate) fn check(
    what: impl FnOnce() -> String,
    value: u64,
    limit: u64,
    name: &'static str,
) -> Result<(), Error> {
    if value <= limit {
        return Ok(());
    }
    Err(Error::Limit { what: what(), value, limit, name })
}
