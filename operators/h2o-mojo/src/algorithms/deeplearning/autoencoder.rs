//! Auto-encoders: what a network that has learnt to give back its input makes of a row, and by
//! how much that is off.

use std::sync::Arc;

use super::exact::Exact;
use super::input::Input;
use super::layer::Layer;
use crate::algorithms::engine::{Engine, EngineScorer};
use crate::columns::Feature;
use crate::error::Error;

/// How many rows go through a layer together.
const BLOCK: usize = 16;

/// A network whose outputs are its inputs.
#[derive(Debug)]
pub(super) struct AutoEncoder {
    input: Input,
    layers: Vec<Layer>,
    /// How many categories each categorical column has.
    levels: Vec<usize>,
    /// The names of the inputs.
    names: Vec<String>,
}

/// A network and the memory for some rows.
#[derive(Debug)]
struct Scorer {
    network: Arc<AutoEncoder>,
    exact: Exact,
    /// The inputs of a row, as numbers are before they are standardised.
    original: Vec<f64>,
}

impl AutoEncoder {
    /// A network for rows of these columns. Its layers are as wide as its inputs.
    ///
    /// # Errors
    /// Where a column of categories has not one input for each and one for none: H2O's wrapper
    /// takes that for granted when it compares a row with what the network makes of it.
    pub(super) fn new(
        input: Input,
        layers: Vec<Layer>,
        features: &[Feature],
    ) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Contradiction { key: "cat_offsets".into(), reason };
        let mut levels = vec![];
        let mut names = vec![];
        for (index, feature) in features.iter().enumerate() {
            let name = feature.name();
            let width = input.category_width(index);
            match (feature.domain(), width) {
                (Some(domain), Some(width)) if width == domain.levels().len() + 1 => {
                    let levels = domain.levels().iter();
                    names.extend(levels.map(|level| format!("reconstr_{name}.{level}")));
                    names.push(format!("reconstr_{name}.missing(NA)"));
                }
                (None, None) => names.push(format!("reconstr_{name}")),
                _ => return Err(wrong(format!("it does not fit column '{name}'"))),
            }
            levels.extend(feature.domain().map(|domain| domain.levels().len()));
        }
        Ok(Self { input, layers, levels, names })
    }

    /// Turns what the network makes of `row` into numbers as they are before they are
    /// standardised, and says the mean of the squares by which they are off.
    fn compare(&self, row: &[f64], made: &mut [f64], original: &mut Vec<f64>) -> f64 {
        let (categories, numbers) = row.split_at(self.levels.len());
        original.clear();
        for (value, levels) in categories.iter().zip(&self.levels) {
            let begin = original.len();
            original.resize(begin + levels + 1, 0.0);
            let known = *value >= 0.0 && *value < *levels as f64;
            original[begin + if known { *value as usize } else { *levels }] = 1.0;
        }
        let begin = original.len();
        original.extend_from_slice(numbers);
        let scale = self.input.scale();
        let mut sum = 0.0;
        for (place, (made, original)) in made.iter_mut().zip(&*original).enumerate() {
            let scale = scale.and_then(|scale| scale.get(place.checked_sub(begin)?));
            let (mean, multiplier) = *scale.unwrap_or(&(0.0, 1.0));
            if scale.is_some() {
                *made = *made / multiplier + mean;
            }
            let difference = (*made - original) * multiplier;
            sum += difference * difference;
        }
        sum / original.len() as f64
    }
}

impl Engine for AutoEncoder {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        Box::new(Scorer { network: self, exact: Exact::default(), original: vec![] })
    }

    fn outputs(&self) -> Vec<String> {
        std::iter::once("reconstruction_error".into()).chain(self.names.iter().cloned()).collect()
    }
}

impl EngineScorer for Scorer {
    fn score(
        &mut self,
        rows: &[f64],
        _: Option<&[f64]>,
        values: &mut [f64],
        width: usize,
        _: &mut Vec<f64>,
    ) {
        let Self { network, exact, original } = self;
        let features = network.input.features();
        let [first @ .., last] = &network.layers[..] else { return };
        let blocks = rows.chunks(BLOCK * features).zip(values.chunks_mut(BLOCK * width));
        for (rows, values) in blocks {
            let mut rows = rows.chunks_exact(features);
            exact.begin(rows.clone(), &network.input, &network.layers);
            for (layer, next) in first.iter().zip(&network.layers[1..]) {
                exact.hidden(layer, &next.dense);
            }
            let mut values = values.chunks_exact_mut(width);
            exact.last_activated(last, |made| {
                let (Some(row), Some(values)) = (rows.next(), values.next()) else { return };
                if let Some((error, inputs)) = values.split_first_mut() {
                    inputs.copy_from_slice(made);
                    *error = network.compare(row, inputs, original);
                }
            });
        }
    }
}
