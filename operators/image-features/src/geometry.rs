//! Which part of an image becomes the tensor.

use crate::settings::Fit;
use crate::upright::Area;

/// An upright image is scaled to `scaled`, and of that the tensor's size is cut out at
/// `left`, `top`. It is done in one step: the image is never scaled as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) scaled: (u64, u64),
    pub(crate) left: u64,
    pub(crate) top: u64,
    target: (u64, u64),
}

impl Cut {
    /// Of an upright image of the size `image`, for a tensor of the size `target`.
    pub(crate) fn new(image: (u32, u32), target: (u32, u32), fit: Fit) -> Cut {
        let image = (u64::from(image.0), u64::from(image.1));
        let target = (u64::from(target.0), u64::from(target.1));
        let scaled = match fit {
            Fit::Squash => target,
            Fit::Crop(short) => {
                let short = short.map_or_else(|| least_short_side(image, target), u64::from);
                scaled(image, short)
            }
        };
        let [left, top] = [(scaled.0, target.0), (scaled.1, target.1)]
            .map(|(scaled, target)| scaled.saturating_sub(target) / 2);
        Cut { scaled, left, top, target }
    }

    /// The part of the upright image that is cut out.
    pub(crate) fn area(self, image: (u32, u32)) -> Area {
        let x = f64::from(image.0) / self.scaled.0 as f64;
        let y = f64::from(image.1) / self.scaled.1 as f64;
        Area {
            left: self.left as f64 * x,
            top: self.top as f64 * y,
            width: self.target.0 as f64 * x,
            height: self.target.1 as f64 * y,
        }
    }
}

/// The image with its short side scaled to `side`: the long one is rounded, half up.
fn scaled((width, height): (u64, u64), side: u64) -> (u64, u64) {
    let short = width.min(height);
    let scale = |length| (2 * length * side + short) / (2 * short);
    (scale(width), scale(height))
}

/// The smallest short side with which the scaled image holds the target.
fn least_short_side(image: (u64, u64), target: (u64, u64)) -> u64 {
    let short = image.0.min(image.1);
    // The length scales to at least `target` from where `scaled` rounds up to it.
    let least = |length: u64, target: u64| (short * (2 * target - 1)).div_ceil(2 * length);
    least(image.0, target.0).max(least(image.1, target.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_short_side_is_the_smallest_that_holds_the_target() {
        for image in [(97, 61), (40, 64), (1, 1), (1, 999), (65_535, 3), (640, 480)] {
            for target in [(7, 5), (224, 224), (64, 48), (1, 1), (4096, 2)] {
                let holds = |side| {
                    let scaled = scaled(image, side);
                    scaled.0 >= target.0 && scaled.1 >= target.1
                };
                let side = least_short_side(image, target);
                assert!(holds(side), "{image:?} {target:?} {side}");
                assert!(side == 0 || !holds(side - 1), "{image:?} {target:?} {side}");
            }
        }
    }

    #[test]
    fn the_middle_is_cut_out() {
        let cut = Cut::new((640, 480), (224, 224), Fit::Crop(Some(256)));
        assert_eq!((cut.scaled, cut.left, cut.top), ((341, 256), 58, 16));
        let whole = Cut::new((640, 480), (224, 224), Fit::Squash).area((640, 480));
        assert_eq!(whole, Area { left: 0.0, top: 0.0, width: 640.0, height: 480.0 });
    }
}
