//! EXIF and XMP in JPEG's application segments: EXIF 2.3, section 4.7.2, and the XMP
//! specification, part 3, section 1.1.3.

use std::borrow::Cow;

use super::found::Metadata;
use crate::container::jpeg::{Segment, Segments, marker::APP1};

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// What stands before the first scan. EXIF in several segments is one after another.
pub(super) fn metadata(bytes: &[u8]) -> Metadata<'_> {
    let mut metadata = Metadata::default();
    for Segment { marker, body, .. } in Segments::of_header(bytes) {
        if marker != APP1 {
            continue;
        }
        if let Some(more) = body.strip_prefix(EXIF) {
            match &mut metadata.exif {
                Some(exif) => exif.to_mut().extend_from_slice(more),
                None => metadata.exif = Some(Cow::Borrowed(body)),
            }
        } else if let Some(packet) = body.strip_prefix(XMP) {
            metadata.xmp = Some(Cow::Borrowed(packet));
        }
    }
    metadata
}
