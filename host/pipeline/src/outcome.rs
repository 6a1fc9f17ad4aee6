//! What becomes of a batch: outputs, predictions and failures, each of the record that it is of.

use std::ops::Range;
use std::sync::Arc;

use crate::capture::Capture;
use sandbar_manifest::OUTPUTS;
use sandbar_record::{Batch, Code, Failure, Output, SchemaHeader, Variant, shorten};
use sandbar_sandbox::{Blame, CallError};

/// The result of a batch. Reused from batch to batch.
#[derive(Default)]
pub struct Outcome {
    /// At most one failure for each record, in order of the records.
    pub failures: Vec<Failure>,
    /// Records that a transformer dropped.
    pub filtered: usize,
    /// Outputs that no route took, and that were dropped for that.
    pub unrouted: usize,
    /// The predictions as numbers, if a comparison needs them.
    pub(crate) predictions: Option<PredictionSet>,
    /// Whether outputs say which variant made them.
    pub(crate) tagged: bool,
    pub(crate) outputs: Vec<Placed>,
    /// What transformers made; outputs refer to them.
    pub(crate) derived: Vec<Batch>,
    /// The encoded predictions, end to end.
    pub(crate) values: Vec<u8>,
    /// The model of each variant.
    pub(crate) models: [Option<Arc<str>>; 2],
    /// Bytes that it may still take.
    pub(crate) room: usize,
    /// What reaches a stage, if that is wanted.
    pub(crate) capture: Option<Box<Capture>>,
}

/// The predictions of all scorers of a pipeline, in their order.
#[derive(Debug, Default)]
pub(crate) struct PredictionSet(Vec<Predictions>);

impl PredictionSet {
    /// Adds one of the scorer with this number.
    pub(crate) fn push(&mut self, scorer: usize, origin: u32, label: Option<u32>, values: &[f64]) {
        if self.0.len() <= scorer {
            self.0.resize_with(scorer + 1, Predictions::default);
        }
        self.0[scorer].push(origin, label, values);
    }

    /// Those of one scorer; `None`: it has made none.
    pub(crate) fn of(&self, scorer: usize) -> Option<&Predictions> {
        self.0.get(scorer)
    }

    /// How many records the last scorer that made any has made them of.
    pub(crate) fn scored(&self) -> Option<usize> {
        self.0.last().filter(|last| last.width > 0).map(|last| last.origins.len())
    }

    fn append(&mut self, other: &mut Self) {
        if self.0.len() < other.0.len() {
            self.0.resize_with(other.0.len(), Predictions::default);
        }
        self.0.iter_mut().zip(&mut other.0).for_each(|(own, other)| own.append(other));
    }

    fn clear(&mut self) {
        self.0.iter_mut().for_each(Predictions::clear);
    }
}

/// Predictions as numbers, in order of their records.
#[derive(Debug, Default)]
pub struct Predictions {
    /// Index in the batch of the record that each comes from.
    pub origins: Vec<u32>,
    /// The label of each; empty if the scorer says none.
    pub labels: Vec<u32>,
    /// How many numbers each has.
    pub width: usize,
    values: Vec<f64>,
}

impl Predictions {
    /// Adds one.
    pub fn push(&mut self, origin: u32, label: Option<u32>, values: &[f64]) {
        self.origins.push(origin);
        self.labels.extend(label);
        self.width = values.len();
        self.values.extend_from_slice(values);
    }

    /// The numbers of one.
    pub fn values(&self, index: usize) -> &[f64] {
        &self.values[index * self.width..][..self.width]
    }

    fn append(&mut self, other: &mut Self) {
        self.origins.append(&mut other.origins);
        self.labels.append(&mut other.labels);
        self.values.append(&mut other.values);
        self.width = self.width.max(other.width);
    }

    fn clear(&mut self) {
        self.origins.clear();
        self.labels.clear();
        self.values.clear();
    }
}

/// An output, and what it is made of.
pub(crate) struct Placed {
    pub(crate) origin: u32,
    pub(crate) topic: usize,
    /// 0: the batch that came in; k: `derived[k - 1]`.
    pub(crate) batch: usize,
    pub(crate) index: u32,
    /// The range in `values`, for a prediction.
    pub(crate) value: Option<Range<usize>>,
    /// Who made it.
    pub(crate) variant: Variant,
    /// What it says of the schema of its value.
    pub(crate) schema: SchemaHeader,
}

impl Outcome {
    pub(crate) fn clear(&mut self) {
        self.failures.clear();
        self.filtered = 0;
        self.unrouted = 0;
        self.outputs.clear();
        self.derived.clear();
        self.values.clear();
        self.tagged = false;
        if let Some(predictions) = &mut self.predictions {
            predictions.clear();
        }
    }

    /// One that keeps predictions for a comparison, if that is wanted.
    pub(crate) fn keeping(predictions: bool) -> Self {
        Outcome { predictions: predictions.then(PredictionSet::default), ..Outcome::default() }
    }

    /// How many outputs there are.
    pub fn count(&self) -> usize {
        self.outputs.len()
    }

    /// Takes over the result of other records, or of the same by another `variant`.
    pub(crate) fn append(&mut self, other: &mut Outcome, variant: Variant) {
        let (values, derived) = (self.values.len(), self.derived.len());
        self.values.append(&mut other.values);
        self.derived.append(&mut other.derived);
        self.outputs.extend(other.outputs.drain(..).map(|placed| Placed {
            batch: if placed.batch == 0 { 0 } else { placed.batch + derived },
            value: placed.value.map(|range| range.start + values..range.end + values),
            variant,
            ..placed
        }));
        self.failures.append(&mut other.failures);
        self.filtered += std::mem::take(&mut other.filtered);
        self.unrouted += std::mem::take(&mut other.unrouted);
        self.models[variant as usize].clone_from(&other.models[Variant::Serving as usize]);
        if let (Some(predictions), Some(others)) = (&mut self.predictions, &mut other.predictions) {
            predictions.append(others);
        }
    }

    /// Puts outputs and failures in order of the records that they come from.
    pub(crate) fn sort(&mut self) {
        self.outputs.sort_by_key(|placed| placed.origin);
        self.failures.sort_by_key(|failure| failure.record);
    }

    /// The output records, in order. `batch` is the one that the outcome is of: that
    /// of [`Chain::process`], or the source of [`Chain::process_input`].
    pub fn outputs<'a>(&'a self, batch: &'a Batch) -> impl Iterator<Item = Output<'a>> {
        self.outputs.iter().map(move |placed| {
            let source = if placed.batch == 0 { batch } else { &self.derived[placed.batch - 1] };
            let record = source.record(placed.index as usize);
            let value = match &placed.value {
                Some(range) => Some(&self.values[range.clone()]),
                None => record.value(),
            };
            let model = self.models[placed.variant as usize].as_deref();
            Output {
                origin: placed.origin as usize,
                topic: placed.topic,
                model: model.filter(|_| placed.value.is_some()),
                variant: self.tagged.then_some(placed.variant),
                record,
                value,
                schema: &placed.schema,
            }
        })
    }

    /// Drops the outputs of records; `origins` ascend.
    pub(crate) fn withdraw(&mut self, origins: &[usize]) {
        self.outputs.retain(|placed| origins.binary_search(&(placed.origin as usize)).is_err());
    }

    /// Takes so many bytes of what is left.
    ///
    /// # Errors
    /// If there are fewer.
    pub(crate) fn take_room(&mut self, bytes: usize, stage: &Arc<str>) -> Result<(), CallError> {
        match self.room.checked_sub(bytes) {
            Some(left) => self.room = left,
            None => return Err(too_large(stage)),
        }
        Ok(())
    }

    pub(crate) fn fail(&mut self, origin: u32, stage: &Arc<str>, code: Code, message: String) {
        // A record that was multiplied may fail a million times; its first failure counts.
        if self.failures.last().is_some_and(|last| last.record == origin as usize) {
            return;
        }
        let (stage, message) = (stage.clone(), shorten(message));
        self.failures.push(Failure { record: origin as usize, stage, code, message });
    }
}

/// Too much is made of a batch.
pub(crate) fn too_large(stage: &Arc<str>) -> CallError {
    CallError {
        stage: stage.clone(),
        code: Code::TooLarge,
        message: format!("what is made of it takes more than {OUTPUTS} times [runner] in-flight"),
        blame: Blame::Records,
    }
}
