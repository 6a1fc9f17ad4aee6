//! The format of the documents in a registry.

/// The form of what is written in a registry. Another one is refused.
pub(crate) const FORMAT: u32 = 1;
