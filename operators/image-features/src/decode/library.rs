//! Decoders of the crate `image`, for PNG and WebP.

use image::{ColorType, ImageDecoder, ImageError, ImageResult, Limits};

use super::buffer::Buffer;
use crate::fault::{Fault, LONGEST_SIDE};
use crate::format::Format;

/// What decoders may take besides the pixels: for colour profiles and texts of a PNG.
const MEMORY_FOR_THE_REST: u64 = 16 * 1024 * 1024;

/// What a decoder has put into the buffer.
pub(super) struct Raw {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) color: ColorType,
}

impl Raw {
    pub(super) fn count(&self) -> usize {
        self.width as usize * self.height as usize
    }
}

impl Buffer {
    /// Fills the buffer with pixels of any kind.
    pub(super) fn read<D: ImageDecoder>(
        &mut self,
        format: Format,
        decoder: ImageResult<D>,
    ) -> Result<Raw, Fault> {
        let fault = |error| fault(format, error);
        let mut decoder = decoder.map_err(fault)?;
        let (width, height) = decoder.dimensions();
        self.check_size(format, width.into(), height.into())?;
        decoder.set_limits(self.limits()).map_err(fault)?;
        let color = decoder.color_type();
        let room = self.room(format, decoder.total_bytes())?;
        // Some formats may leave pixels out; those of the image before are in the buffer.
        room.fill(0);
        decoder.read_image(room).map_err(fault)?;
        Ok(Raw { width, height, color })
    }

    pub(super) fn limits(&self) -> Limits {
        let mut limits = Limits::no_limits();
        limits.max_image_width = Some(LONGEST_SIDE as u32);
        limits.max_image_height = Some(LONGEST_SIDE as u32);
        limits.max_alloc = Some(4 * self.max_pixels + MEMORY_FOR_THE_REST);
        limits
    }

    /// Makes what was read 8-bit grey or RGB, on the background. Returns how many channels
    /// it has then.
    pub(super) fn flattened(&mut self, format: Format, raw: &Raw) -> Result<usize, Fault> {
        let feature = || Fault::Feature { format, feature: format!("colour type {:?}", raw.color) };
        self.flatten(raw.color, raw.count()).ok_or_else(feature)
    }
}

fn fault(format: Format, error: ImageError) -> Fault {
    match error {
        ImageError::Limits(_) => Fault::Memory { format, problem: error.to_string() },
        ImageError::Unsupported(_) => Fault::Feature { format, feature: error.to_string() },
        error => Fault::Damaged { format, problem: error.to_string() },
    }
}
