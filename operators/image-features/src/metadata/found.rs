//! What is found in a file of any format.

use std::borrow::Cow;

/// What a file has, before anything in it is read.
#[derive(Debug, Default)]
pub(super) struct Metadata<'a> {
    /// EXIF, with its prefix or without.
    pub(super) exif: Option<Cow<'a, [u8]>>,
    /// An XMP packet.
    pub(super) xmp: Option<Cow<'a, [u8]>>,
}
