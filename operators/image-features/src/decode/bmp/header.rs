//! The headers of BMP: OS/2 1 (12 bytes), Windows (40), V2 and V3 (52, 56), OS/2 2 (64), V4
//! and V5 (108, 124).

use super::fault::{FORMAT, cut_short, unsupported};
use crate::fault::Fault;

/// How pixels are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    RunLengths8,
    RunLengths4,
    /// As they are, with masks that say where each colour is.
    Fields,
}

/// What a header says.
pub(super) struct Info {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) top_down: bool,
    pub(super) bits: u16,
    pub(super) compression: Compression,
    /// For red, green, blue and alpha.
    pub(super) masks: [u32; 4],
    /// How many colours the palette has, and how many bytes each of them.
    pub(super) colours: u32,
    pub(super) entry: usize,
    /// Where the header and its masks end.
    pub(super) end: usize,
    /// Where pixels begin, as the file says: 0 is where the rest ends.
    pub(super) offset: usize,
}

impl Info {
    pub(super) fn read(bytes: &[u8]) -> Result<Info, Fault> {
        let cut = || Fault::Damaged { format: FORMAT, problem: "the header is cut short".into() };
        let (size, offset) = (u32_at(bytes, 14), u32_at(bytes, 10));
        let (size, offset) = (size.ok_or_else(cut)? as usize, offset.ok_or_else(cut)? as usize);
        if !matches!(size, 12 | 40 | 52 | 56 | 64 | 108 | 124) {
            return Err(unsupported(format!("a header of {size} bytes")));
        }
        if bytes.len() < 14 + size {
            return Err(cut());
        }
        let short = |at| u16_at(bytes, at).ok_or_else(cut);
        let long = |at| u32_at(bytes, at).ok_or_else(cut);
        let mut info = Info {
            width: 0,
            height: 0,
            top_down: false,
            bits: 0,
            compression: Compression::None,
            masks: [0; 4],
            colours: 0,
            entry: 4,
            end: 14 + size,
            offset,
        };
        if size == 12 {
            (info.width, info.height) = (short(18)?.into(), short(20)?.into());
            (info.bits, info.entry) = (short(24)?, 3);
        } else {
            (info.width, info.height, info.bits) = (long(18)?, long(22)?, short(28)?);
            // Rows from the top have a height below zero, of which no more than this counts.
            if info.height >> 24 == 0xff {
                (info.height, info.top_down) = (info.height.wrapping_neg(), true);
            }
            info.colours = long(46)?;
            info.compression = match long(30)? {
                0 => Compression::None,
                1 => Compression::RunLengths8,
                2 => Compression::RunLengths4,
                3 => Compression::Fields,
                other => return Err(unsupported(format!("compression {other}"))),
            };
        }
        if !matches!(info.bits, 1 | 4 | 8 | 16 | 24 | 32) {
            return Err(unsupported(format!("{} bits a pixel", info.bits)));
        }
        if info.compression == Compression::Fields {
            // In a larger header, or behind the small one.
            let count = if size >= 56 { 4 } else { 3 };
            for (index, mask) in info.masks[..count].iter_mut().enumerate() {
                *mask = u32_at(bytes, 54 + 4 * index).ok_or_else(cut_short)?;
            }
            info.end = info.end.max(54 + 12);
        }
        if info.colours == 0 {
            info.colours = 1 << info.bits.min(8);
        }
        Ok(info)
    }

    /// What is stored from where pixels begin.
    pub(super) fn pixels<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let start = if self.offset == 0 { self.end } else { self.offset };
        bytes.get(start..).unwrap_or_default()
    }

    /// The rows from the top, without their padding.
    pub(super) fn rows<'a>(
        &self,
        stored: &'a [u8],
    ) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, Fault> {
        let bits = self.width as usize * usize::from(self.bits);
        let (length, stride) = (bits.div_ceil(8), bits.div_ceil(32) * 4);
        let (height, top_down) = (self.height as usize, self.top_down);
        // The last row's padding may be missing.
        let needed = (height - 1).checked_mul(stride).and_then(|rows| rows.checked_add(length));
        let stored = needed.and_then(|needed| stored.get(..needed)).ok_or_else(cut_short)?;
        Ok((0..height).map(move |y| {
            let start = if top_down { y } else { height - 1 - y } * stride;
            &stored[start..start + length]
        }))
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}
