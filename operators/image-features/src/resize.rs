//! Pixels to fewer or more pixels, as Pillow does it.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer as Convolver};
use image::metadata::Orientation;

use crate::config::Filter;
use crate::decode::Picture;
use crate::fault::Fault;
use crate::geometry::Cut;
use crate::upright::{Walk, turned};

/// Resizes one image after another into one buffer.
#[derive(Debug, Default)]
pub(crate) struct Resizer {
    convolver: Convolver,
    pixels: Vec<u8>,
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
        let pixels = &mut self.pixels[..length];
        let filter = match filter {
            Filter::Nearest => {
                nearest(picture, cut, target, pixels);
                let walk = Walk::new(target.0, target.1, Orientation::NoTransforms);
                return Ok(Resized { pixels, walk });
            }
            Filter::Bilinear => FilterType::Bilinear,
            Filter::Bicubic => FilterType::CatmullRom,
            Filter::Lanczos3 => FilterType::Lanczos3,
        };
        convolve(&mut self.convolver, picture, cut, target, filter, pixels)
            .map_err(|problem| Fault::Resize { problem })?;
        let (width, height) = turned(target, picture.orientation);
        Ok(Resized { pixels, walk: Walk::new(width, height, picture.orientation) })
    }
}

/// Fills `pixels` with the part of the picture, as it is stored.
fn convolve(
    convolver: &mut Convolver,
    picture: &Picture<'_>,
    cut: Cut,
    target: (u32, u32),
    filter: FilterType,
    pixels: &mut [u8],
) -> Result<(), String> {
    let (width, height, orientation) = (picture.width, picture.height, picture.orientation);
    let kind = if picture.channels == 1 { PixelType::U8 } else { PixelType::U8x3 };
    let area = cut.area(turned((width, height), orientation));
    let area = area.stored(width.into(), height.into(), orientation);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).crop(
        area.left,
        area.top,
        area.width,
        area.height,
    );
    let source =
        ImageRef::new(width, height, picture.pixels, kind).map_err(|error| error.to_string())?;
    let (width, height) = turned(target, orientation);
    let mut result =
        Image::from_slice_u8(width, height, pixels, kind).map_err(|error| error.to_string())?;
    convolver.resize(&source, &mut result, &options).map_err(|error| error.to_string())
}

/// The pixel under the middle of each, counted in whole numbers; upright.
fn nearest(picture: &Picture<'_>, cut: Cut, target: (u32, u32), pixels: &mut [u8]) {
    let (width, height) = turned((picture.width, picture.height), picture.orientation);
    let place = |index: u64, length: u32, scaled: u64| {
        ((2 * index + 1) * u64::from(length) / (2 * scaled)).min(u64::from(length) - 1) as usize
    };
    let walk = Walk::new(picture.width, picture.height, picture.orientation);
    let channels = picture.channels;
    let rows = pixels.chunks_exact_mut(target.0 as usize * channels);
    for (row, top) in rows.zip(cut.top..) {
        let y = place(top, height, cut.scaled.1);
        for (pixel, left) in row.chunks_exact_mut(channels).zip(cut.left..) {
            let index = walk.index(place(left, width, cut.scaled.0), y) * channels;
            pixel.copy_from_slice(&picture.pixels[index..index + channels]);
        }
    }
}
