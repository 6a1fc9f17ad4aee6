//! Models of LightGBM: its text.

use lightgbm_model::{Model, Predictions, ValueError};
use sandbar_operator::Error;

use super::model::{Describe, Feature, Scored, Scorer, Takes, Unfit};
use super::named::{Library, named};

/// Whether these are the first bytes of a text model.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    bytes.starts_with(b"tree\n") || bytes.starts_with(b"tree\r\n")
}

/// Reads a text model.
pub(super) fn read(
    bytes: &[u8],
    describe: Describe<'_>,
) -> Result<Box<dyn super::model::Model>, Error> {
    named(Model::read(bytes)?, describe)
}

impl Library for Model {
    type Feature = lightgbm_model::Feature;

    fn features(&self) -> &[Self::Feature] {
        self.features()
    }

    fn name(feature: &Self::Feature) -> &str {
        feature.name()
    }

    fn nameless(index: usize) -> String {
        format!("Column_{index}")
    }

    fn classes(&self) -> &[String] {
        self.classes()
    }

    fn outputs(&self) -> &[String] {
        self.outputs()
    }

    fn scorer(&self) -> Box<dyn Scorer> {
        Box::new(TextScorer { scorer: self.scorer(), predictions: Predictions::default() })
    }
}

impl Feature for lightgbm_model::Feature {
    /// Categories of pandas have names; others are numbers, of categories too.
    fn takes(&self) -> Takes {
        if self.domain().is_some() { Takes::Categories } else { Takes::Numbers }
    }

    fn value(&self, text: &[u8]) -> Result<f64, Unfit> {
        self.value(text).map_err(|error| match error {
            ValueError::UnknownCategory => Unfit::UnknownCategory,
            ValueError::NotANumber => Unfit::NotANumber,
        })
    }
}

/// A text model's scorer, and the memory for a batch.
struct TextScorer {
    scorer: lightgbm_model::Scorer,
    predictions: Predictions,
}

impl Scorer for TextScorer {
    fn score(&mut self, rows: &[f64], _: Option<&[f64]>) -> Result<Scored<'_>, String> {
        let outcome = self.scorer.score(rows, &mut self.predictions);
        outcome.map_err(|error| error.to_string())?;
        let Self { predictions: it, .. } = self;
        Ok(Scored { labels: it.labels(), values: it.values(), width: it.width(), calibrated: &[] })
    }
}
