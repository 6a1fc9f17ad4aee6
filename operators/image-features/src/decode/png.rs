//! PNG, with two things that Pillow does in its own way: grey of 16 bits, and the colour that
//! is transparent.

use std::io::Cursor;

use image::ColorType;
use image::codecs::png::PngDecoder;

use super::buffer::{Buffer, Header};
use super::library::Raw;
use crate::container::png::Chunks;
use crate::fault::Fault;
use crate::format::Format;

impl Buffer {
    pub(super) fn png(&mut self, bytes: &[u8]) -> Result<Header, Fault> {
        let format = Format::Png;
        // Before the decoder is asked, which would prepare for rows of that length.
        let kind = Kind::of(bytes);
        if let Some(kind) = &kind {
            self.check_size(format, kind.width.into(), kind.height.into())?;
        }
        let decoder = PngDecoder::with_limits(Cursor::new(bytes), self.limits());
        let mut raw = self.read(format, decoder).map_err(|fault| match unknown_chunk(bytes) {
            Some(feature) => Fault::Feature { format, feature },
            None => fault,
        })?;
        if let Some(kind) = kind {
            if kind.is_grey && kind.depth == 16 {
                raw.color = self.clip_to_eight_bits(&raw);
            }
            if let Some(key) = kind.key {
                raw.color = self.upper_bytes(raw.color, raw.count());
                self.clear_key(&raw, key);
            }
        }
        let channels = self.flattened(format, &raw)?;
        Ok(Header { width: raw.width, height: raw.height, channels })
    }

    /// Grey of 16 bits as Pillow's `convert("RGB")` has it: what is more than 255 is white.
    fn clip_to_eight_bits(&mut self, raw: &Raw) -> ColorType {
        let channels = usize::from(raw.color.channel_count());
        for index in 0..raw.count() {
            let pair = [0, 1].map(|byte| self.pixels[2 * channels * index + byte]);
            self.pixels[channels * index] = u16::from_ne_bytes(pair).min(255) as u8;
        }
        if channels == 1 { ColorType::L8 } else { ColorType::La8 }
    }

    /// Where the decoder has made alpha of the transparent colour: the pixels that are that
    /// colour for Pillow.
    fn clear_key(&mut self, raw: &Raw, key: [u8; 3]) {
        let (channels, colours) = match raw.color {
            ColorType::La8 => (2, 1),
            ColorType::Rgba8 => (4, 3),
            _ => return,
        };
        for pixel in self.pixels[..channels * raw.count()].chunks_exact_mut(channels) {
            pixel[colours] = if pixel[..colours] == key[..colours] { 0 } else { 255 };
        }
    }
}

/// A chunk without which the image cannot be read, and which is not in the specification:
/// `CgBI` of Apple's programs, for one.
fn unknown_chunk(bytes: &[u8]) -> Option<String> {
    let known = |name: &[u8; 4]| matches!(name, b"IHDR" | b"PLTE" | b"IDAT" | b"IEND");
    let mut names = Chunks::new(bytes).map(|(name, _)| name);
    let name = names.find(|name| name[0].is_ascii_uppercase() && !known(name))?;
    let name = name.iter().all(u8::is_ascii_alphabetic).then_some(name)?;
    Some(format!("the chunk {}", String::from_utf8_lossy(name)))
}

/// What the chunks before the image data say.
struct Kind {
    width: u32,
    height: u32,
    depth: u8,
    is_grey: bool,
    /// The transparent colour of an image without a palette, as Pillow compares it: the lower
    /// byte of each number in the file, with pixels of 8 bits. (So a grey of 2 or 4 bits and
    /// any colour of 16 is hardly ever found, except where it is 0.)
    key: Option<[u8; 3]>,
}

impl Kind {
    fn of(bytes: &[u8]) -> Option<Kind> {
        let mut chunks = Chunks::new(bytes);
        let (b"IHDR", header) = chunks.next()? else { return None };
        let [width @ .., _, _, _, _, depth, colour] = header.first_chunk::<10>()?;
        let height = header.get(4..)?.first_chunk()?;
        let mut kind = Kind {
            width: u32::from_be_bytes(*width),
            height: u32::from_be_bytes(*height),
            depth: *depth,
            is_grey: *colour == 0,
            key: None,
        };
        for (name, body) in chunks.take_while(|(name, _)| *name != b"IDAT") {
            if name != b"tRNS" {
                continue;
            }
            kind.key = match (colour, body) {
                (0, [0, 0, ..]) if *depth == 1 => Some([0; 3]),
                (0, [_, _, ..]) if *depth == 1 => Some([255; 3]),
                (0, [_, grey, ..]) => Some([*grey; 3]),
                (2, [_, red, _, green, _, blue, ..]) => Some([*red, *green, *blue]),
                _ => kind.key,
            };
        }
        Some(kind)
    }
}
