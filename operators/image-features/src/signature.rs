//! Which format an image is in, by its first bytes.

use crate::fault::Fault;
use crate::format::Format;

/// Where a mark stands, the mark, and the name: formats that are known and not read.
const OTHERS: [(usize, &[u8], &str); 21] = [
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "BigTIFF"),
    (0, b"MM\0+", "BigTIFF"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftyphe", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypmsf1", "HEIF"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\0\0\x01\0", "ICO"),
    (0, b"8BPS", "Photoshop's format"),
    (0, b"qoif", "QOI"),
    (0, b"DDS ", "DDS"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"<svg", "SVG"),
    (0, b"%PDF-", "PDF"),
];

/// The format of an image.
///
/// # Errors
/// Where it is not one that is read.
pub fn format_of(bytes: &[u8]) -> Result<Format, Fault> {
    let at = |place: usize, mark: &[u8]| bytes.get(place..).is_some_and(|b| b.starts_with(mark));
    if at(0, b"\xff\xd8\xff") {
        return Ok(Format::Jpeg);
    }
    if at(0, b"\x89PNG\r\n\x1a\n") {
        return Ok(Format::Png);
    }
    if at(0, b"RIFF") && at(8, b"WEBP") {
        return Ok(Format::WebP);
    }
    if at(0, b"GIF87a") || at(0, b"GIF89a") {
        return Ok(Format::Gif);
    }
    if at(0, b"BM") && is_bitmap(bytes) {
        return Ok(Format::Bmp);
    }
    match OTHERS.iter().find(|(place, mark, _)| at(*place, mark)) {
        Some((_, _, format)) => Err(Fault::OtherFormat { format }),
        None => Err(Fault::NotAnImage),
    }
}

/// Two letters are little to tell an image from a text by: the size of the header that
/// follows must also be one that exists. (OS/2 2 may leave out any part of its 64 bytes.)
fn is_bitmap(bytes: &[u8]) -> bool {
    let size = bytes.get(14..18).and_then(|size| <[u8; 4]>::try_from(size).ok());
    matches!(size.map(u32::from_le_bytes), Some(12 | 16..=64 | 108 | 124))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let other = |format| Err(Fault::OtherFormat { format });
        assert_eq!(format_of(b"\xff\xd8\xff\xe0"), Ok(Format::Jpeg));
        assert_eq!(format_of(b"GIF89a"), Ok(Format::Gif));
        assert_eq!(format_of(b"RIFF\x10\0\0\0WEBPVP8 "), Ok(Format::WebP));
        assert_eq!(format_of(b"RIFF\x10\0\0\0WAVEfmt "), Err(Fault::NotAnImage));
        assert_eq!(format_of(b"II*\0\x08\0\0\0"), other("TIFF"));
        assert_eq!(format_of(b"\0\0\0\x20ftypavif"), other("AVIF"));
        assert_eq!(format_of(b"\0\0\0\x20ftypheic"), other("HEIC"));
        assert_eq!(format_of(b"BMW is a make of cars"), Err(Fault::NotAnImage));
        assert_eq!(format_of(b"BM"), Err(Fault::NotAnImage));
        assert_eq!(format_of(b""), Err(Fault::NotAnImage));
    }
}
