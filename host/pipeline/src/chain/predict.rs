//! Extractors and scorers of the same records: the features of each are passed to as many scorers
//! as read them, and so are predictions. What leaves are the predictions, as outputs or as records
//! for the stages that follow.

use std::sync::Arc;

use sandbar_record::{Batch, Code, MODEL_HEADER, Record, Variant};
use sandbar_sandbox::{CallError, CallSeed, Extracted, Extractor, Failure, Scored, Scorer, Usage};

use super::rows::{Rows, common, remaining};
use super::stream::{Made, RECORD, Stream};
use crate::encoding::{EncodeError, Writer};
use crate::graph::Columns;
use crate::outcome::{Outcome, Placed, too_large};
use crate::routing::{Item, Router};

/// Extractors and scorers of the same records.
pub(crate) struct Predictor {
    pub(crate) steps: Vec<Step>,
    /// The scorers whose predictions leave it.
    pub(crate) leaves: Vec<usize>,
    /// How these are written.
    pub(crate) writer: Writer,
    /// Their models, `name@version`.
    pub(crate) model: Option<Arc<str>>,
}

/// One of them.
pub(crate) enum Step {
    Extractor(Box<Extractor>),
    Scorer(Box<ScorerStep>),
}

/// A scorer, and the columns that it is given.
pub(crate) struct ScorerStep {
    pub(crate) scorer: Scorer,
    pub(crate) inputs: Vec<usize>,
    pub(crate) columns: Columns,
    /// Whether another step reads its predictions.
    pub(crate) is_input: bool,
    /// Its index among all scorers of the pipeline.
    pub(crate) number: usize,
}

impl Step {
    /// What it has used, by its name.
    pub(super) fn usage(&self) -> (Arc<str>, Usage) {
        match self {
            Step::Extractor(extractor) => (extractor.name().clone(), extractor.usage()),
            Step::Scorer(step) => (step.scorer.name().clone(), step.scorer.usage()),
        }
    }
}

/// What the steps have made of the records that none of them failed.
struct Predicted {
    /// The records, by their index in the stream.
    records: Vec<u32>,
    /// By step, a row for each of these.
    rows: Vec<Rows>,
}

impl Predictor {
    /// Predictions as outputs.
    pub(super) fn deliver(
        &mut self,
        stream: &Stream<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), CallError> {
        let Some(predicted) = self.predict(stream, outcome)? else { return Ok(()) };
        for (row, index) in predicted.records.iter().enumerate() {
            let (record, place) = stream.record(*index);
            let start = outcome.values.len();
            match self.write(&predicted, row, &record, &mut outcome.values) {
                Ok(()) => {
                    let made = outcome.values.len() - start;
                    outcome.take_room(made + RECORD, &"sink".into())?;
                    outcome.outputs.push(Placed {
                        origin: stream.origin(*index),
                        topic: 0,
                        batch: stream.place,
                        index: place,
                        value: Some(start..outcome.values.len()),
                        variant: Variant::Serving,
                        schema: self.writer.header().clone(),
                    });
                    self.note(&predicted, row, stream.origin(*index), outcome);
                }
                Err(error) => {
                    outcome.values.truncate(start);
                    let message = error.to_string();
                    outcome.fail(stream.origin(*index), &"sink".into(), Code::Sink, message);
                }
            }
        }
        Ok(())
    }

    /// Predictions as outputs, each to where it belongs.
    pub(super) fn route(
        &mut self,
        router: &Router,
        stream: &Stream<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), CallError> {
        let Some(predicted) = self.predict(stream, outcome)? else { return Ok(()) };
        let Batch { topic, partition, .. } = stream.batch;
        let mut made = Batch::new(topic.clone(), *partition, 0);
        let place = outcome.derived.len() + 1;
        for (row, number) in predicted.records.iter().enumerate() {
            let ((record, index), origin) = (stream.record(*number), stream.origin(*number));
            let item = Item {
                record,
                batch: stream.place,
                index,
                origin,
                predictions: &|scorer| predicted.rows[self.leaves[scorer]].prediction(row),
                scorers: self.leaves.len(),
                writer: Some(&self.writer),
            };
            if router.take(&item, &mut made, place, outcome)? {
                self.note(&predicted, row, origin, outcome);
            }
        }
        outcome.derived.push(made);
        Ok(())
    }

    /// Predictions as records, just as a topic would have them between two pipelines.
    pub(super) fn pass_on(
        &mut self,
        stream: &Stream<'_>,
        outcome: &mut Outcome,
    ) -> Result<Made, CallError> {
        let Some(predicted) = self.predict(stream, outcome)? else {
            return Ok(Made::put(Batch::default(), Vec::new(), outcome));
        };
        let Batch { topic, partition, .. } = stream.batch;
        let count = predicted.records.len();
        let mut batch = Batch::new(topic.clone(), *partition, count);
        let (mut origins, mut value) = (Vec::with_capacity(count), Vec::new());
        for (row, index) in predicted.records.iter().enumerate() {
            let ((record, _), origin) = (stream.record(*index), stream.origin(*index));
            value.clear();
            if let Err(error) = self.write(&predicted, row, &record, &mut value) {
                outcome.fail(origin, &"sink".into(), Code::Sink, error.to_string());
                continue;
            }
            let model = self.model.as_ref().map(|it| (MODEL_HEADER, Some(it.as_bytes())));
            let headers = record.headers().chain(model);
            let of_header = |(name, value): (&str, Option<&[u8]>)| {
                name.len() + value.map_or(0, <[u8]>::len) + 8
            };
            let key = record.key().map_or(0, <[u8]>::len);
            let made = value.len() + key + headers.clone().map(of_header).sum::<usize>();
            outcome.take_room(made + RECORD, &"sink".into())?;
            if !batch.fits(made) {
                return Err(too_large(&"sink".into()));
            }
            batch.push(record.offset(), record.timestamp(), record.key(), Some(&value), headers);
            origins.push(origin);
            self.note(&predicted, row, origin, outcome);
        }
        Ok(Made::put(batch, origins, outcome))
    }

    /// Takes records through all steps. `None`: nothing is left of them.
    fn predict(
        &mut self,
        stream: &Stream<'_>,
        outcome: &mut Outcome,
    ) -> Result<Option<Predicted>, CallError> {
        let all = stream.batch.len() as u32;
        let mut records: Vec<u32> = (0..all).collect();
        let mut rows: Vec<Rows> = Vec::with_capacity(self.steps.len());
        for step in &mut self.steps {
            if records.is_empty() {
                return Ok(None);
            }
            match step {
                Step::Extractor(extractor) => {
                    if let Some(capture) = outcome.capture.as_deref_mut() {
                        capture.records(extractor.name(), stream.batch);
                    }
                    let Extracted { table, failures } = extractor.extract(stream.batch)?;
                    let read = remaining(0..all, failures.iter().map(|it| it.index));
                    fail(failures, extractor.name(), outcome, |index| stream.origin(index));
                    // Most often nothing fails.
                    if read.len() < all as usize {
                        records = common(&records, &read);
                    }
                    rows.push(Rows::features(read, table.columns));
                }
                Step::Scorer(step) => {
                    step.inputs.iter().for_each(|input| rows[*input].keep(&records));
                    let picks = step.columns.picks.iter();
                    let columns = picks.map(|(input, at)| rows[*input].column(*at));
                    let count = records.len() as u32;
                    let (name, fields) = (step.scorer.name(), &step.columns.fields);
                    if let Some(capture) = outcome.capture.as_deref_mut() {
                        capture.rows(name, count, columns.clone(), fields);
                    }
                    let scorer = step.scorer.at(CallSeed::of(stream.batch));
                    let Scored { labels, values, failures } =
                        scorer.score_columns(count, columns)?;
                    let failed = failures.iter().map(|it| records[it.index as usize]);
                    let scored = remaining(records.iter().copied(), failed);
                    let origin = |row: u32| stream.origin(records[row as usize]);
                    fail(failures, step.scorer.name(), outcome, origin);
                    let mut made = Rows::predictions(scored.clone(), labels, values);
                    if step.is_input {
                        let stage = step.scorer.name();
                        outcome.take_room(made.label_bytes(step.scorer.shape()), stage)?;
                        let columns = made.make_columns(step.scorer.shape());
                        columns.ok_or_else(|| too_large(stage))?;
                    }
                    rows.push(made);
                    records = scored;
                }
            }
        }
        // Features are not read any more.
        for (rows, step) in rows.iter_mut().zip(&self.steps) {
            if matches!(step, Step::Scorer(_)) {
                rows.keep(&records);
            }
        }
        Ok((!records.is_empty()).then_some(Predicted { records, rows }))
    }

    /// Writes what leaves of a row.
    #[inline]
    fn write(
        &self,
        predicted: &Predicted,
        row: usize,
        record: &Record<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let predictions = self.leaves.iter().map(|leaf| predicted.rows[*leaf].prediction(row));
        self.writer.encode(record, predictions, out)
    }

    /// Keeps the predictions of a row for a comparison, if there is one.
    #[inline]
    fn note(&self, predicted: &Predicted, row: usize, origin: u32, outcome: &mut Outcome) {
        let Some(predictions) = &mut outcome.predictions else { return };
        for (step, rows) in self.steps.iter().zip(&predicted.rows) {
            if let Step::Scorer(step) = step {
                let prediction = rows.prediction(row);
                predictions.push(step.number, origin, prediction.label, prediction.values);
            }
        }
    }
}

/// Rows that failed in a stage; `origin` says of which record each is.
fn fail(
    failures: Vec<Failure>,
    stage: &Arc<str>,
    outcome: &mut Outcome,
    origin: impl Fn(u32) -> u32,
) {
    for failure in failures {
        outcome.fail(origin(failure.index), stage, failure.code.into(), failure.message);
    }
}
