//! Dead letters, which come out of a topic.

use std::sync::Arc;

use sandbar::kafka::dead_letters::DeadLetter;
use sandbar::record::{Batch, NULL_KEY};

/// Any bytes as headers are headers or not; any headers make a dead letter, of which a
/// record comes that has none of ours left.
///
/// # Panics
/// Where one has, or a batch does not give back what was put into it.
pub fn dead_letter(bytes: &[u8]) {
    let batch = Batch {
        topic: Arc::from("flights.dead-letter"),
        partition: 0,
        offsets: vec![7],
        timestamps: vec![-1],
        bytes: bytes.to_vec(),
        ends: vec![0, 0, bytes.len() as u32],
        nulls: vec![NULL_KEY],
    };
    let record = batch.record(0);
    let headers =
        record.headers().map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec)));
    let letter = DeadLetter {
        partition: 0,
        offset: record.offset(),
        timestamp: record.timestamp(),
        key: record.key().map(<[u8]>::to_vec),
        value: record.value().map(<[u8]>::to_vec),
        headers: headers.collect(),
    };
    let notice = letter.is_notice();
    let Some(input) = letter.record() else {
        assert!(notice, "a letter that carries its record gives none");
        return;
    };
    let ours = ["sandbar-model", "sandbar-replayed"];
    let left = input
        .headers
        .iter()
        .find(|(name, _)| name.starts_with("sandbar-") && !ours.contains(&name.as_str()));
    assert_eq!(left, None);

    let mut again = Batch::new(Arc::from("flights"), input.partition, 1);
    let headers = input.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
    again.push(0, input.timestamp, input.key.as_deref(), input.value.as_deref(), headers);
    let back = again.record(0);
    let headers: Vec<_> =
        back.headers().map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).collect();
    assert_eq!(headers, input.headers);
    assert_eq!(back.key().map(<[u8]>::to_vec), input.key);
    assert_eq!(back.value().map(<[u8]>::to_vec), input.value);
}
