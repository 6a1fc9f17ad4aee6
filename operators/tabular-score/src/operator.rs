//! The scorer.

use sandbar_operator::{Error, Failure, Field, Output, Predictions, Scorer, Setup, Table};

use crate::config::Config;
use crate::described::Description;
use crate::makers::{self, Scored};
use crate::offset::Offset;
use crate::source::{Rejected, Source};

/// A model, matched with the extractor's columns.
pub struct TabularScore {
    scorer: Box<dyn makers::Scorer>,
    sources: Vec<Source>,
    /// For a model that was trained with one.
    offset: Option<Offset>,
    /// The names of what a prediction has.
    output: Output,
    scratch: Scratch,
}

/// Memory that outlives a batch, so that none is allocated per row.
#[derive(Default)]
struct Scratch {
    /// A cell for each feature, row after row. Those of features without a column
    /// stay NaN from batch to batch.
    rows: Vec<f64>,
    rejected: Rejected,
}

impl Scorer for TabularScore {
    type Config = Config;

    fn configure(config: Config, setup: &Setup, features: &[Field]) -> Result<Self, Error> {
        let name = setup.main_model().ok_or(
            "the stage has no model: name a model's file, such as an H2O MOJO, in the stage's \
             `models`",
        )?;
        let of_model = |error: Error| error.context(format_args!("model '{name}'"));
        let describe = || Description::read(setup, name);
        let model = makers::read(&setup.load_model(name)?, &describe).map_err(of_model)?;
        let sources = Source::find_all(&*model, features, &config).map_err(of_model)?;
        let offset = Offset::find(model.offset(), features, &config).map_err(of_model)?;
        let output = model.output().map_err(of_model)?;
        let scratch = Scratch::default();
        Ok(TabularScore { scorer: model.scorer(), sources, offset, output, scratch })
    }

    fn output(&self) -> Output {
        self.output.clone()
    }

    fn score(&mut self, table: &Table<'_>, predictions: &mut Predictions) {
        let Scratch { rows, rejected } = &mut self.scratch;
        let width = self.sources.len();
        rejected.clear();
        rows.resize(table.rows() * width, f64::NAN);
        if table.rows() == 0 {
            return;
        }
        for (feature, source) in self.sources.iter_mut().enumerate() {
            source.read(table, rows[feature..].iter_mut().step_by(width), rejected);
        }
        let offsets = self.offset.as_mut().and_then(|offset| offset.read(table, rejected));
        // A row's first failure is that of its first feature: the sort is stable.
        rejected.sort_by_key(|(row, _)| *row);
        rejected.dedup_by_key(|(row, _)| *row);
        match self.scorer.score(rows, offsets) {
            Ok(scored) => give(scored, rejected, predictions),
            // Only for lengths that do not fit each other, which are made above.
            Err(error) => {
                let failure = Failure::internal(error);
                (0..table.rows()).for_each(|_| predictions.fail(failure.clone()));
            }
        }
    }
}

/// Hands over the predictions, and failures in the place of rejected rows.
fn give(scored: Scored<'_>, rejected: &mut Rejected, predictions: &mut Predictions) {
    let width = scored.width;
    let mut rejected = rejected.drain(..).peekable();
    let mut labels = scored.labels.iter();
    let mut calibrated = scored.calibrated.chunks_exact(width);
    for (row, values) in scored.values.chunks_exact(width).enumerate() {
        let (label, calibrated) = (labels.next(), calibrated.next());
        if let Some((_, failure)) = rejected.next_if(|(rejected, _)| *rejected == row) {
            predictions.fail(failure);
        } else if values.iter().any(|value| value.is_nan()) {
            predictions.fail(Failure::invalid("the model's result for this row is not a number"));
        } else if let (Some(label), Some(calibrated)) = (label, calibrated) {
            predictions.class_with(|all| {
                let (raw, rest) = all.split_at_mut(width);
                raw.copy_from_slice(values);
                rest.copy_from_slice(calibrated);
                Ok(*label as usize)
            });
        } else if let Some(label) = label {
            predictions.class(*label as usize, values);
        } else {
            predictions.values(values);
        }
    }
}
