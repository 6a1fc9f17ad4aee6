//! JPEG's usual 4:2:0 to RGB: colour is stored at half the width and height, brought to
//! full size by a triangle filter, and converted, in one pass over the rows.
//!
//! The arithmetic is libjpeg-turbo's, to the bit. The decoder does the same, natively
//! with AVX2; in wasm it has no kernel for the filter, and this takes half the time.

use libjpeg_turbo_rs::RawImage;

/// How many pixels are converted at once.
const STEP: usize = 16;

/// Converts the planes of an image whose colour planes are half as wide and high.
/// `None` where the planes are not of the image's size, with `rgb` filled in part.
pub(super) fn to_rgb(image: &RawImage, rgb: &mut [u8]) -> Option<()> {
    let [luma, blue, red] = image.planes.as_slice() else { return None };
    let [luma_width, blue_width, red_width] = image.plane_widths.as_slice() else { return None };
    if *luma_width < image.width.next_multiple_of(STEP) || luma.len() < luma_width * image.height {
        return None;
    }
    let (width, half) = (image.width.div_ceil(2), image.height.div_ceil(2));
    let (mut blues, mut reds) = (Sums::new(width), Sums::new(width));
    let rows = rgb.chunks_exact_mut(3 * image.width).zip(luma.chunks_exact(*luma_width));
    for (y, (row, luma)) in rows.enumerate() {
        // The colour row that this one is in, and the nearer neighbour of it.
        let near = y / 2;
        let next = if y % 2 == 0 { near.saturating_sub(1) } else { (near + 1).min(half - 1) };
        let part = |plane, stride: &usize, y| <[u8]>::get(plane, y * stride..y * stride + width);
        blues.fill(part(blue, blue_width, near)?, part(blue, blue_width, next)?);
        reds.fill(part(red, red_width, near)?, part(red, red_width, next)?);
        convert(luma, &blues, &reds, row);
    }
    Some(())
}

/// Three times the near row and once its neighbour: for each sample of a row of colour,
/// with the first and the last repeated outside.
struct Sums {
    /// Sample `x` is at `x + 1`.
    sums: Vec<u16>,
    width: usize,
}

impl Sums {
    fn new(width: usize) -> Sums {
        // As many as the last step reads.
        Sums { sums: vec![0; width.next_multiple_of(STEP / 2) + 2], width }
    }

    fn fill(&mut self, near: &[u8], next: &[u8]) {
        let sums = self.sums[1..=self.width].iter_mut();
        for ((sum, near), next) in sums.zip(near).zip(next) {
            *sum = 3 * u16::from(*near) + u16::from(*next);
        }
        self.sums[0] = self.sums[1];
        self.sums[self.width + 1] = self.sums[self.width];
    }
}

/// One row of pixels. A luma row is as long as whole steps need, as JPEG's blocks are.
fn convert(luma: &[u8], blues: &Sums, reds: &Sums, row: &mut [u8]) {
    let mut rows = row.chunks_exact_mut(3 * STEP);
    let mut at = 0;
    for pixels in &mut rows {
        if let Ok(pixels) = pixels.try_into() {
            step(luma, blues, reds, at, pixels);
        }
        at += STEP;
    }
    let rest = rows.into_remainder();
    if !rest.is_empty() {
        let mut pixels = [0; 3 * STEP];
        step(luma, blues, reds, at, &mut pixels);
        rest.copy_from_slice(&pixels[..rest.len()]);
    }
}

/// The pixels from `at` on.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
fn step(luma: &[u8], blues: &Sums, reds: &Sums, at: usize, pixels: &mut [u8; 3 * STEP]) {
    let full = |sums: &Sums, x: usize| {
        let sum = |place: usize| i32::from(sums.sums[place]);
        let middle = x / 2 + 1;
        match x % 2 {
            0 => ((3 * sum(middle) + sum(middle - 1) + 8) >> 4) - 128,
            _ => ((3 * sum(middle) + sum(middle + 1) + 7) >> 4) - 128,
        }
    };
    for (x, pixel) in (at..).zip(pixels.chunks_exact_mut(3)) {
        let (y, blue, red) = (i32::from(luma[x]), full(blues, x), full(reds, x));
        let channel = |offset: i32| (y + ((offset + 0x8000) >> 16)).clamp(0, 255) as u8;
        pixel[0] = channel(91_881 * red);
        pixel[1] = channel(-22_554 * blue - 46_802 * red);
        pixel[2] = channel(116_130 * blue);
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd::step;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd {
    use core::arch::wasm32::*;

    use super::{STEP, Sums};

    #[inline(always)]
    pub(super) fn step(
        luma: &[u8],
        blues: &Sums,
        reds: &Sums,
        at: usize,
        pixels: &mut [u8; 3 * STEP],
    ) {
        let luma = load(&luma[at..at + STEP]);
        let blue = full(&blues.sums[at / 2..at / 2 + 10]);
        let red = full(&reds.sums[at / 2..at / 2 + 10]);
        let low = channels(u16x8_extend_low_u8x16(luma), blue[0], red[0]);
        let high = channels(u16x8_extend_high_u8x16(luma), blue[1], red[1]);
        let [r, g, b] = [0, 1, 2].map(|channel| u8x16_narrow_i16x8(low[channel], high[channel]));

        // Three vectors of one channel to three of pixels: red and green to their places,
        // then blue between them.
        let first = i8x16_shuffle::<0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5>(r, g);
        let first =
            i8x16_shuffle::<0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15>(first, b);
        let second = i8x16_shuffle::<21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26>(r, g);
        let second =
            i8x16_shuffle::<0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15>(second, b);
        let third = i8x16_shuffle::<0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0>(r, g);
        let third =
            i8x16_shuffle::<26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31>(third, b);
        for (pixels, vector) in pixels.chunks_exact_mut(16).zip([first, second, third]) {
            // SAFETY: a chunk has the 16 bytes that are written; any address will do.
            unsafe { v128_store(pixels.as_mut_ptr().cast(), vector) };
        }
    }

    /// 16 bytes from the start of a slice.
    #[inline(always)]
    fn load<T: Copy>(from: &[T]) -> v128 {
        assert!(size_of_val(from) >= 16);
        // SAFETY: the slice has the 16 bytes that are read, as numbers of some size; any
        // address will do.
        unsafe { v128_load(from.as_ptr().cast()) }
    }

    /// 16 samples at full width, less 128, of 8 sums and one on each side.
    #[inline(always)]
    fn full(sums: &[u16]) -> [v128; 2] {
        let (left, middle, right) = (load(sums), load(&sums[1..]), load(&sums[2..]));
        let middle = i16x8_add(middle, i16x8_add(middle, middle));
        let even = u16x8_shr(i16x8_add(i16x8_add(middle, left), i16x8_splat(8)), 4);
        let odd = u16x8_shr(i16x8_add(i16x8_add(middle, right), i16x8_splat(7)), 4);
        [
            i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(even, odd),
            i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(even, odd),
        ]
        .map(|samples| i16x8_sub(samples, i16x8_splat(128)))
    }

    /// Red, green and blue of 8 pixels, not cut off yet.
    #[inline(always)]
    fn channels(luma: v128, blue: v128, red: v128) -> [v128; 3] {
        // 91,881 / 65,536 is 1 and 13,173 / 32,768 (a half too much, which never shows
        // in the 256 values there are); 116,130 / 65,536 is 2 less 7,471 / 32,768.
        let more_red = i16x8_add(red, i16x8_q15mulr_sat(red, i16x8_splat(13_173)));
        let more_blue =
            i16x8_add(i16x8_add(blue, blue), i16x8_q15mulr_sat(blue, i16x8_splat(-7_471)));
        // 46,802 is 65,536 less 18,734, so that the rest fits 16 bits.
        let factors = i32x4_splat((18_734 << 16) | (-22_554_i16 as u16 as i32));
        let round = i32x4_splat(0x8000);
        let sum = |pairs| i32x4_shr(i32x4_add(i32x4_dot_i16x8(pairs, factors), round), 16);
        let green = i16x8_narrow_i32x4(
            sum(i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(blue, red)),
            sum(i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(blue, red)),
        );
        [
            i16x8_add(luma, more_red),
            i16x8_add(luma, i16x8_sub(green, red)),
            i16x8_add(luma, more_blue),
        ]
    }
}

#[cfg(test)]
mod tests {
    use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress, decompress, decompress_raw};

    use super::*;

    /// Of any size, also where the last step is not whole.
    #[test]
    fn pixels_are_those_of_the_decoder() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for (width, height) in [(5, 1), (6, 2), (16, 16), (17, 3), (31, 33), (97, 61), (200, 50)] {
            let pixels: Vec<u8> = (0..3 * width * height).map(|_| noise()).collect();
            let (format, halved) = (PixelFormat::Rgb, Subsampling::S420);
            let jpeg = compress(&pixels, width, height, format, 95, halved).expect("a JPEG");
            let mut rgb = vec![0; pixels.len()];
            to_rgb(&decompress_raw(&jpeg).expect("planes"), &mut rgb).expect("planes that fit");
            assert!(rgb == decompress(&jpeg).expect("pixels").data, "{width} x {height}");
        }
    }
}
