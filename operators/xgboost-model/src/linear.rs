//! Linear models (`gblinear`): weighted sums of a row's values.

use crate::error::Error;

/// A linear model.
#[derive(Debug)]
pub(crate) struct Linear {
    /// Of each feature the weight in each output, then the bias of each output.
    weights: Vec<f32>,
    features: usize,
    outputs: usize,
}

impl Linear {
    pub(crate) fn new(weights: Vec<f32>, features: usize, outputs: usize) -> Result<Self, Error> {
        let expected = (features + 1).checked_mul(outputs);
        if expected != Some(weights.len()) {
            return Err(Error::Field {
                place: "learner.gradient_booster.model.weights".into(),
                reason: format!(
                    "expected one per feature and one more, for each of {outputs} outputs, got {}",
                    weights.len()
                ),
            });
        }
        Ok(Self { weights, features, outputs })
    }

    /// Adds what each of `rows` comes to to `sums`, which has a number per row and output.
    /// Missing values add nothing.
    pub(crate) fn sum(&self, rows: &[f64], sums: &mut [f32]) {
        let (weights, biases) = self.weights.split_at(self.features * self.outputs);
        let rows = rows.chunks_exact(self.features);
        for (row, sums) in rows.zip(sums.chunks_exact_mut(self.outputs)) {
            for (sum, bias) in sums.iter_mut().zip(biases) {
                *sum += bias;
            }
            for (value, weights) in row.iter().zip(weights.chunks_exact(self.outputs)) {
                let value = *value as f32;
                if !value.is_nan() {
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum += value * weight;
                    }
                }
            }
        }
    }
}
