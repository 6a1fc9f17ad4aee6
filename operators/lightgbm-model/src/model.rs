//! A model, and what scores rows with it.

use std::sync::Arc;

use decision_trees::Scratch;

use crate::ending;
use crate::error::Error;
use crate::features::{self, Feature};
use crate::forest::Forest;
use crate::header::Header;
use crate::limits::{self, Limits};
use crate::objective::{Category, Objective};
use crate::text::{self, Lines};

/// The largest number that LightGBM takes for zero in a row.
const ZERO: f64 = 1e-35_f32 as f64;

/// A model read from LightGBM's text. Clones share it.
#[derive(Debug, Clone)]
pub struct Model {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    version: u32,
    objective: Objective,
    features: Vec<Feature>,
    classes: Vec<String>,
    outputs: Vec<String>,
    forest: Forest,
    /// How many sums a row has.
    groups: usize,
    average: bool,
}

impl Model {
    /// Reads a text model, within the default [`Limits`].
    ///
    /// # Errors
    ///
    /// [`Error`], for anything that is not a text model, is damaged, or is of a kind that this
    /// crate does not score.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        Self::read_within(bytes, &Limits::default())
    }

    /// Reads a text model, within `limits`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_within(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        limits::check(|| "bytes".into(), bytes.len() as u64, limits.bytes, "bytes")?;
        let mut lines = Lines::new(text::of_bytes(bytes)?);
        let header = Header::read(&mut lines, limits)?;
        let objective = Objective::read(&header)?;
        let mut features = features::read(&header)?;
        let forest = Forest::read(&mut lines, &header, limits)?;
        ending::read(&mut lines, &mut features, limits)?;

        let groups = header.groups;
        let classes = match objective.category {
            Category::Binomial => 2,
            Category::Multinomial => groups,
            _ => 0,
        };
        let outputs = match (objective.category, groups) {
            (Category::Raw, 1) => vec!["raw_score".into()],
            (Category::Raw, _) => (0..groups).map(|group| format!("raw_score_{group}")).collect(),
            _ if classes > 0 => vec![],
            _ => vec!["predict".into()],
        };
        Ok(Self {
            shared: Arc::new(Shared {
                version: header.version,
                objective,
                features,
                classes: (0..classes).map(|class| class.to_string()).collect(),
                outputs,
                forest,
                groups,
                average: header.average,
            }),
        })
    }

    /// The version of the text format: 3 or 4.
    pub fn version(&self) -> u32 {
        self.shared.version
    }

    /// LightGBM's name of the objective, such as `binary`; `custom` where it is none of
    /// LightGBM's own.
    pub fn objective(&self) -> &'static str {
        self.shared.objective.name
    }

    /// What the model predicts.
    pub fn category(&self) -> Category {
        self.shared.objective.category
    }

    /// The names of the classes: their numbers, since LightGBM's text has no others. Empty where
    /// the model has none, as for a regression.
    pub fn classes(&self) -> &[String] {
        &self.shared.classes
    }

    /// The names of a row's values for a model without classes; empty for one with classes:
    /// `predict`; of [`Category::Raw`] `raw_score`, or where there are several `raw_score_0` and
    /// so on.
    pub fn outputs(&self) -> &[String] {
        &self.shared.outputs
    }

    /// The columns of a row, in their order.
    pub fn features(&self) -> &[Feature] {
        &self.shared.features
    }

    /// How many trees the model has.
    pub fn trees(&self) -> usize {
        self.shared.forest.trees()
    }

    /// Makes a scorer. It holds the memory that scoring needs, so keep it for many rows.
    pub fn scorer(&self) -> Scorer {
        let scratch = self.shared.forest.scratch();
        Scorer { model: self.clone(), scratch, leaves: vec![], sums: vec![], rows: vec![] }
    }
}

/// Scores rows with a model. One per thread.
#[derive(Debug)]
pub struct Scorer {
    model: Model,
    scratch: Scratch,
    leaves: Vec<u32>,
    sums: Vec<f64>,
    /// Rows with zero where they are nearly zero.
    rows: Vec<f64>,
}

impl Scorer {
    /// The model that is scored with.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Scores `rows`, row-major, one value for each of [`Model::features`]: a number, or a
    /// category's number from [`Domain::index`](crate::Domain::index), or NaN where it is
    /// missing.
    ///
    /// What `predictions` held before is overwritten, its memory used again.
    ///
    /// # Errors
    ///
    /// [`Error::Rows`], where the values are not a whole number of rows.
    pub fn score(&mut self, rows: &[f64], predictions: &mut Predictions) -> Result<(), Error> {
        self.sum(rows)?;
        let model = &*self.model.shared;
        if model.average {
            let iterations = model.forest.iterations() as f64;
            self.sums.iter_mut().for_each(|sum| *sum /= iterations);
        }
        let link = model.objective.link;
        self.sums.chunks_exact_mut(model.groups).for_each(|sums| link.apply(sums));
        let Predictions { labels, values, width } = predictions;
        labels.clear();
        values.clear();
        *width = model.outputs.len().max(model.classes.len());
        if model.objective.category == Category::Binomial {
            values.extend(self.sums.iter().flat_map(|second| [1.0 - second, *second]));
        } else {
            values.extend_from_slice(&self.sums);
        }
        if !model.classes.is_empty() {
            labels.extend(values.chunks_exact(*width).map(largest));
        }
        Ok(())
    }

    /// As [`score`](Self::score), but answers the sums of the trees, with neither the
    /// objective's function nor the average of a random forest: LightGBM's `raw_score`. There
    /// is one value per row, or one for each class of many, and there are no labels.
    ///
    /// # Errors
    ///
    /// As [`score`](Self::score).
    pub fn score_raw(&mut self, rows: &[f64], predictions: &mut Predictions) -> Result<(), Error> {
        self.sum(rows)?;
        predictions.labels.clear();
        predictions.values.clear();
        predictions.values.extend_from_slice(&self.sums);
        predictions.width = self.model.shared.groups;
        Ok(())
    }

    fn sum(&mut self, rows: &[f64]) -> Result<(), Error> {
        let model = &*self.model.shared;
        let features = model.features.len();
        if !rows.len().is_multiple_of(features) {
            return Err(Error::Rows { values: rows.len(), features });
        }
        let Self { scratch, leaves, sums, rows: copy, .. } = self;
        sums.clear();
        sums.resize(rows.len() / features * model.groups, 0.0);
        // LightGBM puts zero for what is nearly zero before any tree sees it.
        let is_near = |value: f64| (value.abs() <= ZERO) & (value.to_bits() != 0);
        let rows = if rows.iter().fold(false, |any, value| any | is_near(*value)) {
            copy.clear();
            copy.extend(rows.iter().map(|value| if is_near(*value) { 0.0 } else { *value }));
            copy
        } else {
            rows
        };
        model.forest.sum(rows, scratch, leaves, sums, model.groups);
        Ok(())
    }
}

/// The predictions for some rows. Keep it and hand it over again: its memory is reused.
#[derive(Debug, Clone, Default)]
pub struct Predictions {
    labels: Vec<u32>,
    values: Vec<f64>,
    width: usize,
}

impl Predictions {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many values a row has: one per class, or one per name of [`Model::outputs`].
    pub fn width(&self) -> usize {
        self.width
    }

    /// Per row the number of its class in [`Model::classes`]; empty where the model has none.
    /// It is the first of the most probable, or the first that is NaN, as LightGBM's classifier
    /// has it.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Row-major [`width`](Self::width) values per row: the probabilities of the classes, or
    /// what [`Model::outputs`] names. Where LightGBM says NaN or infinity, as for an infinite
    /// value in a linear tree, so does this.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

/// The number of the first of the largest values, or of the first NaN.
fn largest(values: &[f64]) -> u32 {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if values[best].is_nan() {
            break;
        }
        if *value > values[best] || value.is_nan() {
            best = index;
        }
    }
    best as u32
}
