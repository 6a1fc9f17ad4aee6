//! Models of H2O: MOJOs.

use h2o_mojo::{Algorithm, ValueError};
use sandbar_operator::{Error, Output};

use crate::config::Treatment;

use super::model::{Describe, Feature, Model, Offset, Scored, Scorer, Takes, Unfit};

/// Whether these are the first bytes of a zip archive, or of an empty one.
pub(super) fn is_mojo(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK")
}

/// Reads a MOJO, which has all names itself.
pub(super) fn read(bytes: &[u8], _: Describe<'_>) -> Result<Box<dyn Model>, Error> {
    Ok(Box::new(h2o_mojo::Model::read(bytes)?))
}

impl Model for h2o_mojo::Model {
    fn features(&self) -> Vec<Box<dyn Feature>> {
        let features = self.features().iter().cloned();
        features.map(|feature| Box::new(feature) as Box<dyn Feature>).collect()
    }

    fn names(&self) -> Vec<String> {
        self.features().iter().map(|feature| feature.name().to_owned()).collect()
    }

    fn missing_column(&self) -> Treatment {
        Treatment::Missing
    }

    /// The classes, and where the model is calibrated their names once more, each with the prefix
    /// that H2O's own predictions have.
    fn output(&self) -> Result<Output, Error> {
        if self.classes().is_empty() {
            return Ok(Output::Values(self.outputs().to_vec()));
        }
        let mut names = self.classes().to_vec();
        if self.is_calibrated() {
            let calibrated: Vec<String> = names.iter().map(|name| format!("cal_{name}")).collect();
            if let Some(name) = calibrated.iter().find(|name| names.contains(name)) {
                return Err(format!(
                    "the model is calibrated and has a class '{name}', which is the name of a \
                     calibrated probability: rename the class and train again"
                )
                .into());
            }
            names.extend(calibrated);
        }
        Ok(Output::Classes(names))
    }

    fn offset(&self) -> Option<Offset> {
        let name = self.offset_column()?.to_owned();
        let algorithm = self.algorithm();
        let left_out = (!matches!(algorithm, Algorithm::Gbm | Algorithm::Glm | Algorithm::CoxPh))
            .then(|| format!("as H2O's MOJO scorer does for {algorithm}"));
        Some(Offset { name, left_out })
    }

    fn scorer(&self) -> Box<dyn Scorer> {
        let predictions = h2o_mojo::Predictions::default();
        Box::new(MojoScorer { scorer: h2o_mojo::Model::scorer(self), predictions })
    }
}

impl Feature for h2o_mojo::Feature {
    fn takes(&self) -> Takes {
        if self.domain().is_some() { Takes::Categories } else { Takes::Numbers }
    }

    #[inline]
    fn value(&self, text: &[u8]) -> Result<f64, Unfit> {
        h2o_mojo::Feature::value(self, text).map_err(|error| match error {
            ValueError::UnknownCategory => Unfit::UnknownCategory,
            ValueError::NotANumber => Unfit::NotANumber,
        })
    }
}

/// A MOJO's scorer, and the memory for a batch.
struct MojoScorer {
    scorer: h2o_mojo::Scorer,
    predictions: h2o_mojo::Predictions,
}

impl Scorer for MojoScorer {
    fn score(&mut self, rows: &[f64], offsets: Option<&[f64]>) -> Result<Scored<'_>, String> {
        let outcome = self.scorer.score(rows, offsets, &mut self.predictions);
        outcome.map_err(|error| error.to_string())?;
        Ok(Scored {
            labels: self.predictions.labels(),
            values: self.predictions.values(),
            width: self.predictions.width(),
            calibrated: self.predictions.calibrated(),
        })
    }
}
