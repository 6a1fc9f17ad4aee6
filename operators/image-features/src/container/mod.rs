//! The pieces that files are made of.

pub(crate) mod jpeg;
pub(crate) mod png;
pub(crate) mod webp;
