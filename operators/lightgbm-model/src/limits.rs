//! How much a model may take.

use crate::error::Error;

/// What [`Model::read_within`](crate::Model::read_within) accepts of a model.
///
/// The defaults let through anything that LightGBM is used for in earnest and keep a hostile
/// file from taking more than about a gigabyte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the text. Default 1 GiB.
    pub bytes: u64,
    /// Columns of a row. Default 65,535.
    pub columns: u64,
    /// Values of all pandas categories together. Default 1,000,000.
    pub categories: u64,
    /// Nodes of all trees together, leaves included. Default 16,000,000.
    pub nodes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 1 << 30, columns: 65_535, categories: 1_000_000, nodes: 16_000_000 }
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
