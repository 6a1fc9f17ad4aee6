//! The buffer that decoders of all formats write pixels into, and its bounds.

use crate::fault::{Fault, LONGEST_SIDE};
use crate::format::Format;

/// What the decoder of a format finds out; the pixels are in the shared buffer.
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) channels: usize,
}

/// The pixels of one image after another, and what every decoder is bound to.
#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) background: [u8; 3],
    pub(super) max_pixels: u64,
    pub(super) pixels: Vec<u8>,
}

impl Buffer {
    /// Called as soon as the size is known, before any memory for pixels is taken.
    pub(super) fn check_size(&self, format: Format, width: u64, height: u64) -> Result<(), Fault> {
        if width == 0 || height == 0 {
            return Err(Fault::Damaged { format, problem: format!("{width} x {height} pixels") });
        }
        let limit = self.max_pixels;
        if width.checked_mul(height).is_none_or(|pixels| pixels > limit) {
            return Err(Fault::Pixels { width, height, limit });
        }
        let longest = width.max(height);
        if longest > LONGEST_SIDE {
            return Err(Fault::Side { pixels: longest });
        }
        Ok(())
    }

    /// The buffer with room for so many bytes. What it held before is still in it.
    pub(super) fn room(&mut self, format: Format, bytes: u64) -> Result<&mut [u8], Fault> {
        let no_memory = || Fault::Memory { format, problem: format!("{bytes} bytes of pixels") };
        let bytes = usize::try_from(bytes).map_err(|_| no_memory())?;
        if let Some(more) = bytes.checked_sub(self.pixels.len()) {
            self.pixels.try_reserve_exact(more).map_err(|_| no_memory())?;
            self.pixels.resize(bytes, 0);
        }
        Ok(&mut self.pixels[..bytes])
    }
}
