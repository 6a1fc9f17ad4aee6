//! BMP with every header, as Pillow's `BmpImagePlugin` reads it.

mod fault;
mod fields;
mod header;
mod palette;
mod runs;

use super::buffer::{Buffer, Header};
use super::indexed::Colours;
use crate::fault::Fault;

use fault::{FORMAT, cut_short, unsupported};
use fields::Fields;
use header::{Compression, Info};
use runs::End;

impl Buffer {
    pub(super) fn bmp(&mut self, bytes: &[u8]) -> Result<Header, Fault> {
        let info = Info::read(bytes)?;
        self.check_size(FORMAT, info.width.into(), info.height.into())?;
        match (info.bits, info.compression) {
            (1 | 4 | 8, Compression::None) => {
                let palette = info.palette(bytes)?;
                palette.check_depth(info.bits)?;
                self.bmp_numbers(&info, palette.pixels(bytes), &palette.colours)?;
            }
            (1 | 4 | 8, Compression::RunLengths4 | Compression::RunLengths8) => {
                let palette = info.palette(bytes)?;
                self.bmp_runs(&info, bytes, palette.start, &palette.colours)?;
            }
            (16 | 24 | 32, Compression::None | Compression::Fields) => {
                let fields = Fields::of(&info)?;
                self.bmp_fields(&info, info.pixels(bytes), fields)?;
            }
            (bits, compression) => {
                return Err(unsupported(format!("{compression:?} with {bits} bits a pixel")));
            }
        }
        Ok(Header { width: info.width, height: info.height, channels: 3 })
    }

    /// Pixels of 1, 4 or 8 bits, the first in the upper bits of a byte.
    fn bmp_numbers(&mut self, info: &Info, stored: &[u8], colours: &Colours) -> Result<(), Fault> {
        let (width, bits) = (info.width as usize, usize::from(info.bits));
        let count = width * info.height as usize;
        let rows = info.rows(stored)?;
        let numbers = self.numbers(FORMAT, count)?;
        for (numbers, stored) in numbers.chunks_exact_mut(width).zip(rows) {
            if bits == 8 {
                numbers.copy_from_slice(stored);
                continue;
            }
            for (x, number) in numbers.iter_mut().enumerate() {
                let at = x * bits;
                *number = stored[at / 8] >> (8 - bits - at % 8) & ((1 << bits) - 1);
            }
        }
        self.paint(count, colours);
        Ok(())
    }

    fn bmp_runs(
        &mut self,
        info: &Info,
        bytes: &[u8],
        start: usize,
        colours: &Colours,
    ) -> Result<(), Fault> {
        let (width, height) = (info.width as usize, info.height as usize);
        let numbers = self.numbers(FORMAT, width * height)?;
        let half = info.compression == Compression::RunLengths4;
        match runs::decode(bytes, start, width, half, numbers) {
            End::Full => {}
            End::Early => {
                return Err(unsupported("run lengths that leave pixels out at the end".into()));
            }
            End::Cut => return Err(cut_short()),
        }
        if !info.top_down {
            for y in 0..height / 2 {
                let (upper, lower) = numbers.split_at_mut((height - 1 - y) * width);
                upper[y * width..(y + 1) * width].swap_with_slice(&mut lower[..width]);
            }
        }
        self.paint(width * height, colours);
        Ok(())
    }

    /// Pixels of 16, 24 or 32 bits.
    fn bmp_fields(&mut self, info: &Info, stored: &[u8], fields: Fields) -> Result<(), Fault> {
        let background = self.background;
        let rows = info.rows(stored)?;
        let row = 3 * info.width as usize;
        let pixels = self.room(FORMAT, row as u64 * u64::from(info.height))?;
        for (pixels, stored) in pixels.chunks_exact_mut(row).zip(rows) {
            fields.convert(stored, background, pixels);
        }
        Ok(())
    }
}
