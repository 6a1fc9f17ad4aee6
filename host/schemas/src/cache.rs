//! What was found, kept within bounds: the oldest goes first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::key::Key;
use crate::schema::{Schema, SchemaError};

/// Bytes of the schemas that are kept.
const BYTES: usize = 64 << 20;
/// How many are kept, with what is known not to be there.
const ENTRIES: usize = 4096;
/// How long the latest version of a subject is the latest.
const LATEST: Duration = Duration::from_secs(60);
/// How long what is not there is not asked for again.
const ABSENT: Duration = Duration::from_secs(10);

/// Schemas by what they were asked for by.
#[derive(Default)]
pub(crate) struct Cache {
    entries: HashMap<Key, Entry>,
    order: VecDeque<Key>,
    bytes: usize,
}

struct Entry {
    found: Result<Arc<Schema>, SchemaError>,
    /// `None`: for ever, as what an id stands for never changes.
    until: Option<Instant>,
}

impl Cache {
    /// What is known, and whether it still holds.
    pub(crate) fn get(
        &self,
        key: &Key,
        now: Instant,
    ) -> Option<(Result<Arc<Schema>, SchemaError>, bool)> {
        let Entry { found, until } = self.entries.get(key)?;
        Some((found.clone(), until.is_none_or(|until| now < until)))
    }

    pub(crate) fn put(&mut self, key: Key, found: Result<Arc<Schema>, SchemaError>, now: Instant) {
        let until = match (&found, &key) {
            (Err(_), _) => Some(now + ABSENT),
            (Ok(_), Key::Subject(_, None)) => Some(now + LATEST),
            (Ok(_), _) => None,
        };
        let size = size(&found);
        if let Some(old) = self.entries.remove(&key) {
            self.bytes -= self::size(&old.found);
            self.order.retain(|other| *other != key);
        }
        while self.entries.len() >= ENTRIES || self.bytes.saturating_add(size) > BYTES {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(gone) = self.entries.remove(&oldest) {
                self.bytes -= self::size(&gone.found);
            }
        }
        self.bytes += size;
        self.order.push_back(key.clone());
        self.entries.insert(key, Entry { found, until });
    }

    /// The schemas, the newest first.
    pub(crate) fn newest(&self) -> impl Iterator<Item = (&Key, &Arc<Schema>)> {
        let entry = |key| self.entries.get(key)?.found.as_ref().ok().map(|schema| (key, schema));
        self.order.iter().rev().filter_map(entry)
    }
}

fn size(found: &Result<Arc<Schema>, SchemaError>) -> usize {
    match found {
        Ok(schema) => schema.size(),
        Err(error) => error.message.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Cause, Language};

    fn schema(size: usize) -> Result<Arc<Schema>, SchemaError> {
        let text = "x".repeat(size);
        Ok(Arc::new(Schema { language: Language::Avro, text, references: Vec::new() }))
    }

    #[test]
    fn the_oldest_go_and_the_bytes_are_counted() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        for id in 0..10_000 {
            cache.put(Key::Id(id), schema(10), now);
        }
        assert_eq!((cache.entries.len(), cache.order.len()), (ENTRIES, ENTRIES));
        assert!(cache.get(&Key::Id(0), now).is_none());
        assert!(cache.get(&Key::Id(9_999), now).is_some());
        for id in 0..100 {
            cache.put(Key::Id(id), schema(1 << 20), now);
        }
        assert!(cache.bytes <= BYTES && cache.entries.len() < 64);
        for _ in 0..10 {
            cache.put(Key::Id(99), schema(0), now);
        }
        for key in cache.order.clone() {
            cache.put(key, schema(0), now);
        }
        assert_eq!(cache.bytes, cache.entries.len() * size(&schema(0)));
    }

    #[test]
    fn an_id_is_kept_for_ever_and_the_latest_version_for_a_minute() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        let later = now + Duration::from_secs(10_000);
        let holds = |cache: &Cache, key: &Key| cache.get(key, later).map(|(_, holds)| holds);
        let version = Key::Subject("a".into(), Some(1));
        let latest = Key::Subject("a".into(), None);
        for key in [&Key::Id(1), &Key::Guid([1; 16]), &version, &latest] {
            cache.put(key.clone(), schema(1), now);
        }
        cache.put(Key::Id(2), Err(SchemaError::new(Cause::NotFound, "no")), now);
        for (key, expected) in [
            (&Key::Id(1), true),
            (&Key::Guid([1; 16]), true),
            (&version, true),
            (&latest, false),
            (&Key::Id(2), false),
        ] {
            assert_eq!(holds(&cache, key), Some(expected), "{key:?}");
        }
    }
}
