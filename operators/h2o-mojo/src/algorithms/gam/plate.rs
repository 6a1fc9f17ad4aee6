//! Thin plates: from one or more numbers to the parts of a surface, by the distances to knots
//! (`GamUtilsThinPlateRegression` of h2o-genmodel).

use std::f64::consts::PI;

/// Over how many columns a plate may be: as many as were compared.
const MOST: usize = 3;

/// A plate.
#[derive(Debug)]
pub(super) struct Plate {
    /// By column.
    knots: Vec<Vec<f64>>,
    /// From the distances to parts, fewer by the polynomials.
    weights: Vec<Vec<f64>>,
    /// By polynomial the power of each column.
    powers: Vec<Vec<u32>>,
    /// The power of a distance.
    power: u32,
    constant: f64,
}

/// How smooth a plate over so many columns is, by H2O's rule; `None` for more than were compared.
pub(super) fn smoothness(columns: usize) -> Option<u32> {
    (1..=MOST).contains(&columns).then(|| (columns as u32).div_ceil(2) + 1)
}

impl Plate {
    /// A plate over as many columns as `knots` has rows.
    pub(super) fn new(
        knots: Vec<Vec<f64>>,
        weights: Vec<Vec<f64>>,
        powers: Vec<Vec<u32>>,
    ) -> Option<Self> {
        let columns = knots.len();
        let m = smoothness(columns)?;
        let power = (2 * m).checked_sub(columns as u32)?;
        Some(Self { knots, weights, powers, power, constant: constant(m, columns as u32) })
    }

    /// Adds the parts at `x` to `parts`.
    pub(super) fn at(&self, x: &[f64], parts: &mut Vec<f64>) {
        let count = self.knots.first().map_or(0, Vec::len);
        let even = self.knots.len().is_multiple_of(2);
        let distance = |knot: usize| {
            let mut sum = 0.0;
            for (x, knots) in x.iter().zip(&self.knots) {
                let difference = x - knots[knot];
                sum += difference * difference;
            }
            let distance = power(sum.sqrt(), self.power);
            let value = self.constant * distance;
            if even && distance != 0.0 { value * distance.ln() } else { value }
        };
        let distances: Vec<f64> = (0..count).map(distance).collect();
        parts.extend(self.weights.iter().map(|weights| {
            let mut sum = 0.0;
            for (distance, weight) in distances.iter().zip(weights) {
                sum += distance * weight;
            }
            sum
        }));
        parts.extend(self.powers.iter().map(|powers| {
            let mut product = 1.0;
            for (x, exponent) in x.iter().zip(powers) {
                product *= power(*x, *exponent);
            }
            product
        }));
    }

    /// How many parts there are.
    pub(super) fn parts(&self) -> usize {
        self.weights.len() + self.powers.len()
    }
}

/// What distances are multiplied by.
fn constant(m: u32, columns: u32) -> f64 {
    let factorial = |number: u32| (1..=number).map(f64::from).product::<f64>();
    if columns.is_multiple_of(2) {
        let half = columns / 2;
        let sign = if (m + 1 + half).is_multiple_of(2) { 1.0 } else { -1.0 };
        let below = power(2.0, 2 * m - 1) * power(PI, half);
        sign / (below * factorial(m - 1) * factorial(m - half))
    } else {
        let sign = if m.is_multiple_of(2) { 1.0 } else { -1.0 };
        sign * f64::from(m) / (factorial(2 * m) * power(PI, (columns - 1) / 2))
    }
}

/// A power as `Math.pow` of Java has it, whose third ones have another last bit now and then.
fn power(base: f64, exponent: u32) -> f64 {
    match exponent {
        0 => 1.0,
        1 => base,
        2 => base * base,
        _ => base.powf(f64::from(exponent)),
    }
}
