//! The orientation in an XMP packet.

/// The property, as everybody writes it. (A packet that declares another prefix for its
/// namespace is not understood by Pillow either.)
const PROPERTY: &[u8] = b"tiff:Orientation";

/// The digit behind the first `tiff:Orientation="` or `tiff:Orientation>` that has one.
/// Pillow finds it by this pattern too, without reading the packet as XML.
pub(super) fn orientation(packet: &[u8]) -> Option<u8> {
    let mut rest = packet;
    while let Some(at) = find(rest, PROPERTY) {
        rest = &rest[at + PROPERTY.len()..];
        let value = rest.strip_prefix(b"=\"").or_else(|| rest.strip_prefix(b">"));
        if let Some([digit @ b'0'..=b'9', ..]) = value {
            return Some(digit - b'0');
        }
    }
    None
}

/// Where `needle` begins for the first time.
fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_has_a_digit_counts() {
        assert_eq!(orientation(br#"<a tiff:Orientation="6"/>"#), Some(6));
        assert_eq!(orientation(b"<tiff:Orientation>8</tiff:Orientation>"), Some(8));
        assert_eq!(orientation(br#"tiff:Orientation="x" tiff:Orientation="3""#), Some(3));
        assert_eq!(orientation(b"tiff:Orientation='3'"), None);
        assert_eq!(orientation(b"tiff:Orientation="), None);
        assert_eq!(orientation(b""), None);
    }
}
