//! By how much single precision may be off: a bound for one row, layer by layer.
//!
//! A label that hangs on less than the bound is decided in double precision. With `u` half a
//! unit in the last place of a single, `x` what goes into a layer as computed, and `e` how far
//! that is from the truth (both as the lengths of vectors), a layer's sums are off by
//!
//! ```text
//! |W| e + (n + 2) u (|W|_F |x| + |b|)
//! ```
//!
//! (Higham, Accuracy and Stability of Numerical Algorithms, chapter 3): what was off before,
//! stretched by the weights, and the rounding of sums of n products. No activation makes a
//! difference larger.

/// Half a unit in the last place of 1: single precision, and double.
const SINGLE: f64 = (f32::EPSILON / 2.0) as f64;
const DOUBLE: f64 = f64::EPSILON / 2.0;
/// More than what a single loses where it is too small to be rounded relative to itself.
const UNDERFLOW: f64 = f32::MIN_POSITIVE as f64;
/// Up to how many products are spent on a close bound of how far weights can stretch.
const EFFORT: usize = 1 << 27;

/// What goes into a layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// The sum of the squares of its values, NaN where one is.
    pub(super) square: f32,
    /// How many values are not zero.
    pub(super) count: usize,
}

/// What is known of a layer's weights.
#[derive(Debug)]
pub(super) struct Bound {
    /// By how much a vector can be stretched at most.
    stretch: f64,
    /// The length of all weights.
    total: f64,
    /// The length of the longest column: the weights from one input.
    column: f64,
    /// The length of the bias.
    bias: f64,
    /// By how much the difference of two outputs can change per length of the inputs.
    spread: f64,
}

impl Bound {
    /// Of a layer whose weight from input `i` to output `o` is `weight(o, i)`. It pays to know
    /// how far weights stretch where they are `between` hidden layers: what goes into the
    /// first layer is hardly off, and the last one has few outputs.
    pub(super) fn of(
        inputs: usize,
        bias: &[f64],
        between: bool,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let weight = |output, input| f64::from(weight(output, input));
        let outputs = bias.len();
        let mut columns = vec![0.0; inputs];
        let mut means = vec![0.0; inputs];
        for output in 0..outputs {
            for input in 0..inputs {
                let weight = weight(output, input);
                columns[input] += weight * weight;
                means[input] += weight / outputs as f64;
            }
        }
        let total = columns.iter().sum::<f64>().sqrt();
        // A difference of two outputs does not change where all are moved by the same.
        let away = |output| {
            let difference = |(input, mean): (usize, &f64)| weight(output, input) - mean;
            means.iter().enumerate().map(difference).map(|d| d * d).sum::<f64>()
        };
        let furthest = (0..outputs).map(away).fold(0.0, largest).sqrt();
        let stretch =
            if between { largest_stretch(outputs, inputs, weight).min(total) } else { total };
        Self {
            stretch,
            total,
            column: columns.iter().copied().fold(0.0, largest).sqrt(),
            bias: length(bias),
            spread: 2.0 * furthest,
        }
    }

    /// By how much what goes into the first layer is off once it is rounded.
    pub(super) fn rounding(size: Size) -> f64 {
        SINGLE * size.length() + UNDERFLOW
    }

    /// By how much the values that this layer hands on are off, where those that went into
    /// it are off by `error`.
    pub(super) fn hidden(&self, from: Size, error: f64, to: Size) -> f64 {
        let sums = self.stretch * error + self.products(from, SINGLE);
        // The activation, rounded; dropout's factor, rounded; their product, rounded.
        sums * (1.0 + SINGLE) + 3.0 * SINGLE * to.length() + UNDERFLOW
    }

    /// By how much the difference of two outputs of the last layer, which adds up in double
    /// precision, is off: the doubt in the logarithm of the ratio of two probabilities.
    pub(super) fn doubt(&self, from: Size, error: f64) -> f64 {
        // H2O's own sums are rounded, too, in double precision: less than a millionth of it.
        (self.spread * error + 4.0 * self.products(from, DOUBLE)) * (1.0 + 1e-6)
    }

    /// What is lost by rounding sums of products.
    fn products(&self, from: Size, unit: f64) -> f64 {
        let count = from.count as f64;
        let lengths = from.length() * self.total.min(self.column * count.sqrt());
        let terms = (count + 2.0) * unit;
        terms / (1.0 - terms).max(0.0) * (lengths + self.bias) + UNDERFLOW
    }
}

impl Size {
    /// Of these values, as many of which are not zero.
    pub(super) fn of(values: &[f32], count: usize) -> Self {
        // Sixteen sums, so that one need not wait for the other.
        let (chunks, rest) = values.as_chunks::<16>();
        let mut squares = [0.0_f32; 16];
        for chunk in chunks {
            squares.iter_mut().zip(chunk).for_each(|(square, value)| *square += value * value);
        }
        let rest: f32 = rest.iter().map(|value| value * value).sum();
        Self { square: squares.iter().sum::<f32>() + rest, count }
    }

    /// Its length, and more than what the sum has lost by rounding.
    fn length(self) -> f64 {
        f64::from(self.square).sqrt() * (1.0 + (self.count + 4) as f64 * SINGLE)
    }
}

/// A bound of how far a matrix can stretch a vector, closer than the length of all weights.
///
/// The fourth powers of its singular values add up to the squares of the products of its
/// rows; that is dear, so for large matrices the largest sums of rows and columns do.
fn largest_stretch(outputs: usize, inputs: usize, weight: impl Fn(usize, usize) -> f64) -> f64 {
    let (short, long) = (outputs.min(inputs), outputs.max(inputs));
    if short.saturating_mul(short).saturating_mul(long) > EFFORT {
        let row = |output| (0..inputs).map(|input| weight(output, input).abs()).sum();
        let column = |input| (0..outputs).map(|output| weight(output, input).abs()).sum();
        let (row, column) = ((0..outputs).map(row), (0..inputs).map(column));
        return (row.fold(0.0, largest) * column.fold(0.0, largest)).sqrt();
    }
    // The shorter side's vectors; a matrix stretches as far as the one that it is turned into.
    let weight = |a, b| if outputs <= inputs { weight(a, b) } else { weight(b, a) };
    let rows: Vec<Vec<f64>> =
        (0..short).map(|a| (0..long).map(|b| weight(a, b)).collect()).collect();
    let mut fourth = 0.0;
    for (index, first) in rows.iter().enumerate() {
        for (other, second) in rows[..=index].iter().enumerate() {
            let product = product(first, second);
            fourth += if other == index { product * product } else { 2.0 * product * product };
        }
    }
    // A little more, for what these sums themselves round away.
    fourth.sqrt().sqrt() * (1.0 + 1e-9)
}

fn product(first: &[f64], second: &[f64]) -> f64 {
    // Eight sums, so that one need not wait for the other.
    let (first, first_rest) = first.as_chunks::<8>();
    let (second, second_rest) = second.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (first, second) in first.iter().zip(second) {
        for (sum, (a, b)) in sums.iter_mut().zip(first.iter().zip(second)) {
            *sum += a * b;
        }
    }
    let rest: f64 = first_rest.iter().zip(second_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

fn length(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Not `f64::max`, which would pass over a NaN.
fn largest(a: f64, b: f64) -> f64 {
    if a.is_nan() || a >= b { a } else { b }
}
