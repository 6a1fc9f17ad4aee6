//! What the operations compute.

use tract_onnx::tract_hir::internal::*;

/// What a sum with it is rounded to the nearest whole number by, ties to even, in its last bits.
const ROUND: f32 = 12_582_912.0;

/// `sum * factor`, rounded, ties to even, from `zero` on, as far as codes go.
pub(super) fn requantised(
    sums: &[f32],
    shape: &[usize],
    factors: &[f32],
    zero: i32,
    axis: i64,
) -> TractResult<Vec<u8>> {
    let mut codes = vec![0; sums.len()];
    let axis = if axis < 0 { axis + shape.len() as i64 } else { axis } as usize;
    match factors {
        [factor] => round(sums, *factor, zero, &mut codes),
        _ => {
            let size = shape.get(axis).copied().unwrap_or(0);
            ensure!(size == factors.len(), "{} factors for {shape:?}", factors.len());
            let inner = shape[axis + 1..].iter().product::<usize>().max(1);
            let rows = sums.chunks(inner).zip(codes.chunks_mut(inner));
            for ((sums, codes), factor) in rows.zip(factors.iter().cycle()) {
                round(sums, *factor, zero, codes);
            }
        }
    }
    Ok(codes)
}

fn round(sums: &[f32], factor: f32, zero: i32, codes: &mut [u8]) {
    let (least, most) = (-zero as f32, (255 - zero) as f32);
    for (code, sum) in codes.iter_mut().zip(sums) {
        // As ONNX Runtime limits before it rounds. What is left is small: its last bits are the
        // nearest whole number.
        let steps = (sum * factor).max(least).min(most) + ROUND;
        *code = steps.to_bits().wrapping_add_signed(zero) as u8;
    }
}

pub(super) fn means(
    x: &[u8],
    size: usize,
    [from, to]: [f32; 2],
    zero_from: i32,
    zero: i32,
) -> Vec<u8> {
    let factor = from / (to * size as f32);
    let mean = |x: &[u8]| {
        let sum: i64 = x.iter().map(|x| i64::from(*x)).sum();
        let sum = sum - size as i64 * i64::from(zero_from);
        let mut code = [0];
        round(&[sum as f32], factor, zero, &mut code);
        code[0]
    };
    x.chunks(size.max(1)).map(mean).collect()
}

/// The softmax over `size` numbers that are `inner` apart, as ONNX Runtime computes it: by a table
/// of powers, the largest of which is as large as a sum of `size` of them allows.
pub(super) fn softmax(
    x: &[u8],
    size: usize,
    inner: usize,
    [from, to]: [f32; 2],
    zero: i32,
) -> Vec<u8> {
    let mut codes = vec![0; x.len()];
    if x.is_empty() {
        return codes;
    }
    let shift = (f64::from(f32::MAX / size as f32).ln() - 5.0).max(0.0) / f64::from(from);
    let power = |code: i32| ((f64::from(code) - 255.0 + shift) * f64::from(from)).exp() as f32;
    let powers: Vec<f32> = (0..256).map(power).collect();
    let steps = (1.0 / to).floor();
    let starts = x.len() / size;
    for start in (0..starts).map(|row| row / inner * inner * size + row % inner) {
        let places = || (0..size).map(|place| start + place * inner);
        let largest = places().map(|place| x[place]).max().unwrap_or(0);
        let power = |place: usize| powers[usize::from(255 - largest + x[place])];
        let sum = places().fold(0.0_f32, |sum, place| sum + power(place));
        for place in places() {
            let code = (power(place) * steps / sum).round_ties_even() as i32 + zero;
            codes[place] = code.clamp(0, 255) as u8;
        }
    }
    codes
}
