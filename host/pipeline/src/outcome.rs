//! What becomes of a batch: outputs, predictions and failures, each of the record that it is of.

use std::ops::Range;
use std::sync::Arc;

use sandbar_manifest::OUTPUTS;
use sandbar_record::{Batch, Code, Failure, Output, Variant, shorten};
use sandbar_sandbox::{Blame, CallError};

/// The result of a batch. Reused from batch to batch.
#[derive(Default)]
pub struct Outcome {
    /// At most one failure for each record, in order of the records.
    pub failures: Vec<Failure>,
    /// Records that a transformer dropped.
    pub filtered: usize,
    /// The predictions as numbers, if a comparison needs them.
    pub(crate) predictions: Option<Predictions>,
    /// Whether outputs say which variant made them.
    pub(crate) tagged: bool,
    pub(super) outputs: Vec<Placed>,
    /// What transformers made; outputs refer to them.
    pub(super) derived: Vec<Batch>,
    /// The encoded predictions, end to end.
    pub(super) values: Vec<u8>,
    /// The model of each variant.
    pub(super) models: [Option<Arc<str>>; 2],
    /// Bytes that it may still take.
    pub(super) room: usize,
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
pub(super) struct Placed {
    pub(super) origin: u32,
    pub(super) topic: usize,
    /// 0: the batch that came in; k: `derived[k - 1]`.
    pub(super) batch: usize,
    pub(super) index: u32,
    /// The range in `values`, for a prediction.
    pub(super) value: Option<Range<usize>>,
    /// Who made it.
    pub(super) variant: Variant,
}

impl Outcome {
    pub(super) fn clear(&mut self) {
        self.failures.clear();
        self.filtered = 0;
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
        Outcome { predictions: predictions.then(Predictions::default), ..Outcome::default() }
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
    pub(super) fn take_room(&mut self, bytes: usize, stage: &Arc<str>) -> Result<(), CallError> {
        match self.room.checked_sub(bytes) {
            Some(left) => self.room = left,
            None => return Err(too_large(stage)),
        }
        Ok(())
    }

    pub(super) fn fail(&mut self, origin: u32, stage: &Arc<str>, code: Code, message: String) {
        // A record that was multiplied may fail a million times; its first failure counts.
        if self.failures.last().is_some_and(|last| last.record == origin as usize) {
            return;
        }
        let (stage, message) = (stage.clone(), shorten(message));
        self.failures.push(Failure { record: origin as usize, stage, code, message });
    }
}

fn too_large(stage: &Arc<str>) -> CallError {
    CallError {
        stage: stage.clone(),
        code: Code::TooLarge,
        message: format!("what is made of it takes more than {OUTPUTS} times [runner] in-flight"),
        blame: Blame::Records,
    }
}
