//! The colours of pixels of 1, 4 and 8 bits.

use super::super::indexed::{Colours, colours, greys};
use super::fault::unsupported;
use super::header::Info;
use crate::fault::Fault;

/// More than this is no palette, for Pillow.
const MOST_COLOURS: u32 = 65_536;

/// What Pillow makes of a palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Black and white: all numbers but the first are white.
    BlackAndWhite,
    /// The numbers are the brightnesses, also those beyond the palette.
    Grey,
    Colours,
}

/// A palette, and where the pixels begin behind it.
pub(super) struct Palette {
    kind: Kind,
    pub(super) colours: Colours,
    pub(super) start: usize,
}

impl Info {
    pub(super) fn palette(&self, bytes: &[u8]) -> Result<Palette, Fault> {
        if self.colours > MOST_COLOURS {
            return Err(unsupported(format!("a palette of {} colours", self.colours)));
        }
        let count = self.colours as usize;
        let length = count * self.entry;
        let stored = bytes.get(self.end..).unwrap_or_default();
        let stored = &stored[..length.min(stored.len())];
        let end = self.end + stored.len();
        let start = match self.offset {
            0 => end,
            // A program that forgot the palette.
            offset if offset == self.end => offset + length,
            offset => offset,
        };
        let entries = || stored.chunks_exact(self.entry);
        let expected = |index: usize| if count == 2 { 255 * index as u8 } else { index as u8 };
        let is_grey = entries().len() == count
            && entries().enumerate().all(|(index, entry)| entry[..3] == [expected(index); 3]);
        // A palette that the file cuts short is as long as it is.
        let (kind, colours) = match (is_grey, entries().len()) {
            (true, 1 | 2) => {
                let mut colours = [[255; 3]; 256];
                colours[0] = [0; 3];
                (Kind::BlackAndWhite, colours)
            }
            (true, _) => (Kind::Grey, greys()),
            (false, 0..=256) => {
                let rgb = entries().flat_map(|entry| [entry[2], entry[1], entry[0]]);
                (Kind::Colours, colours(&rgb.collect::<Vec<_>>()))
            }
            (false, count) => return Err(unsupported(format!("a palette of {count} colours"))),
        };
        Ok(Palette { kind, colours, start })
    }
}

impl Palette {
    /// Refuses what Pillow reads wrongly, or not at all: greys for which it forgets how many
    /// bits a pixel has.
    pub(super) fn check_depth(&self, bits: u16) -> Result<(), Fault> {
        match (self.kind, bits) {
            (Kind::Colours, _) | (Kind::BlackAndWhite, 1) | (Kind::Grey, 8) => Ok(()),
            (kind, bits) => {
                Err(unsupported(format!("a palette {kind:?} with {bits} bits a pixel")))
            }
        }
    }

    /// What is stored from where pixels begin.
    pub(super) fn pixels<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.start..).unwrap_or_default()
    }
}
