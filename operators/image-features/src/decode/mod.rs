//! Bytes to pixels: 8 bits a channel, grey or RGB, alpha composed on the background.

mod flatten;
mod jpeg;
mod others;

use image::metadata::Orientation;

use crate::fault::{Fault, LONGEST_SIDE};
use crate::format::{Format, format_of};

/// A decoded image, as it is stored: not turned yet.
#[derive(Debug)]
pub(crate) struct Picture<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// 1 for grey, 3 for red, green and blue.
    pub(crate) channels: usize,
    pub(crate) orientation: Orientation,
    pub(crate) pixels: &'a [u8],
}

/// What the decoder of a format finds out; the pixels are in the shared buffer.
struct Header {
    width: u32,
    height: u32,
    channels: usize,
    orientation: Orientation,
}

/// Decodes one image after another into one buffer.
#[derive(Debug)]
pub(crate) struct Decoder {
    background: [u8; 3],
    max_pixels: u64,
    pixels: Vec<u8>,
}

impl Decoder {
    pub(crate) fn new(background: [u8; 3], max_pixels: u64) -> Decoder {
        Decoder { background, max_pixels, pixels: Vec::new() }
    }

    /// The pixels of an image.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> Result<Picture<'_>, Fault> {
        let format = format_of(bytes)?;
        let header = match format {
            Format::Jpeg => self.jpeg(bytes),
            _ => self.other(format, bytes),
        }?;
        let Header { width, height, channels, orientation } = header;
        let length = width as usize * height as usize * channels;
        Ok(Picture { width, height, channels, orientation, pixels: &self.pixels[..length] })
    }

    /// Called as soon as the size is known, before any memory for pixels is taken.
    fn check_size(&self, format: Format, width: u64, height: u64) -> Result<(), Fault> {
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

    /// The buffer with room for so many bytes. What it held before is still in it:
    /// decoders overwrite all, or fail.
    fn room(&mut self, format: Format, bytes: u64) -> Result<&mut [u8], Fault> {
        let no_memory = || Fault::Memory { format, problem: format!("{bytes} bytes of pixels") };
        let bytes = usize::try_from(bytes).map_err(|_| no_memory())?;
        if let Some(more) = bytes.checked_sub(self.pixels.len()) {
            self.pixels.try_reserve_exact(more).map_err(|_| no_memory())?;
            self.pixels.resize(bytes, 0);
        }
        Ok(&mut self.pixels[..bytes])
    }
}
