//! How much a model may take.

use crate::error::Error;

/// What [`Model::read_within`](crate::Model::read_within) accepts of a model.
///
/// The defaults let through anything that XGBoost is used for in earnest and keep a hostile
/// file from taking more than about a gigabyte: reading takes about 50 bytes for each node,
/// 400 for each tree, what the sets of categories take, eight for each byte of a category's
/// name, and four for each number of another list in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file. Default 256 MiB.
    pub bytes: u64,
    /// Features. Default 65,535.
    pub features: u64,
    /// Categories that the model knows by name, of all features together. Default 1,000,000.
    pub categories: u64,
    /// Bytes of the names of all categories together. Default 16 MiB.
    pub category_bytes: u64,
    /// Trees. Default 1,000,000.
    pub trees: u64,
    /// Nodes of all trees together, leaves included. Default 16,000,000.
    pub nodes: u64,
    /// Bytes of all sets of categories that trees test for. Default 64 MiB.
    pub set_bytes: u64,
    /// Values that are predicted for a row: classes, targets or quantiles. Default 10,000.
    pub outputs: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            features: 65_535,
            categories: 1_000_000,
            category_bytes: 16 << 20,
            trees: 1_000_000,
            nodes: 16_000_000,
            set_bytes: 64 << 20,
            outputs: 10_000,
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
