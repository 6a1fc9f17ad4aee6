//! One step of one direction: from what the input and the last output give each gate, the next
//! state. The formulas are those of ONNX's operators; gates stand in ONNX's order.

use super::activation::Activation;

/// What stays the same from step to step.
pub(super) struct Cell<'a> {
    pub(super) hidden: usize,
    pub(super) functions: &'a [Activation],
    pub(super) clip: Option<f32>,
    /// For each gate the bias of the input, then for each that of the last output.
    pub(super) bias: Option<&'a [f32]>,
    /// Of an LSTM: what the input, output and forget gates see of the cell.
    pub(super) peepholes: Option<&'a [f32]>,
}

impl Cell<'_> {
    fn function(&self, function: usize, x: f32) -> f32 {
        let x = self.clip.map_or(x, |clip| x.clamp(-clip, clip));
        self.functions[function].of(x)
    }

    /// The bias of a gate, of the input and of the last output.
    fn bias(&self, gates: usize, gate: usize, unit: usize) -> (f32, f32) {
        let place = gate * self.hidden + unit;
        self.bias.map_or((0.0, 0.0), |bias| (bias[place], bias[gates * self.hidden + place]))
    }

    /// `x` and `r` are the products of all gates; the next output takes the place of `h`.
    pub(super) fn rnn(&self, x: &[f32], r: &[f32], h: &mut [f32]) {
        for (unit, h) in h.iter_mut().enumerate() {
            let (xb, rb) = self.bias(1, 0, unit);
            *h = self.function(0, x[unit] + r[unit] + xb + rb);
        }
    }

    /// As [`Cell::rnn`], and the next cell takes the place of `c`.
    pub(super) fn lstm(&self, coupled: bool, x: &[f32], r: &[f32], h: &mut [f32], c: &mut [f32]) {
        for unit in 0..self.hidden {
            let sum = |gate: usize| {
                let (place, (xb, rb)) = (gate * self.hidden + unit, self.bias(4, gate, unit));
                x[place] + r[place] + xb + rb
            };
            let seen = |gate: usize, c: f32| {
                self.peepholes.map_or(0.0, |peepholes| peepholes[gate * self.hidden + unit] * c)
            };
            let input = self.function(0, sum(0) + seen(0, c[unit]));
            let forget = match coupled {
                true => 1.0 - input,
                false => self.function(0, sum(2) + seen(2, c[unit])),
            };
            c[unit] = forget * c[unit] + input * self.function(1, sum(3));
            let output = self.function(0, sum(1) + seen(1, c[unit]));
            h[unit] = output * self.functions[2].of(c[unit]);
        }
    }

    /// The gates of a GRU before its hidden one.
    pub(super) fn gru_gates(&self, x: &[f32], r: &[f32], update: &mut [f32], reset: &mut [f32]) {
        for unit in 0..self.hidden {
            let gate = |gate: usize| {
                let (place, (xb, rb)) = (gate * self.hidden + unit, self.bias(3, gate, unit));
                self.function(0, x[place] + r[place] + xb + rb)
            };
            update[unit] = gate(0);
            reset[unit] = gate(1);
        }
    }

    /// The rest of a GRU's step: `product` is that of the hidden gate with the last output, reset
    /// already where the reset gate is given as `None`.
    pub(super) fn gru_hidden(
        &self,
        x: &[f32],
        product: &[f32],
        update: &[f32],
        reset: Option<&[f32]>,
        h: &mut [f32],
    ) {
        for (unit, h) in h.iter_mut().enumerate() {
            let (xb, rb) = self.bias(3, 2, unit);
            let last = (product[unit] + rb) * reset.map_or(1.0, |reset| reset[unit]);
            let hidden = self.function(1, x[2 * self.hidden + unit] + xb + last);
            *h = (1.0 - update[unit]) * hidden + update[unit] * *h;
        }
    }
}
