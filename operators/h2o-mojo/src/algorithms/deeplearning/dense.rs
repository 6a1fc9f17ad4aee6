//! One layer's weights, and their product with sparse rows.
//!
//! Outputs are split into panels of up to 40. A panel holds, input after input, the weights
//! to its outputs, so that a row's sums stay in registers while its inputs are gone through,
//! and a panel stays in the nearest cache while the rows of a block are.

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
    exact_bias: Vec<f64>,
}

impl Dense {
    /// How many floats the weights of a layer take, padding included.
    pub(super) fn size(inputs: usize, outputs: usize) -> u64 {
        let (panels, vectors) = panels(outputs);
        (inputs as u64).saturating_mul((panels * vectors * 4) as u64)
    }

    /// A layer whose weight from input `i` to output `o` is `weight(o, i)`.
    pub(super) fn new(inputs: usize, bias: Vec<f64>, weight: impl Fn(usize, usize) -> f32) -> Self {
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
        let padded = |output: usize| bias.get(output).map_or(0.0, |b| *b as f32);
        let vector = |v: usize| F32x4::new(std::array::from_fn(|lane| padded(v * 4 + lane)));
        let fast_bias = (0..panels * vectors).map(vector).collect();
        Self { inputs, outputs, vectors, weights, bias: fast_bias, exact_bias: bias }
    }

    /// How many outputs there are.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
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

    /// Computes the outputs of one row in double precision, one per output.
    pub(super) fn apply_exactly(
        &self,
        row: impl Iterator<Item = (u32, f64)>,
        outputs: &mut Vec<f64>,
    ) {
        outputs.clear();
        outputs.extend_from_slice(&self.exact_bias);
        let panel = self.inputs * self.vectors;
        for (input, value) in row {
            let begin = input as usize * self.vectors;
            for (index, outputs) in outputs.chunks_mut(self.vectors * 4).enumerate() {
                let weights = &self.weights[index * panel + begin..][..self.vectors];
                for (weights, outputs) in weights.iter().zip(outputs.chunks_mut(4)) {
                    for (weight, output) in weights.to_array().iter().zip(outputs) {
                        *output += f64::from(*weight) * value;
                    }
                }
            }
        }
    }
}

/// How many panels a layer has, and how many vectors each.
fn panels(outputs: usize) -> (usize, usize) {
    let vectors = outputs.div_ceil(4).max(1);
    let panels = vectors.div_ceil(WIDEST);
    (panels, vectors.div_ceil(panels))
}
