//! A few rows through the layers in double precision, as H2O's scorer computes them: the same
//! operations in the same order, so that the same bits come out.

use super::dense::Dense;
use super::input::Input;
use super::layer::Layer;
use super::ordered::Ordered;

/// The memory for a few rows.
#[derive(Debug, Default)]
pub(super) struct Exact {
    /// What goes into the next layer.
    inputs: Ordered,
    /// The sums of a layer.
    sums: Vec<f64>,
    /// The inputs of one row that are not zero.
    row: Vec<(u32, f64)>,
    /// What one row's neurons hand on.
    values: Vec<f64>,
}

impl Exact {
    /// Takes rows in.
    pub(super) fn begin<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a [f64]>,
        input: &Input,
        layers: &[Layer],
    ) {
        let full = layers.first().map_or(0, |layer| layer.dense.in_lanes());
        self.inputs.clear();
        for row in rows {
            self.row.clear();
            input.encode(row, |position, value| self.row.push((position as u32, value)));
            self.inputs.push_sparse(&mut self.row, full);
        }
    }

    /// Takes them through a hidden layer, to `next`.
    pub(super) fn hidden(&mut self, layer: &Layer, next: &Dense) {
        layer.dense.apply_exactly(&self.inputs, &mut self.sums);
        self.inputs.clear();
        for sums in self.sums.chunks_exact(layer.dense.stride() * 4) {
            activate(layer, &sums[..layer.dense.outputs()], &mut self.values);
            self.inputs.push(&self.values, next.in_lanes());
        }
    }

    /// Takes them through the last layer of an auto-encoder, whose neurons are as the others,
    /// and hands over what comes of each row.
    pub(super) fn last_activated(&mut self, layer: &Layer, mut each: impl FnMut(&[f64])) {
        layer.dense.apply_exactly(&self.inputs, &mut self.sums);
        for sums in self.sums.chunks_exact(layer.dense.stride() * 4) {
            activate(layer, &sums[..layer.dense.outputs()], &mut self.values);
            each(&self.values);
        }
    }

    /// The sums of the last layer, row by row.
    pub(super) fn last(&mut self, layer: &Layer) -> impl Iterator<Item = &[f64]> {
        layer.dense.apply_exactly(&self.inputs, &mut self.sums);
        let outputs = layer.dense.outputs();
        self.sums.chunks_exact(layer.dense.stride() * 4).map(move |sums| &sums[..outputs])
    }
}

/// What a layer's neurons make of a row's sums.
fn activate(layer: &Layer, sums: &[f64], values: &mut Vec<f64>) {
    let neuron = |sum: f64| {
        let value = layer.activation.apply(sum);
        if layer.keep < 1.0 { value * layer.keep } else { value }
    };
    values.clear();
    if layer.pieces == 2 {
        let (pairs, _) = sums.as_chunks::<2>();
        // As H2O compares them: a NaN is passed over in the first place only.
        let larger = |[a, b]: &[f64; 2]| if a > b { *a } else { *b };
        values.extend(pairs.iter().map(|pair| neuron(larger(pair))));
    } else {
        values.extend(sums.iter().map(|sum| neuron(*sum)));
    }
}
