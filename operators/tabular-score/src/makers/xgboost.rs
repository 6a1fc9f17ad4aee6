//! Models of XGBoost: its JSON and UBJSON.

use sandbar_operator::Error;
use xgboost_model::{Model, Predictions, ValueError};

use super::model::{Describe, Feature, Scored, Scorer, Takes, Unfit};
use super::named::{Library, named};

/// Whether these are the first bytes of a model: of an object in JSON or UBJSON.
pub(super) fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

/// Reads what `save_model` writes.
pub(super) fn read(
    bytes: &[u8],
    describe: Describe<'_>,
) -> Result<Box<dyn super::model::Model>, Error> {
    named(Model::read(bytes)?, describe)
}

impl Library for Model {
    type Feature = xgboost_model::Feature;

    fn features(&self) -> &[Self::Feature] {
        self.features()
    }

    fn name(feature: &Self::Feature) -> &str {
        feature.name()
    }

    fn nameless(index: usize) -> String {
        format!("f{index}")
    }

    fn classes(&self) -> &[String] {
        self.classes()
    }

    fn outputs(&self) -> &[String] {
        self.outputs()
    }

    fn scorer(&self) -> Box<dyn Scorer> {
        Box::new(TreeScorer { scorer: self.scorer(), predictions: Predictions::default() })
    }
}

impl Feature for xgboost_model::Feature {
    /// Releases from 3.1 on know the names of categories; before, they are numbers.
    fn takes(&self) -> Takes {
        if self.categories().is_some() { Takes::Categories } else { Takes::Numbers }
    }

    fn value(&self, text: &[u8]) -> Result<f64, Unfit> {
        self.value(text).map_err(|error| match error {
            ValueError::UnknownCategory => Unfit::UnknownCategory,
            ValueError::NotANumber => Unfit::NotANumber,
        })
    }
}

/// A model's scorer, and the memory for a batch.
struct TreeScorer {
    scorer: xgboost_model::Scorer,
    predictions: Predictions,
}

impl Scorer for TreeScorer {
    fn score(&mut self, rows: &[f64], _: Option<&[f64]>) -> Result<Scored<'_>, String> {
        let outcome = self.scorer.score(rows, &mut self.predictions);
        outcome.map_err(|error| error.to_string())?;
        let Self { predictions: it, .. } = self;
        Ok(Scored { labels: it.labels(), values: it.values(), width: it.width(), calibrated: &[] })
    }
}
