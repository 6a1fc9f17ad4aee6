//! WebP: the picture, or the first of an animation, on its canvas as libwebp's
//! `WebPAnimDecoder` has it, by which Pillow reads all files.
//!
//! The container is read here (RFC 9649, section 2); the decoder gets the picture in a
//! container of its own, which has what counts and nothing else.

use std::io::Cursor;

use image::ColorType;
use image::codecs::webp::WebPDecoder;

use super::buffer::{Buffer, Header};
use crate::container::webp::{Chunks, push_chunk, u24};
use crate::fault::Fault;
use crate::format::Format;

const FORMAT: Format = Format::WebP;

/// In the header's flags: that pictures have alpha, and that it is an animation.
const ALPHA: u8 = 1 << 4;
const ANIMATION: u8 = 1 << 1;

impl Buffer {
    pub(super) fn webp(&mut self, bytes: &[u8]) -> Result<Header, Fault> {
        let picture = Picture::find(bytes).ok_or_else(|| damaged("it has no whole picture"))?;
        if let Some(Area { width, height, .. }) = picture.canvas {
            self.check_size(FORMAT, width.into(), height.into())?;
        }
        let mut raw = self.read(FORMAT, WebPDecoder::new(Cursor::new(picture.file())))?;
        // A frame of an animation is as large as it is, whatever the file says.
        let (left, top) = picture.place.unwrap_or((0, 0));
        let place = Area { left, top, width: raw.width, height: raw.height };
        let canvas = picture.canvas.unwrap_or(place);
        if !canvas.holds(place) || picture.place.is_none() && canvas != place {
            return Err(damaged("the picture does not fit the canvas"));
        }
        if raw.color == ColorType::Rgba8 && !picture.is_clear {
            self.drop_alpha(raw.count());
            raw.color = ColorType::Rgb8;
        }
        let channels = self.flattened(FORMAT, &raw)?;
        if (canvas.width, canvas.height) != (place.width, place.height) {
            // Around the picture it is clear, which is black where nothing may be clear.
            let around = if picture.is_clear { self.background } else { [0; 3] };
            self.spread(place, canvas, around)?;
        }
        Ok(Header { width: canvas.width, height: canvas.height, channels })
    }

    fn drop_alpha(&mut self, count: usize) {
        for index in 0..count {
            self.pixels.copy_within(4 * index..4 * index + 3, 3 * index);
        }
    }

    /// Puts the RGB picture in the buffer to its place on a larger canvas.
    fn spread(&mut self, place: Area, canvas: Area, around: [u8; 3]) -> Result<(), Fault> {
        let bytes = 3 * u64::from(canvas.width) * u64::from(canvas.height);
        let pixels = self.room(FORMAT, bytes)?;
        let [left, top, width, height] = [place.left, place.top, place.width, place.height];
        let [left, top] = [left as usize, top as usize];
        let [width, height, row] = [width, height, canvas.width].map(|length| length as usize);
        let start = |y: usize| 3 * ((top + y) * row + left);
        let fill = |part: &mut [u8]| part.as_chunks_mut().0.fill(around);
        // From the end, so that no row comes over one that is not moved yet.
        let mut after = pixels.len();
        for y in (0..height).rev() {
            let at = start(y);
            pixels.copy_within(3 * y * width..3 * (y + 1) * width, at);
            fill(&mut pixels[at + 3 * width..after]);
            after = at;
        }
        fill(&mut pixels[..after]);
        Ok(())
    }
}

/// Width and height in the header of a lossy picture (RFC 6386, section 9.1), where they are
/// not zero.
fn lossy_size(body: &[u8]) -> Option<(u16, u16)> {
    let [_, _, _, 0x9d, 0x01, 0x2a, a, b, c, d] = *body.first_chunk()? else { return None };
    let [width, height] = [[a, b], [c, d]].map(|side| u16::from_le_bytes(side) & 0x3fff);
    (width > 0 && height > 0).then_some((width, height))
}

fn damaged(problem: &str) -> Fault {
    Fault::Damaged { format: FORMAT, problem: problem.into() }
}

/// A part of the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Area {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Area {
    fn of(width: u32, height: u32) -> Area {
        Area { left: 0, top: 0, width, height }
    }

    fn holds(self, other: Area) -> bool {
        other.left + other.width <= self.width && other.top + other.height <= self.height
    }
}

/// A picture in a file.
#[derive(Debug)]
struct Picture<'a> {
    /// `None` in the simple format, where it is the picture.
    canvas: Option<Area>,
    /// Of an animation: left and top of the frame.
    place: Option<(u32, u32)>,
    /// Whether alpha counts.
    is_clear: bool,
    /// The chunk with the alpha of a lossy picture.
    alpha: Option<&'a [u8]>,
    /// The picture's chunk.
    chunk: (&'a [u8; 4], &'a [u8]),
}

impl<'a> Picture<'a> {
    fn find(bytes: &'a [u8]) -> Option<Picture<'a>> {
        let mut chunks = Chunks::new(bytes);
        let first = chunks.next()?;
        let (b"VP8X", header) = first else {
            let simple = Picture::of([first].into_iter())?;
            return Some(Picture { alpha: None, ..simple });
        };
        let [flags, _, _, _, sides @ ..] = header.first_chunk::<10>()?;
        let [a, b, c, d, e, f] = *sides;
        let canvas = Area::of(u24([a, b, c]) + 1, u24([d, e, f]) + 1);
        let has_alpha = flags & ALPHA != 0;
        if flags & ANIMATION == 0 {
            let picture = Picture::of(chunks)?;
            // Without the flag, a chunk of alpha does not count; a lossless picture has its
            // alpha in itself.
            let alpha = picture.alpha.filter(|_| has_alpha);
            return Some(Picture { canvas: Some(canvas), alpha, ..picture });
        }
        let (_, frame) = chunks.find(|(name, _)| *name == b"ANMF")?;
        let (header, content) = frame.split_first_chunk::<16>()?;
        let [a, b, c, d, e, f, ..] = *header;
        let picture = Picture::of(Chunks::within(content))?;
        let (canvas, place) = (Some(canvas), Some((2 * u24([a, b, c]), 2 * u24([d, e, f]))));
        Some(Picture { canvas, place, is_clear: has_alpha, ..picture })
    }

    /// The picture among these chunks, with the alpha before it.
    fn of(chunks: impl Iterator<Item = (&'a [u8; 4], &'a [u8])>) -> Option<Picture<'a>> {
        let mut alpha = None;
        for chunk in chunks {
            match chunk.0 {
                b"ALPH" => alpha = alpha.or(Some(chunk.1)),
                b"VP8 " | b"VP8L" => {
                    let alpha = alpha.filter(|_| chunk.0 == b"VP8 ");
                    return Some(Picture {
                        canvas: None,
                        place: None,
                        is_clear: true,
                        alpha,
                        chunk,
                    });
                }
                _ => {}
            }
        }
        None
    }

    /// The picture alone.
    fn file(&self) -> Vec<u8> {
        let (name, body) = self.chunk;
        let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
        if let (Some(alpha), Some((width, height))) = (self.alpha, lossy_size(body)) {
            let [width, height] = [width, height].map(|side| (u32::from(side) - 1).to_le_bytes());
            let header = [&[ALPHA, 0, 0, 0], &width[..3], &height[..3]].concat();
            push_chunk(&mut file, b"VP8X", &header);
            push_chunk(&mut file, b"ALPH", alpha);
        }
        push_chunk(&mut file, name, body);
        let length = (file.len() - 8) as u32;
        file[4..8].copy_from_slice(&length.to_le_bytes());
        file
    }
}
