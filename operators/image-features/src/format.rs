//! The formats that are read.

use std::fmt;

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Baseline, extended and progressive.
    Jpeg,
    /// All colour types and depths.
    Png,
    /// Lossy and lossless; of an animation, the first frame.
    WebP,
    /// The first frame.
    Gif,
    /// Bitmaps of Windows and OS/2.
    Bmp,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Jpeg => "JPEG",
            Format::Png => "PNG",
            Format::WebP => "WebP",
            Format::Gif => "GIF",
            Format::Bmp => "BMP",
        })
    }
}
