//! A transformer in a chain: records that it routes leave, the others go on.

use sandbar_record::{Batch, SchemaHeader, Variant};
use sandbar_sandbox::{CallError, Emitted, Transformed, Transformer};

use super::stream::{Made, Stream, size};
use crate::outcome::{Outcome, Placed};

/// A transformer, and where its routes lead: indices into the plan's topics.
pub(crate) struct Routed {
    pub(crate) transformer: Transformer,
    pub(crate) topics: Vec<usize>,
}

impl Routed {
    /// Runs the stage. Records that it routes become outputs; the others are returned.
    pub(super) fn run(
        &mut self,
        stream: &Stream<'_>,
        outcome: &mut Outcome,
    ) -> Result<Made, CallError> {
        if stream.batch.is_empty() {
            return Ok(Made::put(Batch::default(), Vec::new(), outcome));
        }
        if let Some(capture) = outcome.capture.as_deref_mut() {
            capture.records(self.transformer.name(), stream.batch);
        }
        let Transformed { records, failures } = self.transformer.transform(stream.batch)?;
        let mut silent = stream.batch.len() - failures.len();
        let stage = self.transformer.name();
        for failure in failures {
            outcome.fail(stream.origin(failure.index), stage, failure.code.into(), failure.message);
        }
        silent -= records.origins.chunk_by(|a, b| a == b).count();
        outcome.filtered += silent;

        let origins: Vec<u32> = records.origins.iter().map(|index| stream.origin(*index)).collect();
        let (whole, routes) = emitted(stream.batch, records);
        outcome.take_room(size(&whole), stage)?;
        if routes.iter().all(|route| *route == 0) {
            return Ok(Made::put(whole, origins, outcome));
        }
        // What goes on is copied.
        outcome.take_room(size(&whole), stage)?;
        let mut kept = Batch::new(whole.topic.clone(), whole.partition, whole.len());
        let mut kept_origins = Vec::with_capacity(whole.len());
        let place = outcome.derived.len() + 1;
        for (index, (route, origin)) in routes.iter().zip(&origins).enumerate() {
            match route.checked_sub(1) {
                None => {
                    let record = whole.record(index);
                    let (key, value) = (record.key(), record.value());
                    kept.push(record.offset(), record.timestamp(), key, value, record.headers());
                    kept_origins.push(*origin);
                }
                Some(route) => outcome.outputs.push(Placed {
                    origin: *origin,
                    topic: self.topics[route as usize],
                    batch: place,
                    index: index as u32,
                    value: None,
                    variant: Variant::Serving,
                    schema: SchemaHeader::Kept,
                }),
            }
        }
        outcome.derived.push(whole);
        Ok(Made::put(kept, kept_origins, outcome))
    }
}

/// A transformer's outputs, as a batch; and the route of each.
fn emitted(batch: &Batch, records: Emitted) -> (Batch, Vec<u32>) {
    let offset = |index: &u32| batch.offsets[*index as usize];
    let emitted = Batch {
        topic: batch.topic.clone(),
        partition: batch.partition,
        offsets: records.origins.iter().map(offset).collect(),
        timestamps: records.timestamps,
        bytes: records.bytes,
        ends: records.ends,
        nulls: records.nulls,
    };
    (emitted, records.routes)
}
