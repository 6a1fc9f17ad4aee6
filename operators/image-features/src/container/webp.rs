//! The chunks of a WebP: RFC 9649, section 2.

/// Goes through chunks: name and content. It ends where a chunk is longer than the file
/// says that it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    /// Of a whole file.
    pub(crate) fn new(bytes: &'a [u8]) -> Chunks<'a> {
        let length = bytes.get(4..).and_then(|rest| rest.first_chunk().copied());
        let end =
            length.map_or(0, |length| (u32::from_le_bytes(length) as usize).saturating_add(8));
        Chunks { rest: bytes.get(12..end.min(bytes.len())).unwrap_or_default() }
    }

    /// Of what is in a chunk.
    pub(crate) fn within(body: &'a [u8]) -> Chunks<'a> {
        Chunks { rest: body }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = self.rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        let body = rest.get(..length)?;
        // Chunks begin at even places.
        self.rest = rest.get(length.checked_add(length % 2)?..).unwrap_or_default();
        Some((name, body))
    }
}

/// Three bytes, the lowest first, as everything in WebP.
pub(crate) fn u24([low, middle, high]: [u8; 3]) -> u32 {
    u32::from_le_bytes([low, middle, high, 0])
}

/// A chunk, with its padding.
pub(crate) fn push_chunk(file: &mut Vec<u8>, name: &[u8; 4], body: &[u8]) {
    file.extend_from_slice(name);
    file.extend((body.len() as u32).to_le_bytes());
    file.extend_from_slice(body);
    file.resize(file.len().next_multiple_of(2), 0);
}
