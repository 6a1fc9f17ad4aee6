//! GIF: the first frame, as Pillow's `GifImagePlugin` shows it. GIF89a, sections 17 to 26.

use weezl::{BitOrder, LzwStatus, decode::Decoder};

use super::buffer::{Buffer, Header};
use super::indexed::{Colours, colours, greys};
use crate::fault::Fault;
use crate::format::Format;

const FORMAT: Format = Format::Gif;

impl Buffer {
    pub(super) fn gif(&mut self, bytes: &[u8]) -> Result<Header, Fault> {
        let image = Image::find(bytes).ok_or_else(|| damaged("it has no whole frame"))?;
        // A frame that stands out makes the picture larger.
        let width = image.screen.0.max(image.left + image.width);
        let height = image.screen.1.max(image.top + image.height);
        self.check_size(FORMAT, width as u64, height as u64)?;
        if image.width == 0 || image.height == 0 {
            return Err(damaged("the first frame has no pixels"));
        }
        let frame = image.decode()?;
        let numbers = self.numbers(FORMAT, width * height)?;
        if (image.width, image.height) != (width, height) {
            // What the frame leaves free is clear, or else of the first colour.
            numbers.fill(image.transparent.unwrap_or(0));
        }
        for (row, y) in frame.chunks_exact(image.width).zip(image.rows()) {
            let start = (image.top + y) * width + image.left;
            numbers[start..start + image.width].copy_from_slice(row);
        }
        let mut colours = image.colours();
        if let Some(transparent) = image.transparent {
            colours[usize::from(transparent)] = self.background;
        }
        self.paint(width * height, &colours);
        Ok(Header { width: width as u32, height: height as u32, channels: 3 })
    }
}

fn damaged(problem: &str) -> Fault {
    Fault::Damaged { format: FORMAT, problem: problem.into() }
}

/// The screen, and the first frame on it.
struct Image<'a> {
    screen: (usize, usize),
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    interlaced: bool,
    /// The frame's own table of colours, and that of all frames.
    own_table: Option<&'a [u8]>,
    table: Option<&'a [u8]>,
    transparent: Option<u8>,
    /// How many bits a pixel has in the codes.
    bits: u8,
    /// The codes in blocks, and all that follows.
    codes: &'a [u8],
}

impl<'a> Image<'a> {
    /// `None` where the file ends before the first frame's codes.
    fn find(bytes: &'a [u8]) -> Option<Image<'a>> {
        let mut input = Input { bytes: bytes.get(6..)? };
        let screen = (input.number()?, input.number()?);
        let [flags, _background, _aspect] = *input.take(3)?.first_chunk()?;
        let table = input.table(flags)?;
        let mut transparent = None;
        loop {
            match input.byte()? {
                b'!' => {
                    let label = input.byte()?;
                    let block = input.block()?;
                    // Only this says anything about the picture, and the last one counts.
                    if let (0xf9, [flags, _, _, index, ..]) = (label, block)
                        && flags & 1 != 0
                    {
                        transparent = Some(*index);
                    }
                    if !block.is_empty() {
                        while !input.block()?.is_empty() {}
                    }
                }
                b',' => {
                    let (left, top) = (input.number()?, input.number()?);
                    let (width, height) = (input.number()?, input.number()?);
                    let flags = input.byte()?;
                    let own_table = input.table(flags)?;
                    return Some(Image {
                        screen,
                        left,
                        top,
                        width,
                        height,
                        interlaced: flags & 0x40 != 0,
                        own_table,
                        table,
                        transparent,
                        bits: input.byte()?,
                        codes: input.bytes,
                    });
                }
                b';' => return None,
                // Zeros and other bytes that belong nowhere.
                _ => {}
            }
        }
    }

    /// The colours, which without a table are greys.
    fn colours(&self) -> Colours {
        // Pillow takes a table of just these greys for none.
        let greys = greys();
        let is_table = |table: &&[u8]| !greys.as_flattened().starts_with(table);
        let table = self.own_table.filter(is_table).or(self.table.filter(is_table));
        table.map_or(greys, colours)
    }

    /// The rows in the order in which they come.
    fn rows(&self) -> Box<dyn Iterator<Item = usize>> {
        let height = self.height;
        match self.interlaced {
            false => Box::new(0..height),
            true => Box::new(
                [(0, 8), (4, 8), (2, 4), (1, 2)]
                    .into_iter()
                    .flat_map(move |(first, step)| (first..height).step_by(step)),
            ),
        }
    }

    /// The numbers of the frame's pixels, as they come.
    fn decode(&self) -> Result<Vec<u8>, Fault> {
        match self.bits {
            2..=8 => {}
            0 | 1 | 9..=11 => {
                // Pillow does not read these as others do.
                let feature = format!("codes of {} bits a pixel", self.bits);
                return Err(Fault::Feature { format: FORMAT, feature });
            }
            bits => return Err(damaged(&format!("codes of {bits} bits a pixel"))),
        }
        let count = self.width * self.height;
        let mut frame = Vec::new();
        frame.try_reserve_exact(count).map_err(|_| Fault::Memory {
            format: FORMAT,
            problem: format!("{count} bytes of pixels"),
        })?;
        frame.resize(count, 0);
        let mut decoder = Decoder::new(BitOrder::Lsb, self.bits);
        let mut input = Input { bytes: self.codes };
        let mut done = 0;
        while let Some(mut block) = input.block().filter(|block| !block.is_empty()) {
            loop {
                let result = decoder.decode_bytes(block, &mut frame[done..]);
                done += result.consumed_out;
                if done == count {
                    // What comes then does not matter.
                    return Ok(frame);
                }
                block = &block[result.consumed_in..];
                match result.status {
                    // It may still hold pixels when it has taken all of the block.
                    Ok(LzwStatus::Ok) => {}
                    Ok(LzwStatus::NoProgress) => break,
                    Ok(LzwStatus::Done) => return Err(damaged("pixels are missing")),
                    Err(error) => return Err(damaged(&error.to_string())),
                }
            }
        }
        Err(damaged("pixels are missing"))
    }
}

/// What is still to be read.
struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<usize> {
        self.take(2)?.first_chunk().map(|bytes| usize::from(u16::from_le_bytes(*bytes)))
    }

    /// A block's content; an empty one is the end of several.
    fn block(&mut self) -> Option<&'a [u8]> {
        let length = self.byte()?;
        self.take(usize::from(length))
    }

    /// A table of colours, if the flags announce one.
    fn table(&mut self, flags: u8) -> Option<Option<&'a [u8]>> {
        match flags & 0x80 {
            0 => Some(None),
            _ => self.take(3 << ((flags & 7) + 1)).map(Some),
        }
    }
}
