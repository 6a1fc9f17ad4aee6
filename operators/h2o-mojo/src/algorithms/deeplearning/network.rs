//! Rows through all layers.
//!
//! H2O's scorer computes in double precision. A regression does so here, too, sum by sum as
//! H2O (`exact`). Of a classification, hidden layers compute in single precision first, which
//! is twice as fast, and every row's doubt says what that may be off by. Where a label or a
//! probability could depend on it, the row is computed once more, exactly.

use std::sync::Arc;

use super::doubt::{Bound, Size};
use super::exact::Exact;
use super::input::Input;
use super::layer::Layer;
use super::simd::F32x4;
use super::sparse::Sparse;
use crate::algorithms::engine::{Engine, EngineScorer};
use crate::distribution::Link;
use crate::exp::exp;

/// How many rows go through a layer together, while each part of its weights is at hand.
const BLOCK: usize = 16;

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

/// A network and the memory for one block of rows.
#[derive(Debug)]
struct Scorer {
    network: Arc<DeepLearning>,
    scratch: Scratch,
    exact: Exact,
}

/// The memory for one block of rows in single precision.
#[derive(Debug)]
struct Scratch {
    /// What goes into the next layer.
    inputs: Sparse,
    /// The sums of a layer.
    sums: Vec<F32x4>,
    /// What a row's neurons make of theirs.
    activations: Vec<f32>,
    /// By row, what goes into the next layer and by how much it may be off.
    sizes: [(Size, f64); BLOCK],
    /// The sums of the last layer.
    last: Vec<f64>,
}

impl Engine for DeepLearning {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        let stride = self.layers.iter().map(|layer| layer.dense.stride()).max().unwrap_or(0);
        let scratch = Scratch {
            inputs: Sparse::default(),
            sums: vec![F32x4::splat(0.0); stride * BLOCK],
            activations: vec![],
            sizes: [(Size { square: 0.0, count: 0 }, 0.0); BLOCK],
            last: vec![],
        };
        Box::new(Scorer { network: self, scratch, exact: Exact::default() })
    }
}

impl EngineScorer for Scorer {
    /// H2O's scorer leaves offsets out, and so does this one.
    fn score(
        &mut self,
        rows: &[f64],
        _: Option<&[f64]>,
        values: &mut [f64],
        width: usize,
        doubts: &mut Vec<f64>,
    ) {
        let features = self.network.input.features();
        let blocks = rows.chunks(BLOCK * features).zip(values.chunks_mut(BLOCK * width));
        for (rows, values) in blocks {
            if self.network.regression {
                self.network.exactly(rows, &mut self.exact, values, width);
            } else {
                self.network.block(rows, &mut self.scratch, values, width, doubts);
            }
        }
    }

    fn score_exactly(&mut self, row: &[f64], values: &mut [f64]) {
        self.network.exactly(row, &mut self.exact, values, values.len());
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

    /// Scores a block of rows with hidden layers in single precision.
    fn block(
        &self,
        rows: &[f64],
        scratch: &mut Scratch,
        values: &mut [f64],
        width: usize,
        doubts: &mut Vec<f64>,
    ) {
        let Scratch { inputs, sums, activations, sizes, last } = scratch;
        let [hidden @ .., output] = &self.layers[..] else { return };
        inputs.clear();
        let rows = rows.chunks_exact(self.input.features());
        let count = rows.len();
        for (row, size) in rows.zip(sizes.iter_mut()) {
            let mut square = 0.0;
            self.input.encode(row, |position, value| {
                let value = value as f32;
                square += value * value;
                inputs.push(position, value);
            });
            let new = Size { square, count: inputs.end_row() };
            *size = (new, Bound::rounding(new));
        }
        for layer in hidden {
            layer.dense.apply(inputs, sums);
            inputs.clear();
            let sums = sums.chunks_exact(layer.dense.stride()).take(count);
            for (sums, (size, error)) in sums.zip(sizes.iter_mut()) {
                layer.activate(sums, activations);
                inputs.extend(activations);
                let new = Size::of(activations, inputs.end_row());
                *error = layer.bound.hidden(*size, *error, new);
                *size = new;
            }
        }
        let rows = inputs.rows().zip(sizes.iter());
        for ((inputs, (size, error)), values) in rows.zip(values.chunks_exact_mut(width)) {
            output.dense.apply_wide(inputs, last);
            self.output(last, values);
            doubts.push(output.bound.doubt(*size, *error));
        }
    }

    /// Scores a few rows in double precision, bit for bit as H2O's scorer.
    fn exactly(&self, rows: &[f64], exact: &mut Exact, values: &mut [f64], width: usize) {
        exact.begin(rows.chunks_exact(self.input.features()), &self.input, &self.layers);
        for layers in self.layers.windows(2) {
            exact.hidden(&layers[0], &layers[1].dense);
        }
        let Some(last) = self.layers.last() else { return };
        for (sums, values) in exact.last(last).zip(values.chunks_exact_mut(width)) {
            self.output(sums, values);
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
            *value = exp(sum - most);
            total += *value;
        }
        values.iter_mut().for_each(|value| *value /= total);
    }
}
