//! Which records a canary serves: the same for the same key, whoever asks and when.

use super::spec::{Fraction, SplitKey};
use sandbar_record::{Batch, Record};

/// Decides which variant a record gets.
///
/// A record's hash decides from which weight on it is the candidate's, so that raising the weight
/// keeps the candidate's records with the candidate.
#[derive(Debug, Clone)]
pub struct Split {
    by: SplitKey,
    /// Hashes below it are the candidate's: up to 2^32.
    below: u64,
}

impl Split {
    /// A split of this fraction, by this key.
    pub fn new(weight: Fraction, by: SplitKey) -> Self {
        Split { by, below: (weight.get() * (1_u64 << 32) as f64).round() as u64 }
    }

    /// Whether a record is the candidate's.
    pub(super) fn takes(&self, record: &Record<'_>) -> bool {
        let identity = match &self.by {
            SplitKey::Key => record.key(),
            SplitKey::Header(name) => {
                record.headers().filter(|(it, _)| it == name).last().and_then(|(_, value)| value)
            }
        };
        let hash = match identity {
            Some(identity) => hash(identity),
            None => {
                let mut place = [0; 12];
                place[..4].copy_from_slice(&record.partition().to_le_bytes());
                place[4..].copy_from_slice(&record.offset().to_le_bytes());
                hash(&place)
            }
        };
        hash >> 32 < self.below
    }
}

/// FNV-1a, its bits mixed as murmur3 does: without that, keys that are counted up would
/// come in runs. It must never change: runners of one group, of any version, agree on it.
fn hash(bytes: &[u8]) -> u64 {
    let fnv = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (fnv ^ fnv >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ mixed >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ mixed >> 33
}

/// Some records of a batch, and the index in the source of each.
pub(super) struct Part {
    pub(super) batch: Batch,
    pub(super) origins: Vec<u32>,
}

impl Part {
    /// Nothing yet of `batch`.
    pub(super) fn of(batch: &Batch) -> Self {
        let (topic, partition) = (batch.topic.clone(), batch.partition);
        Part { batch: Batch::new(topic, partition, batch.len()), origins: Vec::new() }
    }

    /// Adds a record, which is the one at `origin` of the source.
    pub(super) fn push(&mut self, record: &Record<'_>, origin: usize) {
        let (key, value, headers) = (record.key(), record.value(), record.headers());
        self.batch.push(record.offset(), record.timestamp(), key, value, headers);
        self.origins.push(origin as u32);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use proptest::prelude::*;

    use super::*;

    fn split(weight: f64, by: SplitKey) -> Split {
        Split::new(Fraction::new(weight).unwrap(), by)
    }

    fn batch(offset: i64, key: Option<&[u8]>, header: Option<&[u8]>) -> Batch {
        let mut batch = Batch::new("t".into(), 3, 1);
        let headers = [("who", Some(&b"other"[..])), ("who", header)];
        batch.push(offset, None, key, None, headers.into_iter());
        batch
    }

    #[test]
    fn the_hash_is_what_it_was() {
        assert_eq!(hash(b""), 0xefd0_1f60_ba99_2926);
        let keys = ["0", "17", "customer-1"];
        let takes = |key: &str| {
            split(0.5, SplitKey::Key).takes(&batch(0, Some(key.as_bytes()), None).record(0))
        };
        assert_eq!(keys.map(takes), keys.map(|key| hash(key.as_bytes()) < 1 << 63));
    }

    #[test]
    fn shares_are_about_their_weight() {
        for weight in [0.01, 0.1, 0.5, 0.9] {
            let split = split(weight, SplitKey::Key);
            let all = 20_000;
            let key = |n: i64| batch(n, Some(n.to_string().as_bytes()), None);
            let keyed = (0..all).filter(|n| split.takes(&key(*n).record(0))).count();
            let bare = (0..all).filter(|n| split.takes(&batch(*n, None, None).record(0))).count();
            for count in [keyed, bare] {
                let share = count as f64 / all as f64;
                assert!((share - weight).abs() < 0.01, "{share} of {weight}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_same_identity_goes_the_same_way(
            identity in proptest::collection::vec(any::<u8>(), 0..20),
            offsets in any::<(i64, i64)>(),
            weights in (0.0..=1.0_f64, 0.0..=1.0_f64),
        ) {
            let keyed = |offset| batch(offset, Some(&identity), None);
            let headed = |offset| batch(offset, None, Some(&identity));
            let by = || SplitKey::Header("who".into());
            let (low, high) = (weights.0.min(weights.1), weights.0.max(weights.1));
            let one = split(low, SplitKey::Key).takes(&keyed(offsets.0).record(0));
            prop_assert_eq!(one, split(low, SplitKey::Key).takes(&keyed(offsets.1).record(0)));
            prop_assert_eq!(one, split(low, by()).takes(&headed(offsets.1).record(0)));
            // Raising the weight takes no record away.
            prop_assert!(!one || split(high, SplitKey::Key).takes(&keyed(offsets.0).record(0)));
            prop_assert!(split(1.0, SplitKey::Key).takes(&keyed(offsets.0).record(0)));
            prop_assert!(!split(0.0, SplitKey::Key).takes(&keyed(offsets.0).record(0)));
        }
    }
}
