//! Whether computed numbers are the expected ones.

use sandbar_model::ElementType;
use sandbar_model::samples::{Array, Numbers, place};

use crate::tensor::Tensor;

/// How far numbers may be from the expected ones. ONNX's own tests of backends have 1e-3 (`rtol`),
/// which an error in the weights may hide behind where probabilities are near 0 and 1; networks of
/// 32 bits differ by 1e-5 between engines. Half precision has 11 bits.
const TOLERANCE: f64 = 1e-4;
const HALF_TOLERANCE: f64 = 1e-2;

/// The default tolerance for outputs of a type. Integers are what they are.
pub(super) fn usual(ty: ElementType) -> f64 {
    match ty {
        ElementType::Fp32 | ElementType::Fp64 => TOLERANCE,
        ElementType::Fp16 | ElementType::Bf16 => HALF_TOLERANCE,
        ElementType::U8 | ElementType::I32 | ElementType::I64 => 0.0,
    }
}

/// What numbers of a type are rounded by on their way, relative to the largest: a sum of large
/// ones that is near 0 is no more exact than they are.
fn rounding(ty: ElementType) -> f64 {
    match ty {
        ElementType::Fp32 => 2e-6,
        ElementType::Fp16 => 1e-3,
        ElementType::Bf16 => 8e-3,
        ElementType::Fp64 => 4e-15,
        ElementType::U8 | ElementType::I32 | ElementType::I64 => 0.0,
    }
}

/// Compares numbers with the expected ones: none may be further away than `tolerance`, relative to
/// the expected one where that is beyond 1, and to the largest where all are below. So an output
/// of small numbers is not near by being small.
pub(super) fn near(expected: &Array, computed: &Tensor, tolerance: f64) -> Result<(), String> {
    let (whole, found) = (expected.numbers(), Numbers::of(computed.ty, &computed.data));
    let (due, is) = (whole.floats(), found.floats());
    let finite = due.iter().filter(|it| it.is_finite());
    let largest = finite.fold(0.0_f64, |most, it| most.max(it.abs()));
    let rounding = if tolerance == 0.0 { 0.0 } else { rounding(computed.ty) * largest };
    let beyond = |index: usize| {
        let allowed = tolerance * due[index].abs().max(largest.min(1.0)) + rounding;
        let distance = match (&whole, &found) {
            // Beyond 2^53 two integers may be one float.
            (Numbers::Whole(due), Numbers::Whole(is)) => due[index].abs_diff(is[index]) as f64,
            _ if due[index] == is[index] => return f64::NEG_INFINITY,
            _ if due[index].is_nan() && is[index].is_nan() => return f64::NEG_INFINITY,
            _ if due[index].is_finite() && is[index].is_finite() => (due[index] - is[index]).abs(),
            _ => return f64::INFINITY,
        };
        distance - allowed
    };
    let worst = (0..due.len().min(is.len())).map(|index| (index, beyond(index)));
    match worst.max_by(|(_, a), (_, b)| a.total_cmp(b)) {
        Some((index, beyond)) if beyond > 0.0 => {
            let at = place(&expected.shape, index);
            let (is, due) = (shown(&found, index), shown(&whole, index));
            Err(format!("is {is} at {at}, expected {due} (tolerance {tolerance})"))
        }
        _ => Ok(()),
    }
}

fn shown(numbers: &Numbers, index: usize) -> String {
    match numbers {
        Numbers::Whole(numbers) => numbers[index].to_string(),
        // The digits of a float: more than the tolerance, and few enough to be read.
        Numbers::Real(numbers) => format!("{}", numbers[index] as f32),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
    use super::*;

    fn floats(numbers: &[f32]) -> (Array, Tensor) {
        let data: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
        let (shape, dimensions) = (vec![numbers.len()], vec![numbers.len() as u32]);
        let tensor = Tensor { dimensions, ty: ElementType::Fp32, data: data.clone() };
        (Array::of_tensor("y".into(), ElementType::Fp32, shape, data), tensor)
    }

    fn same(due: &[f32], is: &[f32], tolerance: f64) -> bool {
        near(&floats(due).0, &floats(is).1, tolerance).is_ok()
    }

    #[test]
    fn numbers_are_near_at_their_own_scale() {
        assert!(same(&[1000.0, 0.0], &[1000.9, 0.0005], 1e-3));
        assert!(!same(&[1000.0, 0.0], &[1001.5, 0.0], 1e-3));
        // A probability beside an index.
        assert!(!same(&[900.0, 0.9], &[900.0, 0.95], 1e-3));
        // Small numbers are compared with each other.
        assert!(!same(&[1e-6, 2e-6], &[1e-6, 3e-6], 1e-3));
        assert!(same(&[1e-6, 1e-12], &[1e-6, 2e-12], 1e-3));
        assert!(!same(&[0.0, 0.0], &[0.0, 1e-9], 1e-3));
        // What is left of the difference of large ones.
        assert!(same(&[1e6, 0.0], &[1e6, 0.5], 1e-3));
        assert!(same(&[f32::NAN, f32::INFINITY], &[f32::NAN, f32::INFINITY], 0.0));
        for (due, is) in [
            (f32::NAN, 1.0),
            (1.0, f32::NAN),
            (f32::INFINITY, f32::MAX),
            (1.0, f32::INFINITY),
            (f32::INFINITY, f32::NEG_INFINITY),
        ] {
            assert!(!same(&[due, 1.0], &[is, 1.0], 0.999), "{due} {is}");
        }
        assert!(!same(&[1.0], &[1.0 + f32::EPSILON], 0.0));
        assert!(same(&[], &[], 0.0));
        let error = near(&floats(&[0.5, 0.25]).0, &floats(&[0.5, 0.75]).1, 1e-3).unwrap_err();
        assert_eq!(error, "is 0.75 at [1], expected 0.25 (tolerance 0.001)");
    }

    #[test]
    fn integers_are_what_they_are() {
        let longs = |numbers: [i64; 2]| {
            let data: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
            let tensor = Tensor { dimensions: vec![2], ty: ElementType::I64, data: data.clone() };
            (Array::of_tensor("y".into(), ElementType::I64, vec![2], data), tensor)
        };
        let large = 1_i64 << 53;
        assert!(near(&longs([large, 1]).0, &longs([large, 1]).1, 0.0).is_ok());
        assert!(near(&longs([large, 1]).0, &longs([large + 1, 1]).1, 0.0).is_err());
        assert!(near(&longs([100, 1]).0, &longs([101, 1]).1, 0.02).is_ok());
    }
}
