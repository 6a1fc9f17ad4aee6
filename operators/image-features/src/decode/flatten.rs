//! Any kind of pixel to 8 bits of grey or RGB, in place.

use image::ColorType;

use super::buffer::Buffer;

impl Buffer {
    /// Makes the `count` pixels in the buffer 8-bit grey or RGB. Returns how many
    /// channels they have then, or `None` if they are of an unknown kind.
    pub(super) fn flatten(&mut self, color: ColorType, count: usize) -> Option<usize> {
        let channels = match color {
            ColorType::L8 | ColorType::L16 => 1,
            ColorType::La8 | ColorType::La16 => 2,
            ColorType::Rgb8 | ColorType::Rgb16 => 3,
            ColorType::Rgba8 | ColorType::Rgba16 => 4,
            _ => return None,
        };
        self.upper_bytes(color, count);
        Some(match channels {
            2 => self.compose_grey(count),
            4 => {
                compose(&mut self.pixels[..4 * count], self.background);
                3
            }
            channels => channels,
        })
    }

    /// 16 bits a channel to 8 as Pillow does it: the lower byte is dropped.
    pub(super) fn upper_bytes(&mut self, color: ColorType, count: usize) -> ColorType {
        let eight = match color {
            ColorType::L16 => ColorType::L8,
            ColorType::La16 => ColorType::La8,
            ColorType::Rgb16 => ColorType::Rgb8,
            ColorType::Rgba16 => ColorType::Rgba8,
            other => return other,
        };
        for index in 0..count * usize::from(color.channel_count()) {
            let pair = [self.pixels[2 * index], self.pixels[2 * index + 1]];
            self.pixels[index] = (u16::from_ne_bytes(pair) >> 8) as u8;
        }
        eight
    }

    /// Grey with alpha: grey, unless the background has a colour.
    fn compose_grey(&mut self, count: usize) -> usize {
        let [red, green, blue] = self.background;
        if red == green && green == blue {
            for index in 0..count {
                let [value, alpha] = [self.pixels[2 * index], self.pixels[2 * index + 1]];
                self.pixels[index] = mix(value, red, alpha);
            }
            return 1;
        }
        if self.pixels.len() < 3 * count {
            self.pixels.resize(3 * count, 0);
        }
        // From the end, where three bytes never reach into the two that are still needed.
        for index in (0..count).rev() {
            let [value, alpha] = [self.pixels[2 * index], self.pixels[2 * index + 1]];
            let pixel = self.background.map(|background| mix(value, background, alpha));
            self.pixels[3 * index..3 * index + 3].copy_from_slice(&pixel);
        }
        3
    }
}

/// RGBA to RGB on a background, packed at the start.
fn compose(pixels: &mut [u8], background: [u8; 3]) {
    for index in 0..pixels.len() / 4 {
        let from = &pixels[4 * index..4 * index + 4];
        let [red, green, blue, alpha] = [from[0], from[1], from[2], from[3]];
        let pixel = over([red, green, blue], alpha, background);
        pixels[3 * index..3 * index + 3].copy_from_slice(&pixel);
    }
}

/// A colour over the background.
#[inline]
pub(super) fn over(colour: [u8; 3], alpha: u8, background: [u8; 3]) -> [u8; 3] {
    match alpha {
        255 => colour,
        0 => background,
        alpha => std::array::from_fn(|channel| mix(colour[channel], background[channel], alpha)),
    }
}

/// `value` over `background`, rounded.
#[inline]
fn mix(value: u8, background: u8, alpha: u8) -> u8 {
    let alpha = u32::from(alpha);
    let sum = u32::from(value) * alpha + u32::from(background) * (255 - alpha);
    ((sum + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flattened(color: ColorType, bytes: &[u8], count: usize, background: [u8; 3]) -> Vec<u8> {
        let mut buffer = Buffer { background, max_pixels: 1, pixels: bytes.to_vec() };
        let channels = buffer.flatten(color, count).expect("a known kind");
        buffer.pixels[..count * channels].to_vec()
    }

    #[test]
    fn alpha_lies_on_the_background() {
        let rgba = [10, 20, 30, 255, 10, 20, 30, 0, 200, 100, 0, 51];
        assert_eq!(
            flattened(ColorType::Rgba8, &rgba, 3, [0, 50, 255]),
            [10, 20, 30, 0, 50, 255, 40, 60, 204]
        );
        let grey = [10, 255, 10, 0, 200, 51];
        assert_eq!(flattened(ColorType::La8, &grey, 3, [100; 3]), [10, 100, 120]);
        assert_eq!(
            flattened(ColorType::La8, &grey, 3, [0, 50, 255]),
            [10, 10, 10, 0, 50, 255, 40, 80, 244]
        );
    }

    #[test]
    fn sixteen_bits_keep_the_upper_eight() {
        let deep: Vec<u8> =
            [0x12ff_u16, 0x0080, 0xff00].iter().flat_map(|v| v.to_ne_bytes()).collect();
        assert_eq!(flattened(ColorType::L16, &deep, 3, [0; 3]), [0x12, 0, 0xff]);
        assert_eq!(flattened(ColorType::Rgb16, &deep, 1, [0; 3]), [0x12, 0, 0xff]);
    }
}
