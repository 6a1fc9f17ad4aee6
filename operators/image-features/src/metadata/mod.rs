//! How an image is to be turned, as its file says: in EXIF or XMP, wherever these stand in
//! JPEG, PNG and WebP.
//!
//! What counts is what Pillow's `ImageOps.exif_transpose` goes by
//! (`Image.getexif`, and the plugin of each format): the EXIF data, and XMP only where
//! there is no orientation in EXIF. Data that cannot be read says nothing; a picture is not
//! refused for it.

mod exif;
mod found;
mod jpeg;
mod png;
mod webp;
mod xmp;

use image::metadata::Orientation;

use crate::format::Format;

use exif::Exif;
use found::Metadata;

/// The orientation of the image in a file.
pub(crate) fn orientation(format: Format, bytes: &[u8]) -> Orientation {
    let metadata = match format {
        Format::Jpeg => jpeg::metadata(bytes),
        Format::Png => png::metadata(bytes),
        Format::WebP => webp::metadata(bytes),
        // Pillow looks for none in these.
        Format::Gif | Format::Bmp => Metadata::default(),
    };
    let value = match metadata.exif.as_deref().map_or(Exif::None, exif::orientation) {
        Exif::Value(value) => Some(value),
        Exif::Other => None,
        Exif::None => metadata.xmp.as_deref().and_then(xmp::orientation),
    };
    value.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms)
}
