//! Pixels to the tensor's elements.

use crate::config::{Channels, Layout};
use crate::resize::Resized;
use crate::settings::Settings;

/// Writes the elements of a tensor, fp32 and little-endian, upright.
pub(crate) fn write(
    settings: &Settings,
    resized: &Resized<'_>,
    channels: usize,
    tensor: &mut [u8],
) {
    let plane = settings.width as usize * settings.height as usize;
    let (elements, _) = tensor.as_chunks_mut::<4>();
    // How far apart elements of one channel are, and where those of the next start.
    let (step, next) = match settings.layout {
        Layout::Nchw => (1, plane),
        Layout::Nhwc => (settings.levels.len(), 1),
    };
    for (index, levels) in settings.levels.iter().enumerate() {
        let elements = elements[index * next..].iter_mut().step_by(step);
        let channel = match (settings.channels, channels) {
            (Channels::Grey, 3) => {
                each(settings, resized, 3, elements, |pixel| levels[luma(pixel)]);
                continue;
            }
            (_, 1) => 0,
            (Channels::Bgr, _) => 2 - index,
            _ => index,
        };
        each(settings, resized, channels, elements, |pixel| levels[pixel[channel] as usize]);
    }
}

/// One element for each pixel.
#[inline]
fn each<'a>(
    settings: &Settings,
    resized: &Resized<'_>,
    channels: usize,
    mut elements: impl Iterator<Item = &'a mut [u8; 4]>,
    level: impl Fn(&[u8]) -> f32,
) {
    for y in 0..settings.height as usize {
        for (x, element) in (0..settings.width as usize).zip(&mut elements) {
            let index = resized.walk.index(x, y) * channels;
            *element = level(&resized.pixels[index..index + channels]).to_le_bytes();
        }
    }
}

/// The luma of ITU-R 601, in the whole numbers that Pillow uses.
#[inline]
fn luma(pixel: &[u8]) -> usize {
    let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(usize::from);
    (red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16
}
