//! Bytes to pixels: 8 bits a channel, grey or RGB, alpha composed on the background.

mod bmp;
mod buffer;
mod flatten;
mod gif;
mod halved;
mod indexed;
mod inks;
mod jpeg;
mod library;
mod png;
mod scans;
mod tables;
mod webp;

use image::metadata::Orientation;

use crate::fault::Fault;
use crate::format::Format;
use crate::metadata;
use crate::signature::format_of;

use buffer::{Buffer, Header};

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

/// Decodes one image after another into one buffer.
#[derive(Debug)]
pub(crate) struct Decoder {
    buffer: Buffer,
}

impl Decoder {
    pub(crate) fn new(background: [u8; 3], max_pixels: u64) -> Decoder {
        Decoder { buffer: Buffer { background, max_pixels, pixels: Vec::new() } }
    }

    /// The pixels of an image.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> Result<Picture<'_>, Fault> {
        let format = format_of(bytes)?;
        let header = match format {
            Format::Jpeg => self.buffer.jpeg(bytes),
            Format::Png => self.buffer.png(bytes),
            Format::WebP => self.buffer.webp(bytes),
            Format::Gif => self.buffer.gif(bytes),
            Format::Bmp => self.buffer.bmp(bytes),
        }?;
        let Header { width, height, channels } = header;
        let orientation = metadata::orientation(format, bytes);
        let length = width as usize * height as usize * channels;
        Ok(Picture { width, height, channels, orientation, pixels: &self.buffer.pixels[..length] })
    }
}
