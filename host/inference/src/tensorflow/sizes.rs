//! What an operation reads of its inputs when it is wired: sizes, axes, constants.

use tract_onnx::tract_core::ops::change_axes::perm_to_ops;
use tract_onnx::tract_hir::internal::*;

use crate::repairs::Wire;

/// The first input.
pub(super) fn first(inputs: &[OutletId]) -> TractResult<OutletId> {
    inputs.first().copied().context("no input")
}

/// The sizes of a tensor, all of which are known when a graph is optimised.
pub(super) fn shape(wire: &Wire<'_>, outlet: OutletId) -> TractResult<TVec<usize>> {
    wire.fact(outlet)?.shape.iter().map(|size| Ok(size.to_usize()?)).collect()
}

pub(super) fn rank(wire: &Wire<'_>, outlet: OutletId) -> TractResult<usize> {
    Ok(wire.fact(outlet)?.rank())
}

pub(super) fn ty(wire: &Wire<'_>, outlet: OutletId) -> TractResult<DatumType> {
    Ok(wire.fact(outlet)?.datum_type)
}

/// The value of an input that has to be a constant, or follow from shapes.
pub(super) fn constant(
    wire: &Wire<'_>,
    inputs: &[OutletId],
    index: usize,
    what: &str,
) -> TractResult<Arc<Tensor>> {
    let outlet = inputs.get(index).copied().with_context(|| format!("no {what}"))?;
    let value = wire.fact(outlet)?.konst;
    value.with_context(|| format!("{what} depends on the inputs: export it as a constant"))
}

/// The same, of integers.
pub(super) fn ints(
    wire: &Wire<'_>,
    inputs: &[OutletId],
    index: usize,
    what: &str,
) -> TractResult<Vec<i64>> {
    let value = constant(wire, inputs, index, what)?;
    let ty = value.datum_type();
    ensure!(ty.is_integer() || ty == bool::datum_type(), "{what} of type {ty:?}");
    let value = value.cast_to::<i64>()?;
    Ok(value.try_as_plain_ram()?.as_slice::<i64>()?.to_vec())
}

/// The same, of one integer.
pub(super) fn int(
    wire: &Wire<'_>,
    inputs: &[OutletId],
    index: usize,
    what: &str,
) -> TractResult<i64> {
    match ints(wire, inputs, index, what)?[..] {
        [int] => Ok(int),
        _ => bail!("{what} is not one number"),
    }
}

/// An axis, counted from the end if it is negative.
pub(super) fn axis(axis: i64, rank: usize) -> TractResult<usize> {
    let counted = if axis < 0 { axis + rank as i64 } else { axis };
    let found = usize::try_from(counted).ok().filter(|axis| *axis < rank);
    found.with_context(|| format!("axis {axis} of a tensor of rank {rank}"))
}

/// Axes in order, each once.
pub(super) fn axes(axes: &[i64], rank: usize) -> TractResult<TVec<usize>> {
    let mut found = axes.iter().map(|it| axis(*it, rank)).collect::<TractResult<TVec<_>>>()?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Gives all tensors the rank of the highest, by axes of size 1 in front.
pub(super) fn level(wire: &mut Wire<'_>, outlets: &[OutletId]) -> TractResult<TVec<OutletId>> {
    let ranks =
        outlets.iter().map(|outlet| rank(wire, *outlet)).collect::<TractResult<Vec<_>>>()?;
    let most = ranks.iter().copied().max().unwrap_or_default();
    let mut level = TVec::new();
    for (outlet, rank) in outlets.iter().zip(ranks) {
        let mut outlet = *outlet;
        for _ in rank..most {
            outlet = wire.op(AxisOp::Add(0), &[outlet])?;
        }
        level.push(outlet);
    }
    Ok(level)
}

/// An operation on two tensors that spread over each other.
pub(super) fn pair(
    wire: &mut Wire<'_>,
    op: impl Into<Box<dyn TypedOp>>,
    inputs: &[OutletId],
) -> TractResult<OutletId> {
    let [a, b] = inputs[..] else { bail!("{} inputs, not two", inputs.len()) };
    let (a_type, b_type) = (ty(wire, a)?, ty(wire, b)?);
    ensure!(a_type == b_type, "inputs of types {a_type:?} and {b_type:?}");
    let inputs = level(wire, &[a, b])?;
    wire.op(op, &inputs)
}

/// The same numbers under other sizes.
pub(super) fn reshape(
    wire: &mut Wire<'_>,
    outlet: OutletId,
    sizes: &[usize],
) -> TractResult<OutletId> {
    let from = shape(wire, outlet)?;
    if from.as_slice() == sizes {
        return Ok(outlet);
    }
    ensure!(
        from.iter().product::<usize>() == sizes.iter().product::<usize>(),
        "{from:?} cannot be reshaped to {sizes:?}"
    );
    let dims = |sizes: &[usize]| sizes.iter().map(|size| size.to_dim()).collect();
    wire.op(AxisOp::Reshape(0, dims(&from), dims(sizes)), &[outlet])
}

/// Axes in another order: `axes[0]` comes first.
pub(super) fn transpose(
    wire: &mut Wire<'_>,
    outlet: OutletId,
    axes: &[usize],
) -> TractResult<OutletId> {
    let mut outlet = outlet;
    for op in perm_to_ops(axes) {
        outlet = wire.op(op, &[outlet])?;
    }
    Ok(outlet)
}

/// Computes half precision in single precision, as TensorFlow does where it sums up.
pub(super) fn in_single(
    wire: &mut Wire<'_>,
    inputs: &[OutletId],
    work: impl FnOnce(&mut Wire<'_>, &[OutletId]) -> TractResult<OutletId>,
) -> TractResult<TVec<OutletId>> {
    let first = inputs.first().context("no input")?;
    if ty(wire, *first)? != f16::datum_type() {
        return Ok(tvec!(work(wire, inputs)?));
    }
    let mut single = TVec::new();
    for input in inputs {
        let half = ty(wire, *input)? == f16::datum_type();
        single.push(if half { wire.cast(*input, f32::datum_type())? } else { *input });
    }
    let result = work(wire, &single)?;
    Ok(tvec!(wire.cast(result, f16::datum_type())?))
}
