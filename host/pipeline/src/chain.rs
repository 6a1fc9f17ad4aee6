//! The stages of a pipeline, one after the other, over one batch.

use std::sync::Arc;

use crate::encoding::Encoder;
use crate::outcome::{Outcome, Placed};
use sandbar_record::{Batch, Code, Record, Variant};
use sandbar_sandbox::{
    CallError, CallSeed, Emitted, Extracted, Extractor, Scorer, Transformed, Transformer, Usage,
};

/// Bytes that an output takes besides its content.
const RECORD: usize = 200;

/// The stages of one worker, with their warm instances.
pub struct Chain {
    pub(crate) transformers: Vec<Routed>,
    pub(crate) predictor: Option<Predictor>,
    /// The model that makes the predictions, `name@version`.
    pub(crate) model: Option<Arc<str>>,
    /// Bytes that what is made of one batch may take.
    pub(crate) outputs: usize,
}

/// A transformer, and where its routes lead: indices into the plan's topics.
pub(crate) struct Routed {
    pub(crate) transformer: Transformer,
    pub(crate) topics: Vec<usize>,
}

/// An extractor and the scorer behind it.
pub(crate) struct Predictor {
    pub(crate) extractor: Extractor,
    pub(crate) scorer: Scorer,
    pub(crate) encoder: Encoder,
}

/// Bytes that a record of the batch takes for itself.
fn size(batch: &Batch) -> usize {
    batch.bytes.len() + RECORD * batch.len()
}

/// What the first stage is given.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The records as they came in. Outputs and failures are of these.
    pub source: &'a Batch,
    /// `source`, some of it, or its external payloads.
    pub batch: &'a Batch,
    /// For each record of `batch` its index in `source`; `None`: the same.
    pub origins: Option<&'a [u32]>,
}

impl<'a> Input<'a> {
    /// All records, as they came in.
    pub fn whole(batch: &'a Batch) -> Self {
        Input { source: batch, batch, origins: None }
    }

    /// The index in the source of the record at `index`.
    pub fn origin(&self, index: usize) -> usize {
        self.origins.map_or(index, |origins| origins[index] as usize)
    }
}

/// The records that reach a stage: those of the batch, or what a transformer made.
struct Stream<'a> {
    /// The records as they came in.
    source: &'a Batch,
    batch: &'a Batch,
    /// 0 or where the batch stands in [`Outcome::derived`], from 1.
    place: usize,
    /// The record of the source's batch that each comes from; `None`: the same.
    origins: Option<&'a [u32]>,
}

impl<'a> Stream<'a> {
    fn origin(&self, index: u32) -> u32 {
        self.origins.map_or(index, |origins| origins[index as usize])
    }

    /// The record that an output is made of, and its index in the batch at `place`: in
    /// front of all transformers the record as it came in, not what it refers to.
    fn record(&self, index: u32) -> (Record<'a>, u32) {
        let (batch, index) =
            if self.place == 0 { (self.source, self.origin(index)) } else { (self.batch, index) };
        (batch.record(index as usize), index)
    }
}

impl Chain {
    /// What its predictions are made of, if it makes any.
    pub(crate) fn shape(&self) -> Option<&sandbar_sandbox::OutputSchema> {
        self.predictor.as_ref().map(|predictor| predictor.scorer.shape())
    }

    /// What each stage has used, by its name.
    pub(crate) fn usage(&self) -> Vec<(Arc<str>, Usage)> {
        let transformers = self.transformers.iter();
        let mut usage: Vec<_> = transformers
            .map(|Routed { transformer, .. }| (transformer.name().clone(), transformer.usage()))
            .collect();
        if let Some(Predictor { extractor, scorer, .. }) = &self.predictor {
            usage.push((extractor.name().clone(), extractor.usage()));
            usage.push((scorer.name().clone(), scorer.usage()));
        }
        usage
    }

    /// Takes a batch through all stages. With an error, `outcome` holds nothing.
    ///
    /// # Errors
    /// If a stage's call failed for the batch; which of its records is to blame
    /// is not known then.
    pub fn process(&mut self, batch: &Batch, outcome: &mut Outcome) -> Result<(), CallError> {
        self.process_input(&Input::whole(batch), outcome)
    }

    /// The same for some of a batch, or for its external payloads.
    ///
    /// # Errors
    /// As [`Chain::process`].
    pub fn process_input(
        &mut self,
        input: &Input<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), CallError> {
        outcome.clear();
        outcome.models[Variant::Serving as usize].clone_from(&self.model);
        outcome.room = self.outputs;
        let result = self.run(input, outcome);
        match &result {
            Ok(()) => {
                // A record that was multiplied may fail more than once.
                outcome.failures.sort_by_key(|failure| failure.record);
                outcome.failures.dedup_by_key(|failure| failure.record);
            }
            Err(_) => outcome.clear(),
        }
        result
    }

    fn run(&mut self, input: &Input<'_>, outcome: &mut Outcome) -> Result<(), CallError> {
        let Input { source, batch, origins } = *input;
        let stream = Stream { source, batch, place: 0, origins };
        let Some((first, rest)) = self.transformers.split_first_mut() else {
            return self.finish(&stream, outcome);
        };
        let mut kept = first.run(&stream, outcome)?;
        for stage in rest {
            let batch = std::mem::take(&mut outcome.derived[kept.0 - 1]);
            let origins = Some(kept.1.as_slice());
            let stream = Stream { source, batch: &batch, place: kept.0, origins };
            let next = stage.run(&stream, outcome)?;
            outcome.derived[kept.0 - 1] = batch;
            kept = next;
        }
        let (place, origins) = kept;
        let batch = std::mem::take(&mut outcome.derived[place - 1]);
        let stream = Stream { source, batch: &batch, place, origins: Some(&origins) };
        self.finish(&stream, outcome)?;
        outcome.derived[place - 1] = batch;
        Ok(())
    }

    /// What is left at the end of the transformers goes to the sink, as a
    /// prediction where the pipeline makes one.
    fn finish(&mut self, stream: &Stream<'_>, outcome: &mut Outcome) -> Result<(), CallError> {
        if stream.batch.is_empty() {
            return Ok(());
        }
        match &mut self.predictor {
            Some(predictor) => predictor.run(stream, outcome),
            None => {
                let records = 0..stream.batch.len() as u32;
                outcome.outputs.extend(records.map(|index| Placed {
                    origin: stream.origin(index),
                    topic: 0,
                    batch: stream.place,
                    index,
                    value: None,
                    variant: Variant::Serving,
                }));
                Ok(())
            }
        }
    }
}

impl Routed {
    /// Runs the stage. Records that it routes become outputs; the others are the
    /// batch whose place and origins are returned.
    fn run(
        &mut self,
        stream: &Stream<'_>,
        outcome: &mut Outcome,
    ) -> Result<(usize, Vec<u32>), CallError> {
        if stream.batch.is_empty() {
            outcome.derived.push(Batch::default());
            return Ok((outcome.derived.len(), Vec::new()));
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
            outcome.derived.push(whole);
            return Ok((outcome.derived.len(), origins));
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
                }),
            }
        }
        outcome.derived.extend([whole, kept]);
        Ok((outcome.derived.len(), kept_origins))
    }
}

/// A transformer's outputs, as a batch; and the route of each.
pub fn emitted(batch: &Batch, records: Emitted) -> (Batch, Vec<u32>) {
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

impl Predictor {
    fn run(&mut self, stream: &Stream<'_>, outcome: &mut Outcome) -> Result<(), CallError> {
        let Extracted { table, failures } = self.extractor.extract(stream.batch)?;
        let rows = remaining(0..stream.batch.len() as u32, failures.iter().map(|f| f.index));
        let stage = self.extractor.name();
        for failure in failures {
            outcome.fail(stream.origin(failure.index), stage, failure.code.into(), failure.message);
        }
        if table.rows == 0 {
            return Ok(());
        }
        let scored = self.scorer.at(CallSeed::of(stream.batch)).score(&table)?;
        let stage = self.scorer.name();
        let failed = scored.failures.iter().map(|failure| rows[failure.index as usize]);
        let predicted = remaining(rows.iter().copied(), failed);
        for failure in scored.failures {
            let origin = stream.origin(rows[failure.index as usize]);
            outcome.fail(origin, stage, failure.code.into(), failure.message);
        }
        if predicted.is_empty() {
            return Ok(());
        }
        let width = scored.values.len() / predicted.len();
        for (prediction, index) in predicted.into_iter().enumerate() {
            let (record, place) = stream.record(index);
            let label = scored.labels.get(prediction).copied();
            let values = &scored.values[prediction * width..][..width];
            let start = outcome.values.len();
            match self.encoder.encode(&record, label, values, &mut outcome.values) {
                Ok(()) => {
                    let made = outcome.values.len() - start;
                    outcome.take_room(made + RECORD, &"sink".into())?;
                    let origin = stream.origin(index);
                    outcome.outputs.push(Placed {
                        origin,
                        topic: 0,
                        batch: stream.place,
                        index: place,
                        value: Some(start..outcome.values.len()),
                        variant: Variant::Serving,
                    });
                    if let Some(predictions) = &mut outcome.predictions {
                        predictions.push(origin, label, values);
                    }
                }
                Err(error) => {
                    outcome.values.truncate(start);
                    let message = error.to_string();
                    outcome.fail(stream.origin(index), &"sink".into(), Code::Sink, message);
                }
            }
        }
        Ok(())
    }
}

/// `all` without those in `without`; both ascend.
fn remaining(all: impl Iterator<Item = u32>, without: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut without = without.peekable();
    all.filter(|index| without.next_if_eq(index).is_none()).collect()
}

#[cfg(test)]
mod tests {
    use super::remaining;

    #[test]
    fn what_remains_keeps_its_order() {
        assert_eq!(remaining(0..5, [0, 3].into_iter()), [1, 2, 4]);
        assert_eq!(remaining([2, 4, 7].into_iter(), [4].into_iter()), [2, 7]);
        assert_eq!(remaining(0..2, [].into_iter()), [0, 1]);
    }
}
