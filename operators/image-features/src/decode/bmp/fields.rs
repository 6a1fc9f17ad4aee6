//! Pixels of 16, 24 and 32 bits, in which each colour has its place.

use super::super::flatten::over;
use super::fault::unsupported;
use super::header::{Compression, Info};
use crate::fault::Fault;

/// Where the colours of a pixel are: those layouts that Pillow knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fields {
    /// Five bits each of red, green and blue.
    Five,
    /// Five, six and five.
    Six,
    /// Bytes: how many a pixel has, and which of them are red, green, blue and alpha.
    Bytes { count: usize, rgb: [usize; 3], alpha: Option<usize> },
}

/// Masks of pixels of 32 bits, and the bytes that they stand for.
const MASKS_OF_32: [([u32; 4], [usize; 3], Option<usize>); 8] = [
    ([0xff_0000, 0xff00, 0xff, 0], [2, 1, 0], None),
    ([0xff00_0000, 0xff_0000, 0xff00, 0], [3, 2, 1], None),
    ([0xff00_0000, 0xff00, 0xff, 0], [3, 1, 0], None),
    ([0xff00_0000, 0xff_0000, 0xff00, 0xff], [3, 2, 1], Some(0)),
    ([0xff, 0xff00, 0xff_0000, 0xff00_0000], [0, 1, 2], Some(3)),
    ([0xff_0000, 0xff00, 0xff, 0xff00_0000], [2, 1, 0], Some(3)),
    ([0xff00_0000, 0xff00, 0xff, 0xff_0000], [3, 1, 0], Some(2)),
    ([0, 0, 0, 0], [2, 1, 0], Some(3)),
];

impl Fields {
    pub(super) fn of(info: &Info) -> Result<Fields, Fault> {
        let rgb = [2, 1, 0];
        let masks = match info.compression {
            Compression::Fields => Some(info.masks),
            _ => None,
        };
        let found = match (info.bits, masks) {
            (16, None | Some([0x7c00, 0x3e0, 0x1f, _])) => Some(Fields::Five),
            (16, Some([0xf800, 0x7e0, 0x1f, _])) => Some(Fields::Six),
            (24, None | Some([0xff_0000, 0xff00, 0xff, _])) => {
                Some(Fields::Bytes { count: 3, rgb, alpha: None })
            }
            // The fourth byte has no meaning.
            (32, None) => Some(Fields::Bytes { count: 4, rgb, alpha: None }),
            (32, Some(masks)) => MASKS_OF_32
                .iter()
                .find(|(known, ..)| *known == masks)
                .map(|(_, rgb, alpha)| Fields::Bytes { count: 4, rgb: *rgb, alpha: *alpha }),
            _ => None,
        };
        found.ok_or_else(|| {
            let [red, green, blue, alpha] = info.masks;
            let masks = format!("{red:#x}, {green:#x}, {blue:#x}, {alpha:#x}");
            unsupported(format!("{} bits a pixel with the masks {masks}", info.bits))
        })
    }

    /// A row to RGB.
    pub(super) fn convert(self, stored: &[u8], background: [u8; 3], row: &mut [u8]) {
        let pixels = row.as_chunks_mut::<3>().0;
        match self {
            Fields::Five => sixteen(stored, pixels, |value| {
                [part(value >> 10, 31), part(value >> 5, 31), part(value, 31)]
            }),
            Fields::Six => sixteen(stored, pixels, |value| {
                [part(value >> 11, 31), part(value >> 5, 63), part(value, 31)]
            }),
            Fields::Bytes { count, rgb, alpha } => {
                for (pixel, stored) in pixels.iter_mut().zip(stored.chunks_exact(count)) {
                    let colour = rgb.map(|at| stored[at]);
                    *pixel = match alpha {
                        None => colour,
                        Some(at) => over(colour, stored[at], background),
                    };
                }
            }
        }
    }
}

fn sixteen(stored: &[u8], pixels: &mut [[u8; 3]], colour: impl Fn(u16) -> [u8; 3]) {
    for (pixel, stored) in pixels.iter_mut().zip(stored.as_chunks::<2>().0) {
        *pixel = colour(u16::from_le_bytes(*stored));
    }
}

/// The lowest bits to eight, rounded down as in Pillow.
fn part(value: u16, most: u16) -> u8 {
    ((value & most) * 255 / most) as u8
}
