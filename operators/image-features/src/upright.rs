//! EXIF orientations: where the pixels of an image as it is to be seen stand in the
//! image as it is stored.
//!
//! Turning happens last, on the tensor's few pixels: a resized image turned is a turned
//! image resized.

use image::metadata::Orientation;

/// Whether the stored image lies on its side.
pub(crate) fn is_transposed(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// Width and height swapped where the stored image lies on its side: from stored to
/// upright, and back.
pub(crate) fn turned<T>((width, height): (T, T), orientation: Orientation) -> (T, T) {
    if is_transposed(orientation) { (height, width) } else { (width, height) }
}

/// How to walk through stored pixels so that they come upright: what the index of a
/// pixel starts at, and what one step right and one step down add to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Walk {
    start: isize,
    right: isize,
    down: isize,
}

impl Walk {
    /// Through a stored image of this size.
    pub(crate) fn new(width: u32, height: u32, orientation: Orientation) -> Walk {
        let (row, last_x) = (width as isize, width as isize - 1);
        let last_y = (height as isize - 1) * row;
        let (start, right, down) = match orientation {
            Orientation::NoTransforms => (0, 1, row),
            Orientation::FlipHorizontal => (last_x, -1, row),
            Orientation::Rotate180 => (last_y + last_x, -1, -row),
            Orientation::FlipVertical => (last_y, 1, -row),
            Orientation::Rotate90FlipH => (0, row, 1),
            Orientation::Rotate90 => (last_y, -row, 1),
            Orientation::Rotate270FlipH => (last_y + last_x, -row, -1),
            Orientation::Rotate270 => (last_x, row, -1),
        };
        Walk { start, right, down }
    }

    /// The index of the stored pixel that is seen at `x`, `y`.
    #[inline]
    pub(crate) fn index(self, x: usize, y: usize) -> usize {
        (self.start + x as isize * self.right + y as isize * self.down) as usize
    }
}

/// A rectangle, in pixels and fractions of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Area {
    /// This part of the upright image, in a stored image of this size.
    pub(crate) fn stored(self, width: f64, height: f64, orientation: Orientation) -> Area {
        let Area { left, top, width: w, height: h } = self;
        // From the other side, and along the other axis.
        let (x_back, y_back) = (width - left - w, height - top - h);
        let (x_side, y_side) = (width - top - h, height - left - w);
        let (left, top, w, h) = match orientation {
            Orientation::NoTransforms => (left, top, w, h),
            Orientation::FlipHorizontal => (x_back, top, w, h),
            Orientation::Rotate180 => (x_back, y_back, w, h),
            Orientation::FlipVertical => (left, y_back, w, h),
            Orientation::Rotate90FlipH => (top, left, h, w),
            Orientation::Rotate90 => (top, y_side, h, w),
            Orientation::Rotate270FlipH => (x_side, y_side, h, w),
            Orientation::Rotate270 => (x_side, left, h, w),
        };
        // Rounding must not make it stand out, which the resizer would refuse.
        let (left, top) = (left.clamp(0.0, width), top.clamp(0.0, height));
        Area { left, top, width: w.min(width - left), height: h.min(height - top) }
    }
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GrayImage, Luma};

    use super::*;

    fn all() -> impl Iterator<Item = Orientation> {
        (1..=8).map(|value| Orientation::from_exif(value).expect("an orientation"))
    }

    #[test]
    fn walking_is_turning() {
        let stored = GrayImage::from_fn(3, 2, |x, y| Luma([(10 * y + x) as u8]));
        for orientation in all() {
            let mut upright = DynamicImage::ImageLuma8(stored.clone());
            upright.apply_orientation(orientation);
            let upright = upright.to_luma8();
            assert_eq!(turned((3, 2), orientation), upright.dimensions());
            let walk = Walk::new(3, 2, orientation);
            for (x, y, pixel) in upright.enumerate_pixels() {
                let index = walk.index(x as usize, y as usize);
                assert_eq!(stored.as_raw()[index], pixel.0[0], "{orientation:?} {x} {y}");
            }
        }
    }

    #[test]
    fn a_part_of_the_upright_image_is_where_its_pixels_are_stored() {
        for orientation in all() {
            let walk = Walk::new(30, 20, orientation);
            let part = Area { left: 4.0, top: 7.0, width: 5.0, height: 3.0 };
            let stored = part.stored(30.0, 20.0, orientation);
            let corners = [walk.index(4, 7), walk.index(8, 7), walk.index(4, 9), walk.index(8, 9)];
            let left = corners.iter().map(|index| index % 30).min().expect("corners");
            let top = corners.iter().map(|index| index / 30).min().expect("corners");
            assert_eq!((stored.left, stored.top), (left as f64, top as f64), "{orientation:?}");
            let size = turned((stored.width, stored.height), orientation);
            assert_eq!(size, (5.0, 3.0), "{orientation:?}");
        }
    }
}
