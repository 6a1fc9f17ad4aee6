//! One layer of neurons.

use super::activation::Activation;
use super::dense::Dense;
use super::doubt::Bound;
use super::simd::F32x4;

/// One layer of neurons.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) dense: Dense,
    pub(super) bound: Bound,
    /// How many sums a neuron has.
    pub(super) pieces: usize,
    /// What hidden neurons make of their sums. The last layer has its own function.
    pub(super) activation: Activation,
    /// What share of neurons training kept, by which their values are multiplied.
    pub(super) keep: f64,
}

impl Layer {
    /// Turns a row's `sums` into the values that go into the next layer.
    pub(super) fn activate(&self, sums: &[F32x4], values: &mut Vec<f32>) {
        values.clear();
        values.extend(sums.iter().flat_map(|sums| sums.to_array()));
        // The padding is cut off here, since an infinite input makes it NaN instead of zero.
        values.truncate(self.dense.outputs());
        if self.pieces == 2 {
            for neuron in 0..values.len() / 2 {
                values[neuron] = values[2 * neuron].max(values[2 * neuron + 1]);
            }
            values.truncate(values.len() / 2);
        }
        let keep = self.keep as f32;
        match self.activation {
            Activation::Rectifier => {
                values.iter_mut().for_each(|value| *value = 0.5 * (*value + value.abs()) * keep);
            }
            other => values.iter_mut().for_each(|value| {
                *value = other.apply(f64::from(*value)) as f32 * keep;
            }),
        }
    }
}
