//! One layer's weights, and their product with sparse rows.
//!
//! Outputs are split into panels of up to 40. A panel holds, input after input, the weights
//! to its outputs, so that a row's sums stay in registers while its inputs are gone through,
//! and a panel stays in the nearest cache while the rows of a block are.

use super::ordered::{LANES, Ordered};
use super::simd::F32x4;
use super::sparse::Sparse;

/// Vectors of four outputs in the widest panel: as many sums as fit into 16 registers beside
/// a weight and an input.
const WIDEST: usize = 10;

/// The weights and biases of one layer.
#[derive(Debug)]
pub(super) struct Dense {
    inputs: usize,
    outputs: usize,
    /// Vectors per panel.
    vectors: usize,
    /// Panel-major, then by input, then by output.
    weights: Vec<F32x4>,
    /// By output, padded like the panels.
    bias: Vec<F32x4>,
    exact_bias: Vec<[f64; 4]>,
    /// How many inputs H2O's scorer adds up in lanes.
    in_lanes: usize,
}

impl Dense {
    /// How many floats the weights of a layer take, padding included.
    pub(super) fn size(inputs: usize, outputs: usize) -> u64 {
        let (panels, vectors) = panels(outputs);
        (inputs as u64).saturating_mul((panels * vectors * 4) as u64)
    }

    /// A layer whose weight from input `i` to output `o` is `weight(o, i)`. `pieces` is how
    /// many sums a neuron has; H2O's scorer has lanes where it is one.
    pub(super) fn new(
        inputs: usize,
        pieces: usize,
        bias: &[f64],
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let outputs = bias.len();
        let (panels, vectors) = panels(outputs);
        let mut weights = Vec::with_capacity(panels * inputs * vectors);
        for panel in 0..panels {
            for input in 0..inputs {
                weights.extend((0..vectors).map(|vector| {
                    let first = (panel * vectors + vector) * 4;
                    F32x4::new(std::array::from_fn(|lane| match first + lane {
                        output if output < outputs => weight(output, input),
                        _ => 0.0,
                    }))
                }));
            }
        }
        let padded = |output: usize| bias.get(output).copied().unwrap_or(0.0);
        let count = panels * vectors;
        let exact_bias: Vec<[f64; 4]> =
            (0..count).map(|v| std::array::from_fn(|lane| padded(v * 4 + lane))).collect();
        let bias = exact_bias.iter().map(|vector| F32x4::new(vector.map(|b| b as f32))).collect();
        let in_lanes = if pieces == 1 { inputs - inputs % LANES } else { 0 };
        Self { inputs, outputs, vectors, weights, bias, exact_bias, in_lanes }
    }

    /// How many outputs there are.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// How many inputs H2O's scorer adds up in lanes.
    pub(super) fn in_lanes(&self) -> usize {
        self.in_lanes
    }

    /// The vectors that [`apply`](Self::apply) writes per row; the last ones may be padding.
    pub(super) fn stride(&self) -> usize {
        self.bias.len()
    }

    /// Computes the outputs of `rows` in single precision, [`stride`](Self::stride) vectors
    /// per row.
    pub(super) fn apply(&self, rows: &Sparse, outputs: &mut [F32x4]) {
        match self.vectors {
            1 => self.panels::<1>(rows, outputs),
            2 => self.panels::<2>(rows, outputs),
            3 => self.panels::<3>(rows, outputs),
            4 => self.panels::<4>(rows, outputs),
            5 => self.panels::<5>(rows, outputs),
            6 => self.panels::<6>(rows, outputs),
            7 => self.panels::<7>(rows, outputs),
            8 => self.panels::<8>(rows, outputs),
            9 => self.panels::<9>(rows, outputs),
            _ => self.panels::<WIDEST>(rows, outputs),
        }
    }

    fn panels<const V: usize>(&self, rows: &Sparse, outputs: &mut [F32x4]) {
        let (weights, _) = self.weights.as_chunks::<V>();
        let (bias, _) = self.bias.as_chunks::<V>();
        for (panel, (weights, bias)) in weights.chunks_exact(self.inputs).zip(bias).enumerate() {
            for (row, outputs) in rows.rows().zip(outputs.chunks_exact_mut(self.stride())) {
                let mut sums = *bias;
                for (input, value) in row {
                    let value = F32x4::splat(*value);
                    let weights = &weights[*input as usize];
                    for vector in 0..V {
                        sums[vector] = sums[vector].add_product(value, weights[vector]);
                    }
                }
                outputs[panel * V..][..V].copy_from_slice(&sums);
            }
        }
    }

    /// Computes the outputs of a row that is in single precision, one per output, with sums
    /// in double precision.
    pub(super) fn apply_wide(&self, row: &[(u32, f32)], outputs: &mut Vec<f64>) {
        outputs.clear();
        let panels = self.weights.chunks_exact(self.inputs * self.vectors);
        for (weights, bias) in panels.zip(self.exact_bias.chunks_exact(self.vectors)) {
            for (vector, bias) in bias.iter().enumerate() {
                let weights = |input: u32| weights[input as usize * self.vectors + vector];
                // Two sums, so that one need not wait for the other.
                let mut sums = [*bias, [0.0; 4]];
                for pair in row.chunks(2) {
                    for ((input, value), sums) in pair.iter().zip(&mut sums) {
                        for (sum, weight) in sums.iter_mut().zip(weights(*input).to_array()) {
                            *sum += f64::from(weight) * f64::from(*value);
                        }
                    }
                }
                let [first, second] = sums;
                outputs.extend(first.iter().zip(second).map(|(a, b)| a + b));
            }
        }
        outputs.truncate(self.outputs);
    }

    /// Computes the outputs of `rows` in double precision, as H2O's scorer does, four numbers
    /// for each vector of a [`stride`](Self::stride).
    pub(super) fn apply_exactly(&self, rows: &Ordered, outputs: &mut Vec<f64>) {
        outputs.clear();
        outputs.resize(rows.len() * self.stride() * 4, 0.0);
        match self.vectors {
            1 => self.exact_panels::<1>(rows, outputs),
            2 => self.exact_panels::<2>(rows, outputs),
            3 => self.exact_panels::<3>(rows, outputs),
            4 => self.exact_panels::<4>(rows, outputs),
            5 => self.exact_panels::<5>(rows, outputs),
            6 => self.exact_panels::<6>(rows, outputs),
            7 => self.exact_panels::<7>(rows, outputs),
            8 => self.exact_panels::<8>(rows, outputs),
            9 => self.exact_panels::<9>(rows, outputs),
            _ => self.exact_panels::<WIDEST>(rows, outputs),
        }
    }

    fn exact_panels<const V: usize>(&self, rows: &Ordered, outputs: &mut [f64]) {
        let (weights, _) = self.weights.as_chunks::<V>();
        let (bias, _) = self.exact_bias.as_chunks::<V>();
        for (panel, (weights, bias)) in weights.chunks_exact(self.inputs).zip(bias).enumerate() {
            for (row, outputs) in rows.rows().zip(outputs.chunks_exact_mut(self.stride() * 4)) {
                let [lanes @ .., rest] = row;
                let mut sums = [[0.0; 4]; V];
                // Four lanes and four lanes, then the other inputs, then the bias.
                for lanes in lanes.chunks_exact(LANES / 2) {
                    let mut half = [[0.0; 4]; V];
                    for lane in lanes {
                        let mut products = [[0.0; 4]; V];
                        add_products(&mut products, weights, lane);
                        add(&mut half, &products);
                    }
                    add(&mut sums, &half);
                }
                add_products(&mut sums, weights, rest);
                add(&mut sums, bias);
                let outputs = outputs[panel * V * 4..].chunks_exact_mut(4);
                outputs.zip(&sums).for_each(|(output, sums)| output.copy_from_slice(sums));
            }
        }
    }
}

/// Adds the products of inputs and their weights, one input after the other.
#[inline(always)]
fn add_products<const V: usize>(
    sums: &mut [[f64; 4]; V],
    weights: &[[F32x4; V]],
    inputs: &[(u32, f64)],
) {
    for (input, value) in inputs {
        for (sums, weights) in sums.iter_mut().zip(&weights[*input as usize]) {
            for (sum, weight) in sums.iter_mut().zip(weights.to_array()) {
                *sum += f64::from(weight) * value;
            }
        }
    }
}

#[inline(always)]
fn add<const V: usize>(sums: &mut [[f64; 4]; V], others: &[[f64; 4]; V]) {
    for (sums, others) in sums.iter_mut().zip(others) {
        sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
    }
}

/// How many panels a layer has, and how many vectors each.
fn panels(outputs: usize) -> (usize, usize) {
    let vectors = outputs.div_ceil(4).max(1);
    let panels = vectors.div_ceil(WIDEST);
    (panels, vectors.div_ceil(panels))
}
