//! What is wrong with a BMP.

use crate::fault::Fault;
use crate::format::Format;

pub(super) const FORMAT: Format = Format::Bmp;

/// A part of the pixels is not there.
pub(super) fn cut_short() -> Fault {
    Fault::Damaged { format: FORMAT, problem: "pixels are missing".into() }
}

/// The file is whole, and of a kind that is not read.
pub(super) fn unsupported(feature: String) -> Fault {
    Fault::Feature { format: FORMAT, feature }
}
