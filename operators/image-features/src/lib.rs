//! Images to tensors: an extractor for models that look at pictures.
//!
//! A record is one image, in its value: JPEG, PNG, WebP, GIF or BMP, told by its first
//! bytes. It becomes one tensor `image` of fp32 or u8, `[channels, height, width]` or
//! `[height, width, channels]`, without the batch.
//!
//! The tensor is described in `[preprocessing]` of the `model.toml` of the stage's main
//! model. Each key can be set or overridden in the stage's `config`
//! ([`Config`]):
//!
//! ```toml
//! [stage.config]
//! width = 224                     # required, here or in the model's file
//! height = 224
//! mode = "squash"                 # or "crop": the short side to `short-side`, then the middle
//! # short-side = 256              # default: the smallest that holds width x height
//! filter = "bilinear"             # or "nearest", "bicubic", "lanczos3"
//! channels = "rgb"                # or "bgr", "grey"
//! layout = "nchw"                 # or "nhwc"
//! type = "fp32"                   # or "u8": the pixels as they are; default: the model's input
//! mean = 0                        # fp32: value = (pixel 0..255 - mean) * scale
//! scale = 1
//! background = [255, 255, 255]    # what alpha is composed on
//! max_pixels = 32_000_000         # these two in the stage's config only
//! max_bytes = 16_777_216
//! ```
//!
//! All but the size have these values by default. If the model's description has
//! inputs, the tensor must fit the first.
//!
//! # What each record gives
//!
//! | record | result |
//! |---|---|
//! | an orientation in EXIF or XMP, in JPEG, PNG or WebP | the image is turned upright |
//! | alpha, a transparent colour | composed on `background` |
//! | an animation (GIF, WebP, PNG) | its first frame, on the whole canvas |
//! | grey; a palette; 1, 2 or 4 bits | read |
//! | 16 bits a channel | the upper 8; PNG in grey without alpha: what is more than 255 is white |
//! | JPEG in CMYK or YCCK | read as Adobe's inverted inks, without a colour profile |
//! | colour profiles, gamma | not applied |
//! | null value (tombstone), empty value | failure `missing` |
//! | the start of no known image | failure `malformed` |
//! | an image that is damaged or cut short | failure `malformed`, with what the decoder says |
//! | TIFF, AVIF, HEIC, JPEG XL, JPEG 2000, ICO, SVG and others | failure `unsupported`, with the format |
//! | a whole file of a kind that is not read | failure `unsupported`, with the kind |
//! | more than `max_pixels`, or a side of more than 65,535 | failure `too-large`, before memory is taken |
//! | more than `max_bytes` | failure `too-large`, with both sizes |
//!
//! # Like Pillow
//!
//! Whoever trained the model most likely read its images with Pillow, so Pillow is the
//! reference: `convert("RGB")` after `ImageOps.exif_transpose`, then `resize`, which
//! looks at all pixels when it shrinks. `tests/golden.rs` says how close the results
//! are. Where Pillow departs from a format, so does this; where it misreads a file, the
//! file is refused. The reference of the operators lists the kinds.
//!
//! # Memory
//!
//! An image is decoded whole. Besides the record, it takes 3 bytes a pixel, and for
//! JPEG up to 3 more, for a progressive one 9, for one whose scans have some of the
//! channels each 18; for alpha and for GIF 4, for 16 bits a channel twice as much. The
//! buffers are kept for the next image.

mod config;
mod container;
mod decode;
mod fault;
mod format;
mod geometry;
mod metadata;
mod model;
mod operator;
mod reader;
mod resize;
mod settings;
mod signature;
mod tensor;
mod upright;

pub use config::{Channels, Config, ConfigError, Filter, Layout, Mode, PerChannel, Type};
pub use fault::Fault;
pub use format::Format;
pub use model::{Dimension, Input, Model};
pub use operator::ImageFeatures;
pub use reader::Reader;
pub use settings::Settings;
pub use signature::format_of;
