//! Rows through all layers.
//!
//! Hidden layers compute in single precision, which is twice as fast as double and, as long
//! as activations stay small, exact to about 1e-6 of a probability. A row whose activations
//! do not stay small, as where numbers are not standardised, is computed once more in double
//! precision, as H2O's scorer computes all rows. The last layer is always in double precision.

use std::sync::Arc;

use super::activation::Activation;
use super::dense::Dense;
use super::input::Input;
use super::simd::F32x4;
use super::sparse::Sparse;
use crate::algorithms::engine::{Engine, EngineScorer};
use crate::distribution::Link;

/// How many rows go through a layer together, while each part of its weights is at hand.
const BLOCK: usize = 16;
/// Up to which absolute value activations and inputs of hidden layers are small.
const SMALL: f32 = 32.0;

/// A network.
#[derive(Debug)]
pub(super) struct DeepLearning {
    input: Input,
    layers: Vec<Layer>,
    regression: bool,
    /// How the response was standardised: multiplier and mean.
    response: Option<(f64, f64)>,
    link: Link,
}

/// One layer of neurons.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) dense: Dense,
    /// How many sums a neuron has.
    pub(super) pieces: usize,
    /// What hidden neurons make of their sums. The last layer has its own function.
    pub(super) activation: Activation,
    /// What share of neurons training kept, by which their values are multiplied.
    pub(super) keep: f64,
}

/// A network and the memory for one block of rows.
#[derive(Debug)]
struct Scorer {
    network: Arc<DeepLearning>,
    scratch: Scratch,
}

/// The memory for one block of rows.
#[derive(Debug)]
struct Scratch {
    /// What goes into the next layer.
    inputs: Sparse,
    /// The sums of a layer.
    sums: Vec<F32x4>,
    /// What a row's neurons make of theirs.
    activations: Vec<f32>,
    /// Which rows of the block need double precision.
    large: [bool; BLOCK],
    exact: Exact,
}

/// The memory for one row in double precision.
#[derive(Debug, Default)]
struct Exact {
    inputs: Vec<(u32, f64)>,
    sums: Vec<f64>,
}

impl Engine for DeepLearning {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        let stride = self.layers.iter().map(|layer| layer.dense.stride()).max().unwrap_or(0);
        let scratch = Scratch {
            inputs: Sparse::default(),
            sums: vec![F32x4::splat(0.0); stride * BLOCK],
            activations: vec![],
            large: [false; BLOCK],
            exact: Exact::default(),
        };
        Box::new(Scorer { network: self, scratch })
    }
}

impl EngineScorer for Scorer {
    /// H2O's scorer leaves offsets out, and so does this one.
    fn score(&mut self, rows: &[f64], _: Option<&[f64]>, values: &mut [f64], width: usize) {
        let features = self.network.input.features();
        let blocks = rows.chunks(BLOCK * features).zip(values.chunks_mut(BLOCK * width));
        for (rows, values) in blocks {
            self.network.block(rows, &mut self.scratch, values, width);
        }
    }
}

impl DeepLearning {
    pub(super) fn new(
        input: Input,
        layers: Vec<Layer>,
        regression: bool,
        response: Option<(f64, f64)>,
        link: Link,
    ) -> Self {
        Self { input, layers, regression, response, link }
    }

    fn block(&self, rows: &[f64], scratch: &mut Scratch, values: &mut [f64], width: usize) {
        let Scratch { inputs, sums, activations, large, exact } = scratch;
        let [hidden @ .., last] = &self.layers[..] else { return };
        let features = self.input.features();
        large.fill(false);
        inputs.clear();
        for (row, large) in rows.chunks_exact(features).zip(large.iter_mut()) {
            self.input.encode(row, |position, value| {
                let value = value as f32;
                *large |= !is_small(value);
                inputs.push(position, value);
            });
            inputs.end_row();
        }
        for layer in hidden {
            layer.dense.apply(inputs, sums);
            inputs.clear();
            let sums = sums.chunks_exact(layer.dense.stride()).zip(large.iter_mut());
            for (sums, large) in sums.take(values.len() / width) {
                *large |= layer.activate(sums, activations, inputs);
                inputs.end_row();
            }
        }
        let rows = rows.chunks_exact(features).zip(inputs.rows()).zip(large.iter());
        for (((row, inputs), large), values) in rows.zip(values.chunks_exact_mut(width)) {
            if *large {
                self.exactly(row, exact);
            } else {
                let inputs = inputs.iter().map(|(position, value)| (*position, f64::from(*value)));
                last.dense.apply_exactly(inputs, &mut exact.sums);
            }
            self.output(&exact.sums, values);
        }
    }

    /// Computes the last layer's sums for one row in double precision.
    fn exactly(&self, row: &[f64], exact: &mut Exact) {
        let Exact { inputs, sums } = exact;
        inputs.clear();
        self.input.encode(row, |position, value| inputs.push((position as u32, value)));
        for (index, layer) in self.layers.iter().enumerate() {
            layer.dense.apply_exactly(inputs.iter().copied(), sums);
            if index + 1 < self.layers.len() {
                let neurons = sums.chunks_exact(layer.pieces).enumerate();
                inputs.clear();
                inputs.extend(neurons.map(|(neuron, sums)| {
                    let sum = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    (neuron as u32, layer.activation.apply(sum) * layer.keep)
                }));
            }
        }
    }

    /// What the last layer's sums mean.
    fn output(&self, sums: &[f64], values: &mut [f64]) {
        if self.regression {
            let number = match self.response {
                Some((multiplier, mean)) => sums[0] / multiplier + mean,
                None => sums[0],
            };
            values[0] = self.link.invert(number);
            return;
        }
        let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut total = 0.0;
        for (value, sum) in values.iter_mut().zip(sums) {
            *value = (sum - most).exp();
            total += *value;
        }
        values.iter_mut().for_each(|value| *value /= total);
    }
}

impl Layer {
    /// Turns a row's `sums` into the inputs of the next layer; says whether they are large.
    fn activate(&self, sums: &[F32x4], values: &mut Vec<f32>, inputs: &mut Sparse) -> bool {
        values.clear();
        values.extend(sums.iter().flat_map(|sums| sums.to_array()));
        // The padding is cut off here, since an infinite input makes it NaN instead of zero.
        values.truncate(self.dense.outputs());
        let large = values.iter().fold(false, |large, sum| large | !is_small(*sum));
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
        inputs.extend(values);
        large
    }
}

fn is_small(value: f32) -> bool {
    value.abs() <= SMALL
}
