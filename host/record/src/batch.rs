//! A batch of records as the contract has them (`wit/types.wit`): flat columns,
//! so that a batch is copied into an operator with one copy per column.

use std::sync::Arc;

/// Bit of [`Batch::nulls`] that says that the key is null.
pub const NULL_KEY: u8 = 1;
/// Bit of [`Batch::nulls`] that says that the value is null (a tombstone).
pub const NULL_VALUE: u8 = 2;
/// Length in an encoded header that says that its value is null.
const NULL_HEADER: u32 = u32::MAX;

/// Records of one partition in the order of their offsets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// The topic that the records come from.
    pub topic: Arc<str>,
    /// The partition that the records come from.
    pub partition: i32,
    /// n offsets.
    pub offsets: Vec<i64>,
    /// n timestamps in milliseconds since the epoch, -1 for none.
    pub timestamps: Vec<i64>,
    /// Key, value and encoded headers of each record, end to end.
    pub bytes: Vec<u8>,
    /// 3n ends of key, value and headers in `bytes`.
    pub ends: Vec<u32>,
    /// n sets of [`NULL_KEY`] and [`NULL_VALUE`].
    pub nulls: Vec<u8>,
}

impl Batch {
    /// An empty batch of a partition, with room for `records`.
    pub fn new(topic: Arc<str>, partition: i32, records: usize) -> Self {
        Batch {
            topic,
            partition,
            offsets: Vec::with_capacity(records),
            timestamps: Vec::with_capacity(records),
            bytes: Vec::new(),
            ends: Vec::with_capacity(3 * records),
            nulls: Vec::with_capacity(records),
        }
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Appends a record.
    ///
    /// # Panics
    /// If the batch would grow past 4 GiB, which [`Batch::fits`] rules out.
    pub fn push<'a, N: AsRef<str>>(
        &mut self,
        offset: i64,
        timestamp: Option<i64>,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl Iterator<Item = (N, Option<&'a [u8]>)>,
    ) {
        self.offsets.push(offset);
        self.timestamps.push(timestamp.unwrap_or(-1));
        let mut nulls = 0;
        if key.is_none() {
            nulls |= NULL_KEY;
        }
        if value.is_none() {
            nulls |= NULL_VALUE;
        }
        self.nulls.push(nulls);
        self.bytes.extend_from_slice(key.unwrap_or_default());
        self.end_part();
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.end_part();
        for (name, value) in headers {
            encode_header(&mut self.bytes, name.as_ref(), value);
        }
        self.end_part();
    }

    fn end_part(&mut self) {
        let end = u32::try_from(self.bytes.len()).expect("a batch is bounded by Batch::fits");
        self.ends.push(end);
    }

    /// Whether a record of `bytes` bytes can be added without passing what the
    /// contract's 32-bit ends can say.
    pub fn fits(&self, bytes: usize) -> bool {
        self.bytes.len().saturating_add(bytes) <= (u32::MAX / 2) as usize
    }

    /// The record at `index`, which must be less than [`Batch::len`].
    pub fn record(&self, index: usize) -> Record<'_> {
        let end = |part: usize| self.ends[part] as usize;
        let start = if index == 0 { 0 } else { end(3 * index - 1) };
        let (key, value, headers) = (end(3 * index), end(3 * index + 1), end(3 * index + 2));
        Record {
            topic: &self.topic,
            partition: self.partition,
            offset: self.offsets[index],
            timestamp: self.timestamps[index],
            nulls: self.nulls[index],
            key: &self.bytes[start..key],
            value: &self.bytes[key..value],
            headers: &self.bytes[value..headers],
        }
    }

    /// All records in order.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.len()).map(|index| self.record(index))
    }

    /// A batch of the one record at `index`.
    pub fn single(&self, index: usize) -> Batch {
        self.part(index..index + 1)
    }

    /// A batch of the records in a range.
    pub fn part(&self, range: std::ops::Range<usize>) -> Batch {
        let mut batch = Batch::new(self.topic.clone(), self.partition, range.len());
        for record in range.map(|index| self.record(index)) {
            let (key, value) = (record.key(), record.value());
            let timestamp = record.timestamp();
            batch.push(record.offset, timestamp, key, value, record.headers());
        }
        batch
    }
}

/// A borrowed view of one record of a [`Batch`].
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: i64,
    nulls: u8,
    key: &'a [u8],
    value: &'a [u8],
    headers: &'a [u8],
}

impl<'a> Record<'a> {
    /// The topic that the record comes from.
    pub fn topic(&self) -> &'a str {
        self.topic
    }

    /// The partition that the record comes from.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// The record's offset in its partition.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// Milliseconds since the epoch.
    pub fn timestamp(&self) -> Option<i64> {
        (self.timestamp >= 0).then_some(self.timestamp)
    }

    /// The key; `None` if it is null.
    pub fn key(&self) -> Option<&'a [u8]> {
        (self.nulls & NULL_KEY == 0).then_some(self.key)
    }

    /// The value; `None` if it is null (a tombstone).
    pub fn value(&self) -> Option<&'a [u8]> {
        (self.nulls & NULL_VALUE == 0).then_some(self.value)
    }

    /// The headers in order; a name may occur more than once.
    pub fn headers(&self) -> Headers<'a> {
        Headers { rest: self.headers }
    }
}

/// Appends a header as the contract encodes it.
fn encode_header(bytes: &mut Vec<u8>, name: &str, value: Option<&[u8]>) {
    bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
    bytes.extend_from_slice(name.as_bytes());
    let length = value.map_or(NULL_HEADER, |value| value.len() as u32);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(value.unwrap_or_default());
}

/// Iterator over the headers of a record. It ends at the first byte that is not
/// a header; [`Headers::validate`] tells whether that is the end.
#[derive(Debug, Clone)]
pub struct Headers<'a> {
    rest: &'a [u8],
}

impl<'a> Headers<'a> {
    /// Whether `bytes` is a sequence of whole headers.
    pub fn validate(bytes: &[u8]) -> bool {
        let mut headers = Headers { rest: bytes };
        while headers.next().is_some() {}
        headers.rest.is_empty()
    }

    /// Whether there is none left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.rest.split_first_chunk()?;
        let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let name = std::str::from_utf8(name).ok()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (value, rest) = match u32::from_le_bytes(*length) {
            NULL_HEADER => (None, rest),
            length => {
                let (value, rest) = rest.split_at_checked(length as usize)?;
                (Some(value), rest)
            }
        };
        self.rest = rest;
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Parts =
        (i64, Option<i64>, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>);

    fn parts() -> impl Strategy<Value = Vec<Parts>> {
        let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40));
        let headers = proptest::collection::vec((".{0,8}", bytes()), 0..4);
        let timestamp = proptest::option::of(0..i64::MAX);
        proptest::collection::vec((any::<i64>(), timestamp, bytes(), bytes(), headers), 1..20)
    }

    fn push(batch: &mut Batch, (offset, timestamp, key, value, headers): &Parts) {
        let headers = headers.iter().map(|(n, v)| (n.as_str(), v.as_deref()));
        batch.push(*offset, *timestamp, key.as_deref(), value.as_deref(), headers);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(records in parts()) {
            let mut batch = Batch::new("t".into(), 3, records.len());
            records.iter().for_each(|record| push(&mut batch, record));
            for (index, expected) in records.iter().enumerate() {
                for record in [batch.record(index), batch.single(index).record(0)] {
                    let headers = record.headers().map(|(n, v)| (n.to_owned(), v.map(<[u8]>::to_vec)));
                    let seen: Parts = (
                        record.offset(),
                        record.timestamp(),
                        record.key().map(<[u8]>::to_vec),
                        record.value().map(<[u8]>::to_vec),
                        headers.collect(),
                    );
                    prop_assert_eq!(&seen, expected);
                }
            }
        }

        #[test]
        fn any_bytes_are_headers_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            Headers::validate(&bytes);
        }
    }

    #[test]
    fn a_cut_header_is_not_valid() {
        let mut bytes = Vec::new();
        encode_header(&mut bytes, "name", Some(b"value"));
        encode_header(&mut bytes, "none", None);
        assert!(Headers::validate(&bytes));
        let whole = 4 + 4 + 4 + 5;
        for cut in (1..bytes.len()).filter(|cut| *cut != whole) {
            assert!(!Headers::validate(&bytes[..cut]), "cut at {cut}");
        }
    }
}
