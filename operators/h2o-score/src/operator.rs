//! The scorer.

use h2o_mojo::{Category, Model};
use sandbar_operator::{
    Column, Error, Failure, Field, FieldType, Output, Predictions, Scorer, Setup, Table,
};

use crate::config::Config;
use crate::source::{Rejected, Source};

/// A model, matched with the extractor's columns.
pub struct H2oScore {
    model: Model,
    scorer: h2o_mojo::Scorer,
    sources: Vec<Source>,
    /// Position of the column that holds the offset, for a model that has one.
    offset: Option<usize>,
    scratch: Scratch,
}

/// Memory that outlives a batch, so that none is allocated per row.
#[derive(Default)]
struct Scratch {
    /// A cell for each feature, row after row. Those of features without a column
    /// stay NaN from batch to batch.
    rows: Vec<f64>,
    rejected: Rejected,
    predictions: h2o_mojo::Predictions,
}

impl Scorer for H2oScore {
    type Config = Config;

    fn configure(config: Config, setup: &Setup, features: &[Field]) -> Result<Self, Error> {
        let name = setup
            .main_model()
            .ok_or("the stage has no model: name an H2O MOJO in the stage's `models`")?;
        let model = Model::read(&setup.load_model(name)?)
            .map_err(|error| Error::from(error).context(format_args!("model '{name}'")))?;
        let sources = Source::find_all(model.features(), features, &config)
            .map_err(|error| error.context(format_args!("model '{name}'")))?;
        let offset = offset(&model, features)?;
        Ok(H2oScore { scorer: model.scorer(), model, sources, offset, scratch: Scratch::default() })
    }

    fn output(&self) -> Output {
        match self.model.category() {
            Category::Binomial | Category::Multinomial => {
                Output::Classes(self.model.classes().to_vec())
            }
            Category::Regression => Output::Values(vec!["predict".into()]),
        }
    }

    fn score(&mut self, table: &Table<'_>, predictions: &mut Predictions) {
        let Scratch { rows, rejected, predictions: scored } = &mut self.scratch;
        let width = self.sources.len();
        rejected.clear();
        rows.resize(table.rows() * width, f64::NAN);
        if table.rows() == 0 {
            return;
        }
        for (feature, source) in self.sources.iter_mut().enumerate() {
            source.read(table, rows[feature..].iter_mut().step_by(width), rejected);
        }
        let offsets = match self.offset.and_then(|column| table.column(column)) {
            Some(Column::Numbers(numbers)) => Some(numbers),
            _ => None,
        };
        if let Err(error) = self.scorer.score(rows, offsets, scored) {
            // Only for lengths that do not fit each other, which are made above.
            let failure = Failure::internal(error.to_string());
            (0..table.rows()).for_each(|_| predictions.fail(failure.clone()));
            return;
        }
        // A row's first failure is that of its first feature: the sort is stable.
        rejected.sort_by_key(|(row, _)| *row);
        rejected.dedup_by_key(|(row, _)| *row);
        give(scored, rejected, predictions);
    }
}

/// Hands over the predictions, and failures in the place of rejected rows.
fn give(scored: &h2o_mojo::Predictions, rejected: &mut Rejected, predictions: &mut Predictions) {
    let mut rejected = rejected.drain(..).peekable();
    let mut labels = scored.labels().iter();
    for (row, values) in scored.values().chunks_exact(scored.width()).enumerate() {
        let label = labels.next();
        if let Some((_, failure)) = rejected.next_if(|(rejected, _)| *rejected == row) {
            predictions.fail(failure);
        } else if values[0].is_nan() {
            predictions.fail(Failure::invalid("the model's result for this row is not a number"));
        } else if let Some(label) = label {
            predictions.class(*label as usize, values);
        } else {
            predictions.values(values);
        }
    }
}

fn offset(model: &Model, fields: &[Field]) -> Result<Option<usize>, Error> {
    let Some(name) = model.offset_column() else { return Ok(None) };
    let column = fields.iter().position(|field| field.name == name);
    match column.map(|column| &fields[column].ty) {
        None | Some(FieldType::Number) => Ok(column),
        Some(_) => Err(format!(
            "offset column '{name}': expected a number: have the extractor give it as one"
        )
        .into()),
    }
}
