//! Pixels that are numbers of colours, as in GIF and many a BMP.

use super::buffer::Buffer;
use crate::fault::Fault;
use crate::format::Format;

/// The colour of each number.
pub(super) type Colours = [[u8; 3]; 256];

impl Buffer {
    /// Room for the numbers of `count` pixels, which [`Buffer::paint`] makes RGB. What it
    /// holds is not defined.
    pub(super) fn numbers(&mut self, format: Format, count: usize) -> Result<&mut [u8], Fault> {
        let room = self.room(format, 3 * count as u64)?;
        Ok(&mut room[2 * count..])
    }

    /// The numbers of `count` pixels to RGB, in place: they are behind the first two thirds
    /// of the buffer, and no pixel reaches a number that is still needed.
    pub(super) fn paint(&mut self, count: usize, colours: &Colours) {
        let pixels = &mut self.pixels[..3 * count];
        for index in 0..count {
            let colour = colours[usize::from(pixels[2 * count + index])];
            pixels[3 * index..3 * index + 3].copy_from_slice(&colour);
        }
    }
}

/// The numbers are the brightnesses.
pub(super) fn greys() -> Colours {
    std::array::from_fn(|number| [number as u8; 3])
}

/// A table of red, green and blue. Numbers that it does not have are black, as in Pillow.
pub(super) fn colours(table: &[u8]) -> Colours {
    let mut colours = [[0; 3]; 256];
    for (colour, entry) in colours.iter_mut().zip(table.as_chunks().0) {
        *colour = *entry;
    }
    colours
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    #[test]
    fn numbers_become_their_colours_in_place() {
        let mut buffer = Buffer { background: [0; 3], max_pixels: 1, pixels: Vec::new() };
        for count in [1, 2, 3, 256] {
            let numbers: Vec<u8> = (0..count).map(|number| number as u8).collect();
            buffer.numbers(Format::Gif, count).unwrap().copy_from_slice(&numbers);
            buffer.paint(count, &greys());
            let expected: Vec<u8> = numbers.iter().flat_map(|number| [*number; 3]).collect();
            assert_eq!(buffer.pixels[..3 * count], expected);
        }
        assert_eq!(colours(&[1, 2, 3, 4])[..2], [[1, 2, 3], [0, 0, 0]]);
    }
}
