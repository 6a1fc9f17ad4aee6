//! Why a record gives no tensor.

use std::fmt;

use crate::format::Format;

/// Why a record gives no tensor. Each says what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The record's value is null.
    Tombstone,
    /// The value is empty.
    Empty,
    /// The value is larger than the stage accepts.
    Bytes {
        /// The length of the value in bytes.
        bytes: u64,
        /// The limit: `max_bytes` of the configuration.
        limit: u64,
    },
    /// The value starts as no known image does.
    NotAnImage,
    /// An image, but not of a format that is read.
    OtherFormat {
        /// The format's name.
        format: &'static str,
    },
    /// The format allows it, but it is not read.
    Feature {
        /// The format.
        format: Format,
        /// What it is.
        feature: String,
    },
    /// The image breaks the rules of its format, or ends too early.
    Damaged {
        /// The format.
        format: Format,
        /// What the decoder says.
        problem: String,
    },
    /// The image has more pixels than the stage accepts.
    Pixels {
        /// Pixels from left to right.
        width: u64,
        /// Pixels from top to bottom.
        height: u64,
        /// The limit: `max_pixels` of the configuration.
        limit: u64,
    },
    /// One side is longer than any image that is read.
    Side {
        /// Its pixels.
        pixels: u64,
    },
    /// The image needs more memory than it is worth or the stage has.
    Memory {
        /// The format.
        format: Format,
        /// What the decoder says.
        problem: String,
    },
    /// The resizer refused an image that was decoded: a fault of this operator.
    Resize {
        /// What it says.
        problem: String,
    },
}

/// The longest side of an image: what JPEG can say. Weights of the resizer are kept for
/// each pixel of a side, so that a picture one pixel high must not be of any length.
pub(crate) const LONGEST_SIDE: u64 = 65_535;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Tombstone => f.write_str("the value is null (a tombstone), not an image"),
            Fault::Empty => f.write_str("the value is empty, not an image"),
            Fault::Bytes { bytes, limit } => {
                write!(f, "the value has {bytes} bytes, which exceeds `max_bytes` ({limit})")
            }
            Fault::NotAnImage => f.write_str("the value is not an image of a known format"),
            Fault::OtherFormat { format } => {
                write!(f, "unsupported format {format}: use JPEG, PNG, WebP, GIF or BMP")
            }
            Fault::Feature { format, feature } => write!(f, "unsupported {format}: {feature}"),
            Fault::Damaged { format, problem } => write!(f, "damaged {format}: {problem}"),
            Fault::Pixels { width, height, limit } => write!(
                f,
                "the image has {width} x {height} pixels, which exceeds `max_pixels` ({limit})"
            ),
            Fault::Side { pixels } => write!(
                f,
                "a side of the image has {pixels} pixels, which exceeds the limit of \
                 {LONGEST_SIDE}"
            ),
            Fault::Memory { format, problem } => {
                write!(f, "decoding the {format} takes too much memory or time: {problem}")
            }
            Fault::Resize { problem } => write!(f, "resizing the image failed: {problem}"),
        }
    }
}

impl std::error::Error for Fault {}
