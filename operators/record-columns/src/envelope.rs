//! What a record has besides its value.

use sandbar_operator::Record;

/// What a record has besides its value.
pub trait Envelope {
    /// Its key, unless that is null.
    fn key(&self) -> Option<&[u8]>;
    /// The value of the last header of this name, which may be null; `None`: there is none.
    fn header(&self, name: &str) -> Option<Option<&[u8]>>;
    /// The topic that it was read from.
    fn topic(&self) -> &str;
    /// The partition of the topic.
    fn partition(&self) -> i32;
    /// Its offset in the partition.
    fn offset(&self) -> i64;
    /// Milliseconds since the epoch, if it has a timestamp.
    fn timestamp(&self) -> Option<i64>;
}

impl Envelope for Record<'_> {
    fn key(&self) -> Option<&[u8]> {
        Record::key(self)
    }

    fn header(&self, name: &str) -> Option<Option<&[u8]>> {
        self.headers().filter(|(found, _)| *found == name).last().map(|(_, value)| value)
    }

    fn topic(&self) -> &str {
        Record::topic(self)
    }

    fn partition(&self) -> i32 {
        Record::partition(self)
    }

    fn offset(&self) -> i64 {
        Record::offset(self)
    }

    fn timestamp(&self) -> Option<i64> {
        Record::timestamp(self)
    }
}
