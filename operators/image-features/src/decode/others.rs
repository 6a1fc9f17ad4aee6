//! PNG, WebP, GIF and BMP, by the crate `image`.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{ImageDecoder, ImageError, ImageResult, Limits};

use super::buffer::{Buffer, Header};
use crate::fault::{Fault, LONGEST_SIDE};
use crate::format::Format;

/// What decoders may take besides the pixels: for colour profiles and texts of a PNG.
const MEMORY_FOR_THE_REST: u64 = 16 * 1024 * 1024;

impl Buffer {
    pub(super) fn other(&mut self, format: Format, bytes: &[u8]) -> Result<Header, Fault> {
        let source = Cursor::new(bytes);
        match format {
            Format::Png => {
                // Before the decoder is asked, which would prepare for rows of that length.
                if let Some((width, height)) = png_size(bytes) {
                    self.check_size(format, width.into(), height.into())?;
                }
                self.read(format, PngDecoder::with_limits(source, self.limits()))
            }
            Format::WebP => self.read(format, WebPDecoder::new(source)),
            Format::Gif => self.read(format, GifDecoder::new(source)),
            Format::Bmp | Format::Jpeg => self.read(format, BmpDecoder::new(source)),
        }
    }

    fn read<D: ImageDecoder>(
        &mut self,
        format: Format,
        decoder: ImageResult<D>,
    ) -> Result<Header, Fault> {
        let fault = |error| fault(format, error);
        let mut decoder = decoder.map_err(fault)?;
        let (width, height) = decoder.dimensions();
        self.check_size(format, width.into(), height.into())?;
        decoder.set_limits(self.limits()).map_err(fault)?;
        // Damaged EXIF data says nothing about the pixels.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let color = decoder.color_type();
        let room = self.room(format, decoder.total_bytes())?;
        // Some formats may leave pixels out; those of the image before are in the buffer.
        room.fill(0);
        decoder.read_image(room).map_err(fault)?;
        let channels = self.flatten(color, width as usize * height as usize);
        let channels = channels
            .ok_or_else(|| Fault::Feature { format, feature: format!("colour type {color:?}") })?;
        Ok(Header { width, height, channels, orientation })
    }

    fn limits(&self) -> Limits {
        let mut limits = Limits::no_limits();
        limits.max_image_width = Some(LONGEST_SIDE as u32);
        limits.max_image_height = Some(LONGEST_SIDE as u32);
        limits.max_alloc = Some(4 * self.max_pixels + MEMORY_FOR_THE_REST);
        limits
    }
}

/// What the header of a PNG says, which always stands at the same place.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let (name, size) = bytes.get(12..24)?.split_at(4);
    let (width, height) = size.split_at(4);
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_be_bytes).ok();
    if name == b"IHDR" { Some((number(width)?, number(height)?)) } else { None }
}

fn fault(format: Format, error: ImageError) -> Fault {
    match error {
        ImageError::Limits(_) => Fault::Memory { format, problem: error.to_string() },
        ImageError::Unsupported(_) => Fault::Feature { format, feature: error.to_string() },
        error => Fault::Damaged { format, problem: error.to_string() },
    }
}
