//! CMYK and YCCK whose channels do not have equally many samples.
//!
//! The decoder brings those with fewer to full size wrongly at the edges. It does so rightly
//! for images of three channels, so the first three are decoded as such an image, and black
//! as the second channel of another: the coefficients are the same.

use libjpeg_turbo_rs::{
    FrameHeader, JpegCoefficients, JpegError, read_coefficients, write_coefficients_optimized,
};

use super::{scans, tables};

/// Whether these are four channels, and not all alike.
pub(super) fn are_sampled(header: &FrameHeader) -> bool {
    let mut samplings =
        header.components.iter().map(|it| (it.horizontal_sampling, it.vertical_sampling));
    let first = samplings.next();
    header.components.len() == 4 && samplings.any(|sampling| Some(sampling) != first)
}

/// An image in two.
pub(super) struct Parts {
    /// The first three channels. They become red, green and blue of YCCK, and are the inks of
    /// CMYK as they are.
    pub(super) colours: Vec<u8>,
    /// An image of which the second channel is black.
    pub(super) black: Vec<u8>,
    is_cmyk: bool,
}

impl Parts {
    pub(super) fn of(bytes: &[u8], header: &FrameHeader) -> Result<Parts, JpegError> {
        let coefficients = match header.is_progressive {
            true if tables::change(bytes) => read_coefficients(&tables::settled(bytes)?),
            true => read_coefficients(bytes),
            false => scans::coefficients(bytes, header),
        }?;
        let JpegCoefficients { mut components, adobe_transform, .. } = coefficients;
        let (Some(black), Some(first)) = (components.pop(), components.first()) else {
            return Err(JpegError::CorruptData("channels are missing".into()));
        };
        let mut blacks = vec![first.clone(), black.clone(), black];
        blacks.iter_mut().zip(1..).for_each(|(channel, name)| channel.component_id = name);
        // Without Adobe's marker, and with its 0, the inks are stored.
        let is_cmyk = adobe_transform.unwrap_or(0) == 0;
        let part = |components, transform| {
            let part = JpegCoefficients {
                width: coefficients.width,
                height: coefficients.height,
                data_precision: coefficients.data_precision,
                components,
                quant_tables: coefficients.quant_tables.clone(),
                restart_interval: 0,
                density_unit: 0,
                x_density: 1,
                y_density: 1,
                saw_jfif_marker: false,
                adobe_transform: Some(transform),
            };
            write_coefficients_optimized(&part)
        };
        let black = part(blacks, 0)?;
        Ok(Parts { colours: part(components, if is_cmyk { 0 } else { 1 })?, black, is_cmyk })
    }

    /// The decoded parts to RGB as in Pillow, which takes all inks for Adobe's inverted ones.
    pub(super) fn mix(&self, colours: &mut [u8], blacks: &[u8]) {
        let pixels = colours.as_chunks_mut::<3>().0.iter_mut();
        for (pixel, [_, black, _]) in pixels.zip(blacks.as_chunks::<3>().0) {
            for channel in pixel {
                let ink = if self.is_cmyk { 255 - *channel } else { *channel };
                let product = u32::from(ink) * u32::from(*black) + 128;
                *channel = black.saturating_sub((((product >> 8) + product) >> 8) as u8);
            }
        }
    }
}
