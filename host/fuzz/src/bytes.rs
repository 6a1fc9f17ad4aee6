//! Values out of an input.

/// What is left of an input. Beyond its end there are zeros.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number: mostly a small one, at times one of the largest.
    pub fn number(&mut self) -> u32 {
        match self.byte() {
            byte @ 0..=0xf7 => u32::from(byte),
            0xf8 => u32::MAX,
            0xf9 => u32::MAX - 1,
            0xfa => 1 << 31,
            0xfb => (1 << 16) + 1,
            _ => u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()]),
        }
    }

    /// So many bytes as the next byte says, or as there are.
    pub fn slice(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (slice, rest) = self.0.split_at(length);
        self.0 = rest;
        slice
    }

    /// A text of at most 255 bytes.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(self.slice()).into_owned()
    }

    /// A list of at most so many items as the next byte says; it ends with the input.
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut list = Vec::new();
        for _ in 0..self.byte() {
            if self.0.is_empty() {
                break;
            }
            list.push(item(self));
        }
        list
    }

    /// All that is left, and what is behind the next zero byte.
    pub fn parted(self) -> (&'a [u8], &'a [u8]) {
        let middle = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        (&self.0[..middle], self.0.get(middle + 1..).unwrap_or_default())
    }
}
