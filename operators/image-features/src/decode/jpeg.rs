//! JPEG, by a decoder that gives the same bits as libjpeg-turbo, and so as Pillow.

use libjpeg_turbo_rs::{
    ColorSpace, DecodeLimits, Decoder as Jpeg, FrameHeader, JpegError, PixelFormat,
};

use super::buffer::{Buffer, Header};
use super::{halved, inks, scans, tables};
use crate::fault::Fault;
use crate::format::Format;

/// Progressive images have about ten scans. Each goes over all pixels, so that
/// thousands of them in a few kilobytes would take minutes.
const MAX_SCANS: usize = 100;

impl Buffer {
    pub(super) fn jpeg(&mut self, bytes: &[u8]) -> Result<Header, Fault> {
        let limits = DecodeLimits {
            max_pixels: self.max_pixels,
            max_scans: MAX_SCANS,
            ..DecodeLimits::default()
        };
        let jpeg = Jpeg::new_with_limits(bytes, limits).map_err(fault)?;
        let header = jpeg.header();
        self.check_header(header)?;
        if inks::are_sampled(header) {
            return self.inks(bytes, header, limits);
        }
        let other = match (jpeg.has_multiple_scans(), header.is_progressive) {
            (false, _) => None,
            (true, true) if tables::change(bytes) => Some(tables::settled(bytes)),
            (true, false) if scans::need_interleaving(bytes) => {
                Some(scans::interleaved(bytes, header))
            }
            (true, _) => None,
        };
        match other {
            None => self.decode_jpeg(jpeg),
            Some(bytes) => {
                let bytes = bytes.map_err(fault)?;
                self.decode_jpeg(Jpeg::new_with_limits(&bytes, limits).map_err(fault)?)
            }
        }
    }

    /// What holds for images as they come, and for what is made of them.
    fn check_header(&self, header: &FrameHeader) -> Result<(), Fault> {
        self.check_size(Format::Jpeg, header.width.into(), header.height.into())?;
        check_features(header)
    }

    /// Of CMYK whose channels do not have equally many samples.
    fn inks(
        &mut self,
        bytes: &[u8],
        header: &FrameHeader,
        limits: DecodeLimits,
    ) -> Result<Header, Fault> {
        let parts = inks::Parts::of(bytes, header).map_err(fault)?;
        let mut black = Jpeg::new_with_limits(&parts.black, limits).map_err(fault)?;
        self.check_header(black.header())?;
        black.set_output_format(PixelFormat::Rgb);
        // The decoder's own memory, so that both parts are not in one buffer.
        let black = black.decode_image().map_err(fault)?;
        let colours = Jpeg::new_with_limits(&parts.colours, limits).map_err(fault)?;
        let header = self.decode_jpeg(colours)?;
        let count = header.width as usize * header.height as usize;
        if black.data.len() != 3 * count {
            return Err(missing());
        }
        parts.mix(&mut self.pixels[..3 * count], &black.data);
        Ok(header)
    }

    /// Of an image that the decoder takes as it is.
    fn decode_jpeg(&mut self, mut jpeg: Jpeg<'_>) -> Result<Header, Fault> {
        let header = jpeg.header();
        self.check_header(header)?;
        let (width, height) = (u32::from(header.width), u32::from(header.height));
        let (channels, pixel) = match header.components.len() {
            1 => (1, PixelFormat::Grayscale),
            // CMYK and YCCK too, which become RGB as in Pillow: Adobe's inverted inks,
            // no colour profile.
            _ => (3, PixelFormat::Rgb),
        };
        jpeg.set_output_format(pixel);
        let expected = u64::from(width) * u64::from(height) * channels as u64;
        // Natively the decoder's own way is faster.
        let planes =
            cfg!(all(target_arch = "wasm32", target_feature = "simd128")) && is_halved(&jpeg);
        let pixels = self.room(Format::Jpeg, expected)?;
        let complete = if planes {
            halved::to_rgb(&jpeg.decode_raw().map_err(fault)?, pixels).is_some()
        } else {
            jpeg.decode_image_into(pixels).map_err(fault)?.bytes_written == pixels.len()
        };
        if !complete {
            // What is left of the image before must not be taken for this one.
            return Err(missing());
        }
        Ok(Header { width, height, channels })
    }
}

fn missing() -> Fault {
    Fault::Damaged { format: Format::Jpeg, problem: "pixels are missing".into() }
}

/// Whether [`halved`] can finish what the decoder begins: 4:2:0, in one pass, wide
/// enough that libjpeg-turbo smoothes colours.
fn is_halved(jpeg: &Jpeg<'_>) -> bool {
    let header = jpeg.header();
    let samplings = header.components.iter();
    let samplings = samplings.map(|it| (it.horizontal_sampling, it.vertical_sampling));
    samplings.eq([(2, 2), (1, 1), (1, 1)])
        && jpeg.jpeg_color_space() == ColorSpace::YCbCr
        && !jpeg.has_multiple_scans()
        && header.width > 4
}

/// Refuses what the decoder cannot do, and what no program writes but which has made
/// it panic.
fn check_features(header: &FrameHeader) -> Result<(), Fault> {
    let feature = |feature: String| Err(Fault::Feature { format: Format::Jpeg, feature });
    if header.precision != 8 {
        return feature(format!("{} bits per channel", header.precision));
    }
    if header.is_lossless {
        return feature("lossless compression".into());
    }
    let sampling = |index: usize| {
        let component = &header.components[index];
        (component.horizontal_sampling, component.vertical_sampling)
    };
    match header.components.len() {
        1 => Ok(()),
        count @ (3 | 4) => {
            let (h, v) = sampling(0);
            let fits = |(other_h, other_v)| other_h <= h && other_v <= v;
            if !(1..count).map(sampling).all(fits) {
                // Allowed, and written by nobody.
                return feature("colours with more samples than brightness".into());
            }
            Ok(())
        }
        count => feature(format!("{count} components")),
    }
}

fn fault(error: JpegError) -> Fault {
    let format = Format::Jpeg;
    match error {
        JpegError::Unsupported(feature) => Fault::Feature { format, feature },
        JpegError::LimitExceeded { .. } | JpegError::AllocationFailed { .. } => {
            Fault::Memory { format, problem: error.to_string() }
        }
        error => Fault::Damaged { format, problem: error.to_string() },
    }
}
