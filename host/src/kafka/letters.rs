//! Dead letters: what a record that failed is sent with.

use rdkafka::message::{Header, OwnedHeaders};

use crate::failure::Failure;
use crate::records::Record;

/// Where the dead letters of a pipeline go.
pub struct DeadLetters {
    /// The pipeline's name.
    pub pipeline: String,
    /// Their topic.
    pub topic: String,
}

impl DeadLetters {
    /// The headers of a record that failed: its own, then where it came from and why it
    /// failed.
    pub(super) fn headers(&self, record: &Record<'_>, failure: &Failure) -> OwnedHeaders {
        self.describe(copy_headers(record, 7), record, failure)
    }

    /// The same without the record's own, for a letter that carries nothing of it.
    pub(super) fn bare_headers(&self, record: &Record<'_>, failure: &Failure) -> OwnedHeaders {
        let truncated = Header { key: "sandbar-truncated", value: Some("true") };
        let headers = OwnedHeaders::new_with_capacity(8);
        self.describe(headers, record, failure).insert(truncated)
    }

    fn describe(
        &self,
        headers: OwnedHeaders,
        record: &Record<'_>,
        failure: &Failure,
    ) -> OwnedHeaders {
        let text = |key, value| Header { key, value: Some(value) };
        headers
            .insert(text("sandbar-pipeline", self.pipeline.as_str()))
            .insert(text("sandbar-stage", &failure.stage))
            .insert(text("sandbar-code", failure.code.as_str()))
            .insert(text("sandbar-message", &failure.message))
            .insert(text("sandbar-topic", record.topic()))
            .insert(text("sandbar-partition", &record.partition().to_string()))
            .insert(text("sandbar-offset", &record.offset().to_string()))
    }
}

/// A record's headers, with room for `more`.
pub(super) fn copy_headers(record: &Record<'_>, more: usize) -> OwnedHeaders {
    let own = record.headers();
    let count = own.clone().count();
    own.fold(OwnedHeaders::new_with_capacity(count + more), |headers, (key, value)| {
        headers.insert(Header { key, value })
    })
}
