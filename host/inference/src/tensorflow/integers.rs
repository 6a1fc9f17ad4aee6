//! Division, of integers as TensorFlow rounds it: `Div` and `TruncateDiv` towards 0, `FloorDiv`
//! downwards, with the remainders that belong to them. And products: tract makes squares and shifts
//! of its own, and lacks squares of integers.

use tract_onnx::tract_core::bin_to_super_type;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_hir::internal::*;

use super::node::Attributes;
use super::sizes::{self, pair};
use crate::repairs::Wire;

bin_to_super_type!(floor_div, FloorDiv,
    is_commutative: false,
    [i8, i16, i32, i64] => |c, a, b| {
        let quotient = a.wrapping_div(*b);
        let rounded_up = a.wrapping_rem(*b) != 0 && ((*a < 0) != (*b < 0));
        *c = quotient - if rounded_up { 1 } else { 0 };
    },
    [u8, u16, u32, u64] => |c, a, b| *c = *a / *b,
    [f32, f64] => |c, a, b| *c = (*a / *b).floor());

bin_to_super_type!(floor_mod, FloorMod,
is_commutative: false,
[i8, i16, i32, i64] => |c, a, b| {
    let rest = a.wrapping_rem(*b);
    *c = if rest != 0 && ((rest < 0) != (*b < 0)) { rest.wrapping_add(*b) } else { rest };
},
[u8, u16, u32, u64] => |c, a, b| *c = *a % *b,
[f32, f64] => |c, a, b| {
    let rest = *a % *b;
    *c = if rest != 0.0 && ((rest < 0.0) != (*b < 0.0)) { rest + *b } else { rest };
});

bin_to_super_type!(truncate_div, TruncateDiv,
    is_commutative: false,
    [i8, i16, i32, i64, u8, u16, u32, u64] => |c, a, b| *c = a.wrapping_div(*b),
    [f32, f64] => |c, a, b| *c = (*a / *b).trunc());

bin_to_super_type!(times, Times,
    [i8, i16, i32, i64, u8, u16, u32, u64] => |c, a, b| *c = a.wrapping_mul(*b));

bin_to_super_type!(truncate_mod, TruncateMod,
    is_commutative: false,
    [i8, i16, i32, i64, u8, u16, u32, u64] => |c, a, b| *c = a.wrapping_rem(*b),
    [f32, f64] => |c, a, b| *c = *a % *b);

pub(super) fn divide(
    node: &Attributes,
    wire: &mut Wire<'_>,
    inputs: &[OutletId],
) -> TractResult<TVec<OutletId>> {
    let divisor = inputs.get(1).copied().context("no divisor")?;
    let ty = sizes::ty(wire, divisor)?;
    let result = match &*node.op {
        "FloorDiv" => pair(wire, floor_div(), inputs)?,
        "FloorMod" => pair(wire, floor_mod(), inputs)?,
        "TruncateDiv" => pair(wire, truncate_div(), inputs)?,
        "Mod" | "TruncateMod" => pair(wire, truncate_mod(), inputs)?,
        _ if ty.is_integer() => pair(wire, truncate_div(), inputs)?,
        _ => pair(wire, math::div(), inputs)?,
    };
    Ok(tvec!(result))
}
