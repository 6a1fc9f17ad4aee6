//! The chunks of a PNG: its specification (third edition), section 5.

/// Goes through the chunks: name and content. It ends where a chunk is longer than the
/// file. Checksums are for the decoder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    /// Of a whole file.
    pub(crate) fn new(bytes: &'a [u8]) -> Chunks<'a> {
        Chunks { rest: bytes.get(8..).unwrap_or_default() }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.rest.split_first_chunk()?;
        let (name, rest) = rest.split_first_chunk()?;
        let length = u32::from_be_bytes(*length) as usize;
        let body = rest.get(..length)?;
        self.rest = rest.get(length + 4..).unwrap_or_default();
        Some((name, body))
    }
}
