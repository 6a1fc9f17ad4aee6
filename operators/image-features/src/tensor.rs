//! Pixels to the tensor's elements.

use crate::config::{Channels, Layout};
use crate::resize::Resized;
use crate::settings::{Elements, Settings};

/// Writes the elements of a tensor, little-endian, upright.
pub(crate) fn write(
    settings: &Settings,
    resized: &Resized<'_>,
    channels: usize,
    tensor: &mut [u8],
) {
    match &settings.elements {
        Elements::Fp32(levels) => {
            let level = |channel: usize| {
                let levels = &levels[channel];
                move |value: u8| levels[usize::from(value)].to_le_bytes()
            };
            write_as(settings, resized, channels, tensor, level);
        }
        Elements::U8 => write_as(settings, resized, channels, tensor, |_| |value| [value]),
    }
}

/// Writes elements of `BYTES` each; `element` gives what makes them of a channel's values.
#[inline]
fn write_as<const BYTES: usize, E: Fn(u8) -> [u8; BYTES]>(
    settings: &Settings,
    resized: &Resized<'_>,
    channels: usize,
    tensor: &mut [u8],
    element: impl Fn(usize) -> E,
) {
    let plane = settings.width as usize * settings.height as usize;
    let (elements, _) = tensor.as_chunks_mut::<BYTES>();
    let count = settings.channels.count();
    // How far apart elements of one channel are, and where those of the next start.
    let (step, next) = match settings.layout {
        Layout::Nchw => (1, plane),
        Layout::Nhwc => (count, 1),
    };
    for index in 0..count {
        let elements = elements[index * next..].iter_mut().step_by(step);
        let element = element(index);
        let channel = match (settings.channels, channels) {
            (Channels::Grey, 3) => {
                each(settings, resized, 3, elements, |pixel| element(luma(pixel)));
                continue;
            }
            (_, 1) => 0,
            (Channels::Bgr, _) => 2 - index,
            _ => index,
        };
        each(settings, resized, channels, elements, |pixel| element(pixel[channel]));
    }
}

/// One element for each pixel.
#[inline]
fn each<'a, const BYTES: usize>(
    settings: &Settings,
    resized: &Resized<'_>,
    channels: usize,
    mut elements: impl Iterator<Item = &'a mut [u8; BYTES]>,
    element: impl Fn(&[u8]) -> [u8; BYTES],
) {
    for y in 0..settings.height as usize {
        for (x, place) in (0..settings.width as usize).zip(&mut elements) {
            let index = resized.walk.index(x, y) * channels;
            *place = element(&resized.pixels[index..index + channels]);
        }
    }
}

/// The luma of ITU-R 601, in the whole numbers that Pillow uses.
#[inline]
fn luma(pixel: &[u8]) -> u8 {
    let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
    // The weights come to 1 << 16: the result is at most 255.
    ((red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16) as u8
}
