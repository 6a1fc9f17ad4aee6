//! Dead letters, read back: the content of the topic, by its headers, and records made of
//! them that can be replayed.

use rdkafka::message::{BorrowedMessage, Message};

use super::config::Connection;
use super::error::KafkaFailure;
use super::headers::RawHeaders;
use super::to_the_end::{self, Begin};
use sandbar_record::{Input, REPLAYED_HEADER};

/// The prefix of all headers of ours.
const OURS: &str = "sandbar-";
/// A dead letter.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Its partition in the dead-letter topic.
    pub partition: i32,
    /// Its offset in that partition.
    pub offset: i64,
    /// When the record was written, in milliseconds since the epoch.
    pub timestamp: Option<i64>,
    /// The record's key.
    pub key: Option<Vec<u8>>,
    /// The record's value.
    pub value: Option<Vec<u8>>,
    /// All headers, in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl DeadLetter {
    fn of(message: &BorrowedMessage<'_>) -> Self {
        let owned = |bytes: &[u8]| bytes.to_vec();
        DeadLetter {
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis(),
            key: message.key().map(owned),
            value: message.payload().map(owned),
            headers: RawHeaders::of(message)
                .map(|(name, value)| (name.into_owned(), value.map(owned)))
                .collect(),
        }
    }

    /// One of our headers, without `sandbar-`, as text; if there are several the last, which is
    /// of the latest failure. Empty if there is none.
    pub fn said(&self, name: &str) -> String {
        let ours = |own: &str| own.strip_prefix(OURS) == Some(name);
        let found = self.headers.iter().rfind(|(own, _)| ours(own));
        let value = found.and_then(|(_, value)| value.as_deref()).unwrap_or_default();
        String::from_utf8_lossy(value).into_owned()
    }

    /// Whether it carries nothing of the record, because its topic rejected that.
    pub fn is_notice(&self) -> bool {
        self.said("truncated") == "true"
    }

    /// The record as it was before it failed, except for a header that counts its replays.
    /// `None` if the dead letter carries nothing of it.
    pub fn record(&self) -> Option<Input> {
        if self.is_notice() {
            return None;
        }
        let replayed = self.said("replayed").parse().unwrap_or(0_u64).saturating_add(1);
        // A model that made an earlier prediction for it is not what failed.
        let own = |name: &str| !name.starts_with(OURS) || name == "sandbar-model";
        let mut headers: Vec<_> =
            self.headers.iter().filter(|(name, _)| own(name)).cloned().collect();
        headers.push((REPLAYED_HEADER.to_owned(), Some(replayed.to_string().into_bytes())));
        Some(Input {
            topic: Some(self.said("topic")).filter(|topic| !topic.is_empty()),
            partition: self.said("partition").parse().unwrap_or(0),
            key: self.key.clone(),
            value: self.value.clone(),
            headers,
            timestamp: self.timestamp,
        })
    }
}

/// Reads a dead-letter topic from its beginning, or one partition from an offset, to its
/// current end, and passes dead letters one by one until `take` wants no more.
///
/// # Errors
/// If the brokers refuse this client, or the topic does not exist.
pub fn read(
    connection: &Connection,
    topic: &str,
    from: Option<(i32, i64)>,
    mut take: impl FnMut(DeadLetter) -> bool,
) -> Result<(), KafkaFailure> {
    let begin = from.map_or(Begin::Oldest, |(partition, offset)| Begin::At(partition, offset));
    to_the_end::read(connection, topic, "[dead-letter] topic", begin, |message| {
        take(DeadLetter::of(message))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(headers: &[(&str, &str)]) -> DeadLetter {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Some(value.as_bytes().to_vec())));
        DeadLetter {
            partition: 0,
            offset: 7,
            timestamp: Some(5),
            key: Some(b"key".to_vec()),
            value: Some(b"value".to_vec()),
            headers: headers.collect(),
        }
    }

    #[test]
    fn a_letter_becomes_the_record_that_it_was() {
        let letter = letter(&[
            ("trace", "1"),
            ("sandbar-code", "malformed"),
            ("sandbar-topic", "first"),
            ("sandbar-code", "trap"),
            ("sandbar-topic", "flights"),
            ("sandbar-partition", "3"),
        ]);
        assert_eq!(letter.said("code"), "trap");
        let record = letter.record().unwrap_or_default();
        assert_eq!((record.topic.as_deref(), record.partition), (Some("flights"), 3));
        assert_eq!((record.key.as_deref(), record.timestamp), (Some(&b"key"[..]), Some(5)));
        let headers: Vec<_> = record.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(headers, ["trace", REPLAYED_HEADER]);
    }

    #[test]
    fn replays_are_counted_and_notices_are_none() {
        let again = letter(&[("sandbar-replayed", "4")]).record().unwrap_or_default();
        assert_eq!(again.headers, [(REPLAYED_HEADER.to_owned(), Some(b"5".to_vec()))]);
        assert_eq!(letter(&[("sandbar-truncated", "true")]).record(), None);
    }
}
