//! Pixels to fewer or more pixels, as Pillow does it.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer as Convolver};
use image::metadata::Orientation;

use crate::config::Filter;
use crate::decode::Picture;
use crate::fault::Fault;
use crate::geometry::Cut;
use crate::upright::{Area, Walk, is_transposed, turned};

/// Resizes one image after another into one buffer.
#[derive(Debug, Default)]
pub(crate) struct Resizer {
    convolver: Convolver,
    pixels: Vec<u8>,
    /// An image of which one side is resized already.
    half: Vec<u8>,
}

/// The pixels of the tensor, with the channels of the image, not always upright.
#[derive(Debug)]
pub(crate) struct Resized<'a> {
    pub(crate) pixels: &'a [u8],
    /// Through the pixels, so that they come upright.
    pub(crate) walk: Walk,
}

impl Resizer {
    /// What `cut` cuts out of the picture, at the size `target`.
    pub(crate) fn resize(
        &mut self,
        picture: &Picture<'_>,
        cut: Cut,
        target: (u32, u32),
        filter: Filter,
    ) -> Result<Resized<'_>, Fault> {
        let length = target.0 as usize * target.1 as usize * picture.channels;
        if self.pixels.len() < length {
            self.pixels.resize(length, 0);
        }
        let convolution = match filter {
            Filter::Nearest => {
                nearest(picture, cut, target, &mut self.pixels[..length]);
                let walk = Walk::new(target.0, target.1, Orientation::NoTransforms);
                return Ok(Resized { pixels: &self.pixels[..length], walk });
            }
            Filter::Bilinear => FilterType::Bilinear,
            Filter::Bicubic => FilterType::CatmullRom,
            Filter::Lanczos3 => FilterType::Lanczos3,
        };
        let (width, height, orientation) = (picture.width, picture.height, picture.orientation);
        let area = cut.area(turned((width, height), orientation));
        let area = area.stored(width.into(), height.into(), orientation);
        let view = View { width, height, channels: picture.channels, pixels: picture.pixels };
        let target = turned(target, orientation);
        let sideways_first = filter != Filter::Bilinear
            && sideways_first(turned((width, height), orientation), cut.scaled)
                != is_transposed(orientation);
        let done = if sideways_first {
            self.sideways_first(view, area, target, convolution)
        } else {
            convolve(&mut self.convolver, view, area, target, convolution, &mut self.pixels)
        };
        done.map_err(|problem| Fault::Resize { problem })?;
        let walk = Walk::new(target.0, target.1, orientation);
        Ok(Resized { pixels: &self.pixels[..length], walk })
    }

    /// Resizes rows, then columns: in two steps that leave one side as it is.
    fn sideways_first(
        &mut self,
        view: View<'_>,
        area: Area,
        target: (u32, u32),
        filter: FilterType,
    ) -> Result<(), String> {
        // The rows that any pixel is made of: three lobes on each side at most.
        let reach = 3.0 * (area.height / f64::from(target.1)).max(1.0) + 1.0;
        let first = (area.top - reach).floor().max(0.0);
        let last = (area.top + area.height + reach).ceil().min(view.height.into());
        let rows = (last - first) as u32;
        let length = target.0 as usize * rows as usize * view.channels;
        if self.half.len() < length {
            self.half.resize(length, 0);
        }
        let wide = Area { top: first, height: last - first, ..area };
        convolve(&mut self.convolver, view, wide, (target.0, rows), filter, &mut self.half)?;
        let half = View { width: target.0, height: rows, pixels: &self.half, ..view };
        let rest = Area {
            left: 0.0,
            top: area.top - first,
            width: target.0.into(),
            height: area.height.min(f64::from(rows) - (area.top - first)),
        };
        convolve(&mut self.convolver, half, rest, target, filter, &mut self.pixels)
    }
}

/// Whether Pillow resizes rows before columns; the convolver begins with columns. It
/// matters to filters that overshoot, since what the first step gives is cut off at 0
/// and 255. Found by trying Pillow 13 on many sizes; up to 12 it always began with rows.
fn sideways_first((width, height): (u32, u32), (to_width, to_height): (u64, u64)) -> bool {
    let less = |from: u32, to: u64| i128::from(from) - i128::from(to);
    let (width, height) = (less(width, to_width), less(height, to_height));
    height <= 0 || height <= 2 * width
}

/// Pixels to resize.
#[derive(Clone, Copy)]
struct View<'a> {
    width: u32,
    height: u32,
    channels: usize,
    /// At least as many as there are.
    pixels: &'a [u8],
}

/// Resizes a part of `view` into the start of `pixels`.
fn convolve(
    convolver: &mut Convolver,
    view: View<'_>,
    area: Area,
    (width, height): (u32, u32),
    filter: FilterType,
    pixels: &mut [u8],
) -> Result<(), String> {
    let kind = if view.channels == 1 { PixelType::U8 } else { PixelType::U8x3 };
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).crop(
        area.left,
        area.top,
        area.width,
        area.height,
    );
    let source = ImageRef::new(view.width, view.height, view.pixels, kind)
        .map_err(|error| error.to_string())?;
    let mut result =
        Image::from_slice_u8(width, height, pixels, kind).map_err(|error| error.to_string())?;
    convolver.resize(&source, &mut result, &options).map_err(|error| error.to_string())
}

/// The pixel under the middle of each; upright.
fn nearest(picture: &Picture<'_>, cut: Cut, target: (u32, u32), pixels: &mut [u8]) {
    let (width, height) = turned((picture.width, picture.height), picture.orientation);
    let walk = Walk::new(picture.width, picture.height, picture.orientation);
    let channels = picture.channels;
    let rows = pixels.chunks_exact_mut(target.0 as usize * channels);
    for (row, y) in rows.zip(places(height, cut.scaled.1, cut.top)) {
        let row = row.chunks_exact_mut(channels);
        for (pixel, x) in row.zip(places(width, cut.scaled.0, cut.left)) {
            let index = walk.index(x, y) * channels;
            pixel.copy_from_slice(&picture.pixels[index..index + channels]);
        }
    }
}

/// How many steps are added up before the first pixel, rather than multiplied.
const MOST_STEPS: u64 = 65_535;

/// Where the middle of each pixel of a scaled side falls, from the pixel `first` on.
/// Where it falls between two pixels, rounding decides; so places are added up one by
/// one, as Pillow does.
fn places(length: u32, scaled: u64, first: u64) -> impl Iterator<Item = usize> {
    let step = f64::from(length) / scaled as f64;
    let mut place = step * 0.5;
    if first <= MOST_STEPS {
        (0..first).for_each(|_| place += step);
    } else {
        place += first as f64 * step;
    }
    let last = length as usize - 1;
    std::iter::from_fn(move || {
        let index = (place as usize).min(last);
        place += step;
        Some(index)
    })
}
