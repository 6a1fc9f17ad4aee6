//! A record that owns its parts, before it is in a batch.

/// Headers in order; a name may occur more than once, a value may be null.
pub type OwnedHeaders = Vec<(String, Option<Vec<u8>>)>;

/// An input record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Input {
    /// Its topic. `None`: the first of the pipeline's source.
    pub topic: Option<String>,
    /// Its partition.
    pub partition: i32,
    /// The key; `None` where it is null.
    pub key: Option<Vec<u8>>,
    /// The value; `None` where it is null (a tombstone).
    pub value: Option<Vec<u8>>,
    /// Headers in order; a name may occur more than once.
    pub headers: OwnedHeaders,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
}

impl Input {
    /// A record of partition 0 that has a value and nothing else.
    pub fn value(value: impl Into<Vec<u8>>) -> Self {
        Input { value: Some(value.into()), ..Input::default() }
    }

    /// The same with a key.
    #[must_use]
    pub fn key(self, key: impl Into<Vec<u8>>) -> Self {
        Input { key: Some(key.into()), ..self }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    /// The same at a time, in milliseconds since the epoch.
    #[must_use]
    pub fn at(self, timestamp: i64) -> Self {
        Input { timestamp: Some(timestamp), ..self }
    }

    /// The same in another partition.
    #[must_use]
    pub fn partition(self, partition: i32) -> Self {
        Input { partition, ..self }
    }

    /// Its bytes in a batch.
    pub fn size(&self) -> usize {
        let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let headers = self.headers.iter().map(|(name, value)| 8 + name.len() + length(value));
        length(&self.key) + length(&self.value) + headers.sum::<usize>()
    }
}
