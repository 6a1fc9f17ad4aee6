//! Sums, means, extremes along axes.

use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};
use tract_onnx::tract_hir::internal::*;

use super::node::Attributes;
use super::sizes::{self, axis, first, in_single, int, ints};
use crate::repairs::Wire;

type Outlets = TractResult<TVec<OutletId>>;

pub(super) fn reduce(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let shape = sizes::shape(wire, x)?;
    let along = ints(wire, inputs, 1, "the axes")?;
    let along = sizes::axes(&along, shape.len())?;
    let keep = node.bool("keep_dims", false)?;
    let reducer = match &*node.op {
        "All" => Reducer::All,
        "Any" => Reducer::Any,
        "Max" => Reducer::Max,
        "Mean" | "Sum" => Reducer::Sum,
        "Min" => Reducer::Min,
        "Prod" => Reducer::Prod,
        op => bail!("operator {op} is not known"),
    };
    if along.is_empty() {
        return Ok(tvec!(x));
    }
    let count: usize = along.iter().map(|axis| shape[*axis]).product();
    ensure!(count > 0, "{} of no elements", node.op);
    in_single(wire, &[x], |wire, inputs| {
        let mut x = wire.op(Reduce::new(along.clone(), reducer), inputs)?;
        if node.op == "Mean" {
            let count = tensor0(count as i64);
            let count = wire.constant(count, x)?;
            x = wire.op(math::div(), &[x, count])?;
        }
        if !keep {
            for axis in along.iter().rev() {
                x = wire.op(AxisOp::Rm(*axis), &[x])?;
            }
        }
        Ok(x)
    })
}

/// The place of the largest or smallest; of several, the first.
pub(super) fn arg(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let rank = sizes::rank(wire, x)?;
    let along = axis(int(wire, inputs, 1, "the axis")?, rank)?;
    let reducer = match &*node.op {
        "ArgMax" => Reducer::ArgMax(false),
        _ => Reducer::ArgMin(false),
    };
    let place = wire.op(Reduce::new(tvec!(along), reducer), &[x])?;
    let place = wire.op(AxisOp::Rm(along), &[place])?;
    Ok(tvec!(wire.cast(place, node.ty("output_type", i64::datum_type())?)?))
}
