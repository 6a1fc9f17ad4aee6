//! Quantisation that training rehearsed.

use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_hir::internal::*;

use super::node::Attributes;
use super::sizes::{constant, first};
use crate::repairs::Wire;

/// `FakeQuantWithMinMaxVars`: to the nearest of so many steps between two ends, which are nudged so
/// that 0 is one of them (`tensorflow/core/kernels/fake_quant_ops_functor.h`).
pub(super) fn fake(
    node: &Attributes,
    wire: &mut Wire<'_>,
    inputs: &[OutletId],
) -> TractResult<TVec<OutletId>> {
    let x = first(inputs)?;
    let end = |wire: &Wire<'_>, index| -> TractResult<f32> {
        constant(wire, inputs, index, "an end of FakeQuant")?.cast_to_scalar()
    };
    let (min, max) = (end(wire, 1)?, end(wire, 2)?);
    let bits = node.int("num_bits", 8)?;
    ensure!((2..=16).contains(&bits), "num_bits {bits}");
    let lowest = if node.bool("narrow_range", false)? { 1.0_f32 } else { 0.0 };
    let highest = ((1_u32 << bits) - 1) as f32;
    ensure!(min < max, "FakeQuant from {min} to {max}");
    let step = (max - min) / (highest - lowest);
    let zero = lowest - min / step;
    let zero = if zero < lowest {
        lowest
    } else if zero > highest {
        highest
    } else {
        zero.round()
    };
    let (low, high) = ((lowest - zero) * step, (highest - zero) * step);
    let [low, high, step, recip, half] =
        [low, high, step, 1.0 / step, 0.5].map(|number| wire.number(number, x));
    let (low, high, step) = (low?, high?, step?);
    let x = wire.op(math::max(), &[x, low])?;
    let x = wire.op(math::min(), &[x, high])?;
    let x = wire.op(math::sub(), &[x, low])?;
    let x = wire.op(math::mul(), &[x, recip?])?;
    let x = wire.op(math::add(), &[x, half?])?;
    let x = wire.op(math::floor(), &[x])?;
    let x = wire.op(math::mul(), &[x, step])?;
    Ok(tvec!(wire.op(math::add(), &[x, low])?))
}
