//! EXIF and XMP in WebP: RFC 9649, section 2.7.1.5.

use std::borrow::Cow;

use super::found::Metadata;
use crate::container::webp::Chunks;

/// In the header's flags: that there is EXIF, and that there is XMP.
const EXIF_FLAG: u8 = 1 << 3;
const XMP_FLAG: u8 = 1 << 2;

/// The first chunk of each, if the header of the extended format announces it.
pub(super) fn metadata(bytes: &[u8]) -> Metadata<'_> {
    let mut metadata = Metadata::default();
    let mut chunks = Chunks::new(bytes);
    let Some((b"VP8X", [flags, ..])) = chunks.next() else { return metadata };
    for (name, body) in chunks {
        let place = match name {
            b"EXIF" if flags & EXIF_FLAG != 0 => &mut metadata.exif,
            b"XMP " if flags & XMP_FLAG != 0 => &mut metadata.xmp,
            _ => continue,
        };
        place.get_or_insert(Cow::Borrowed(body));
    }
    metadata
}
