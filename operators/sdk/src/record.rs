//! Records as an operator sees them: views of one batch's columns.

use crate::bindings::types::Batch;

/// Bit of `nulls` that says that the key is null.
pub(crate) const NULL_KEY: u8 = 1;
/// Bit of `nulls` that says that the value is null.
pub(crate) const NULL_VALUE: u8 = 2;
/// What stands for a record without a timestamp.
pub(crate) const NO_TIMESTAMP: i64 = -1;
/// The length that stands for a header's null value.
pub(crate) const NULL_HEADER: u32 = u32::MAX;

/// One record of a Kafka topic. A view: nothing is copied.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    batch: &'a Batch,
    index: usize,
    /// Where the key starts, and where key, value and headers end, in the batch's bytes.
    start: usize,
    ends: [usize; 3],
}

impl<'a> Record<'a> {
    /// The key, if it is not null.
    #[inline]
    pub fn key(&self) -> Option<&'a [u8]> {
        (self.nulls() & NULL_KEY == 0).then(|| self.slice(self.start, self.ends[0]))
    }

    /// The value; `None` for a tombstone.
    #[inline]
    pub fn value(&self) -> Option<&'a [u8]> {
        (self.nulls() & NULL_VALUE == 0).then(|| self.slice(self.ends[0], self.ends[1]))
    }

    /// The headers in their order: name, and value unless it is null. A name may
    /// come more than once.
    #[inline]
    pub fn headers(&self) -> Headers<'a> {
        Headers { rest: self.header_bytes() }
    }

    /// The value of the last header of this name, if there is one and it is not null.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers().filter(|(found, _)| *found == name).last().and_then(|(_, value)| value)
    }

    /// Milliseconds since the epoch, if the record has a timestamp.
    #[inline]
    pub fn timestamp(&self) -> Option<i64> {
        let timestamp = self.batch.timestamps.get(self.index).copied();
        timestamp.filter(|timestamp| *timestamp != NO_TIMESTAMP)
    }

    /// The offset in its partition.
    #[inline]
    pub fn offset(&self) -> i64 {
        self.batch.offsets.get(self.index).copied().unwrap_or_default()
    }

    /// The topic that it was read from.
    #[inline]
    pub fn topic(&self) -> &'a str {
        &self.batch.topic
    }

    /// The partition of that topic.
    #[inline]
    pub fn partition(&self) -> i32 {
        self.batch.partition
    }

    /// The position in the batch.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    #[inline]
    pub(crate) fn nulls(&self) -> u8 {
        self.batch.nulls.get(self.index).copied().unwrap_or_default()
    }

    /// The headers in the form of the contract.
    pub(crate) fn header_bytes(&self) -> &'a [u8] {
        self.slice(self.ends[1], self.ends[2])
    }

    /// Key, value and headers, which stand end to end; and the lengths of the three.
    pub(crate) fn parts(&self) -> (&'a [u8], [usize; 3]) {
        let [key, value, headers] = self.ends;
        let lengths = [
            key.saturating_sub(self.start),
            value.saturating_sub(key),
            headers.saturating_sub(value),
        ];
        (self.slice(self.start, headers), lengths)
    }

    /// The host's ends are in order; were they not, a record would look empty.
    #[inline]
    fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.batch.bytes.get(start..end).unwrap_or_default()
    }
}

/// The headers of one record: an iterator over name and value.
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.rest.split_first_chunk()?;
        let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let (length, rest) = rest.split_first_chunk()?;
        let (value, rest) = match u32::from_le_bytes(*length) {
            NULL_HEADER => (None, rest),
            length => {
                let (value, rest) = rest.split_at_checked(length as usize)?;
                (Some(value), rest)
            }
        };
        self.rest = rest;
        Some((std::str::from_utf8(name).unwrap_or_default(), value))
    }
}

/// Writes a header in the form of the contract.
pub(crate) fn write_header(bytes: &mut Vec<u8>, name: &str, value: Option<&[u8]>) {
    bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
    bytes.extend_from_slice(name.as_bytes());
    let length = value.map_or(NULL_HEADER, |value| value.len() as u32);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(value.unwrap_or_default());
}

/// The records of a batch, in order.
pub(crate) fn records(batch: &Batch) -> impl Iterator<Item = Record<'_>> {
    let mut start = 0;
    batch.ends.chunks_exact(3).enumerate().map(move |(index, ends)| {
        let ends = [ends[0] as usize, ends[1] as usize, ends[2] as usize];
        let record = Record { batch, index, start, ends };
        start = ends[2];
        record
    })
}
