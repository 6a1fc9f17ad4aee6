//! What a configuration means once it is checked.

use crate::config::{Channels, Config, ConfigError, Filter, Layout, Mode, PerChannel, Type};

/// The longest side of a tensor. Larger ones are typing errors rather than models.
const LONGEST: u32 = 4096;
/// The largest short side that an image may be scaled to before the middle is cut out.
const LONGEST_SHORT_SIDE: u32 = 65_535;
/// Four bytes for each of these are all the memory that a component can have.
const MOST_PIXELS: u64 = 1_000_000_000;
const DEFAULT_MAX_PIXELS: u64 = 32_000_000;
const DEFAULT_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A configuration that can be carried out.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) fit: Fit,
    pub(crate) filter: Filter,
    pub(crate) channels: Channels,
    pub(crate) layout: Layout,
    pub(crate) elements: Elements,
    pub(crate) background: [u8; 3],
    pub(crate) max_pixels: u64,
    pub(crate) max_bytes: u64,
}

/// What the tensor has of a channel's value.
#[derive(Clone, Debug)]
pub(crate) enum Elements {
    /// What each value becomes, for each channel of the tensor.
    Fp32(Vec<[f32; 256]>),
    /// The value.
    U8,
}

/// How an image is brought to the tensor's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Squash,
    /// With the short side, if it is fixed.
    Crop(Option<u32>),
}

impl Settings {
    /// Checks a configuration: the model's `[preprocessing]`, if it has one, overridden
    /// by the stage's.
    ///
    /// # Errors
    /// Where it cannot be carried out; the message names the key and the way out.
    pub fn new(stage: Config, model: Option<Config>) -> Result<Settings, ConfigError> {
        let model = model.unwrap_or_default();
        for (key, set) in
            [("max_pixels", model.max_pixels.is_some()), ("max_bytes", model.max_bytes.is_some())]
        {
            if set {
                return Err(ConfigError(format!(
                    "`{key}`: not allowed in [preprocessing] of the model: set it in the stage's \
                     `config`"
                )));
            }
        }
        let config = stage.or(model);
        let width = side("width", config.width)?;
        let height = side("height", config.height)?;
        let channels = config.channels.unwrap_or(Channels::Rgb);
        Ok(Settings {
            width,
            height,
            fit: fit(&config, width, height)?,
            filter: config.filter.unwrap_or(Filter::Bilinear),
            channels,
            layout: config.layout.unwrap_or(Layout::Nchw),
            elements: elements(&config, channels.count())?,
            background: config.background.unwrap_or([255; 3]),
            max_pixels: max_pixels(config.max_pixels)?,
            max_bytes: max_bytes(config.max_bytes)?,
        })
    }

    /// The tensor's dimensions, the batch not among them.
    pub fn dimensions(&self) -> [u32; 3] {
        let channels = self.channels.count() as u32;
        match self.layout {
            Layout::Nchw => [channels, self.height, self.width],
            Layout::Nhwc => [self.height, self.width, channels],
        }
    }

    /// The type of the tensor's elements.
    pub fn ty(&self) -> Type {
        match self.elements {
            Elements::Fp32(_) => Type::Fp32,
            Elements::U8 => Type::U8,
        }
    }

    /// The tensor's size.
    pub(crate) fn tensor_bytes(&self) -> usize {
        let size = match self.elements {
            Elements::Fp32(_) => size_of::<f32>(),
            Elements::U8 => size_of::<u8>(),
        };
        self.width as usize * self.height as usize * self.channels.count() * size
    }
}

fn side(key: &str, value: Option<u32>) -> Result<u32, ConfigError> {
    match value {
        Some(1..=LONGEST) => Ok(value.unwrap_or_default()),
        Some(value) => Err(ConfigError(format!(
            "`{key}`: {value} is out of range: set the size that the model takes, 1 to {LONGEST} \
             pixels"
        ))),
        None => Err(ConfigError(format!(
            "`{key}` is missing: set it in [preprocessing] of the model's model.toml or in the \
             stage's `config`"
        ))),
    }
}

fn fit(config: &Config, width: u32, height: u32) -> Result<Fit, ConfigError> {
    let least = width.max(height);
    match (config.mode.unwrap_or(Mode::Squash), config.short_side) {
        (Mode::Squash, None) => Ok(Fit::Squash),
        (Mode::Squash, Some(short)) => Err(ConfigError(format!(
            "`short-side`: {short} has no effect with mode = \"squash\": omit `short-side`, or set \
             `mode` to \"crop\""
        ))),
        (Mode::Crop, Some(short)) if !(least..=LONGEST_SHORT_SIDE).contains(&short) => {
            Err(ConfigError(format!(
                "`short-side`: {short} is out of range for {width} x {height}: set {least} to \
                 {LONGEST_SHORT_SIDE}, or omit it for the smallest that holds each image"
            )))
        }
        (Mode::Crop, short) => Ok(Fit::Crop(short)),
    }
}

fn elements(config: &Config, count: usize) -> Result<Elements, ConfigError> {
    let mean = per_channel("mean", config.mean.as_ref(), 0.0, count)?;
    let scale = per_channel("scale", config.scale.as_ref(), 1.0, count)?;
    if config.ty == Some(Type::U8) {
        if mean.iter().any(|mean| *mean != 0.0) || scale.iter().any(|scale| *scale != 1.0) {
            return Err(ConfigError(
                "`mean`, `scale`: a tensor of u8 has the values of the pixels, 0 to 255: omit \
                 both, or set `type` to \"fp32\" if the model takes that"
                    .into(),
            ));
        }
        return Ok(Elements::U8);
    }
    if scale.contains(&0.0) {
        return Err(ConfigError("`scale`: must not be zero: omit it for 1".into()));
    }
    let levels = mean.iter().zip(&scale).map(|(mean, scale)| levels(*mean, *scale));
    Ok(Elements::Fp32(levels.collect::<Result<_, _>>()?))
}

fn per_channel(
    key: &str,
    value: Option<&PerChannel>,
    default: f64,
    count: usize,
) -> Result<Vec<f64>, ConfigError> {
    match value {
        None => Ok(vec![default; count]),
        Some(PerChannel::All(value)) => Ok(vec![*value; count]),
        Some(PerChannel::Each(values)) if values.len() == count => Ok(values.clone()),
        Some(PerChannel::Each(values)) => Err(ConfigError(format!(
            "`{key}`: expected {count} numbers, one per channel, got {}: list {count}, or set one \
             number for all channels",
            values.len()
        ))),
    }
}

/// What each value of a channel becomes.
fn levels(mean: f64, scale: f64) -> Result<[f32; 256], ConfigError> {
    let level = |value: usize| ((value as f64 - mean) * scale) as f32;
    let levels = std::array::from_fn(level);
    if levels.iter().all(|level| level.is_finite()) {
        return Ok(levels);
    }
    Err(ConfigError(format!(
        "`mean` {mean} and `scale` {scale}: their values do not fit fp32: (pixel - mean) * scale must be below \
         3.4e38"
    )))
}

fn max_pixels(value: Option<u64>) -> Result<u64, ConfigError> {
    match value.unwrap_or(DEFAULT_MAX_PIXELS) {
        value @ 1..=MOST_PIXELS => Ok(value),
        value => Err(ConfigError(format!(
            "`max_pixels`: {value} is out of range: set 1 to {MOST_PIXELS}, or omit it for \
             {DEFAULT_MAX_PIXELS}"
        ))),
    }
}

fn max_bytes(value: Option<u64>) -> Result<u64, ConfigError> {
    match value.unwrap_or(DEFAULT_MAX_BYTES) {
        0 => Err(ConfigError(format!(
            "`max_bytes`: must be greater than zero: set at least the length of an image, or omit \
             it for {DEFAULT_MAX_BYTES}"
        ))),
        value => Ok(value),
    }
}
