//! The configuration as it is written: in `[preprocessing]` of the model's `model.toml`
//! and in the stage's `config`.

use std::fmt;

use serde::Deserialize;

/// The keys, in either place. Those of the stage's `config` win, key by key. Keys that
/// are not named here are an error.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Config {
    /// Pixels of the tensor from left to right. Required in one of the two places.
    pub width: Option<u32>,
    /// Pixels of the tensor from top to bottom. Required in one of the two places.
    pub height: Option<u32>,
    /// How an image of another shape becomes `width` x `height`. Default: `squash`.
    pub mode: Option<Mode>,
    /// For `mode = "crop"`: what the short side is scaled to. Default: the smallest
    /// with which the image holds `width` x `height`.
    pub short_side: Option<u32>,
    /// How pixels are made of pixels. Default: `bilinear`.
    pub filter: Option<Filter>,
    /// Which channels the tensor has. Default: `rgb`.
    pub channels: Option<Channels>,
    /// The order of the tensor's dimensions. Default: `nchw`.
    pub layout: Option<Layout>,
    /// The type of the tensor's elements. Default: that of the model's input, where it is
    /// described and one of these, or else `fp32`.
    #[serde(rename = "type")]
    pub ty: Option<Type>,
    /// What is taken from a channel's value of 0 to 255, in the order of `channels`.
    /// Default: 0.
    pub mean: Option<PerChannel>,
    /// What the difference is multiplied by. Default: 1.
    pub scale: Option<PerChannel>,
    /// The red, green and blue that transparent images are laid on. Default: white.
    pub background: Option<[u8; 3]>,
    /// Only in the stage's `config`: the most pixels that an image may have, decided
    /// before memory is taken for them. Default: 32,000,000.
    #[serde(rename = "max_pixels")]
    pub max_pixels: Option<u64>,
    /// Only in the stage's `config`: the largest value that is read, in bytes.
    /// Default: 16 MiB.
    #[serde(rename = "max_bytes")]
    pub max_bytes: Option<u64>,
}

/// How an image of another shape becomes `width` x `height`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Both sides are scaled, each for itself.
    Squash,
    /// The short side is scaled to `short-side`, the long one with it; then the middle
    /// is cut out.
    Crop,
}

/// How pixels are made of pixels. All but `nearest` look at every pixel when an image
/// shrinks, as Pillow's do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// The one pixel at the place.
    Nearest,
    /// A triangle: Pillow's `BILINEAR`.
    Bilinear,
    /// A cubic with a = -0.5: Pillow's `BICUBIC`.
    Bicubic,
    /// A windowed sinc of three lobes: Pillow's `LANCZOS`.
    Lanczos3,
}

/// Which channels the tensor has, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// One channel: the luma of ITU-R 601, as Pillow's mode `L`.
    Grey,
}

/// The order of the tensor's dimensions, the batch not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Channels, height, width: one plane after another.
    Nchw,
    /// Height, width, channels: pixel by pixel.
    Nhwc,
}

/// The type of the tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// A float of 32 bits: (value - mean) * scale.
    Fp32,
    /// A byte: the value itself.
    U8,
}

impl Type {
    /// The type of a name, as `model.toml` describes inputs.
    pub fn named(name: &str) -> Option<Type> {
        [Type::Fp32, Type::U8].into_iter().find(|ty| ty.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Type::Fp32 => "fp32",
            Type::U8 => "u8",
        }
    }
}

impl Channels {
    /// How many there are.
    pub(crate) fn count(self) -> usize {
        match self {
            Channels::Rgb | Channels::Bgr => 3,
            Channels::Grey => 1,
        }
    }
}

/// A number for all channels, or one for each.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged, expecting = "expected a number, or a list with a number for each channel")]
pub enum PerChannel {
    /// The same for all.
    All(f64),
    /// One for each, in the order of `channels`.
    Each(Vec<f64>),
}

impl Config {
    /// These keys, and for those that are not set, the model's.
    #[must_use]
    pub fn or(self, model: Config) -> Config {
        Config {
            width: self.width.or(model.width),
            height: self.height.or(model.height),
            mode: self.mode.or(model.mode),
            // A short side means something for `crop` only: where the stage squashes
            // what the model would crop, the model's goes with its mode.
            short_side: match self.mode {
                Some(Mode::Squash) => self.short_side,
                _ => self.short_side.or(model.short_side),
            },
            filter: self.filter.or(model.filter),
            channels: self.channels.or(model.channels),
            layout: self.layout.or(model.layout),
            ty: self.ty.or(model.ty),
            mean: self.mean.or(model.mean),
            scale: self.scale.or(model.scale),
            background: self.background.or(model.background),
            max_pixels: self.max_pixels.or(model.max_pixels),
            max_bytes: self.max_bytes.or(model.max_bytes),
        }
    }
}

/// What is wrong with a configuration: the key, the value and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub(crate) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
