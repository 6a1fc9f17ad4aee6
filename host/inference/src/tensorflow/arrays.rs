//! Shapes, and tensors put together or looked up.

use tract_onnx::tract_core::ops::array::{Gather, GatherNd, MultiBroadcastTo, Tile, TypedConcat};
use tract_onnx::tract_hir::internal::*;

use super::node::Attributes;
use super::sizes::{self, axis, constant, first, int, ints};
use crate::plan::TENSOR_LIMIT;
use crate::repairs::Wire;

type Outlets = TractResult<TVec<OutletId>>;

/// `Concat` of before TensorFlow 1.0: the axis stands first.
pub(super) fn concat(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let along = int(wire, inputs, 0, "the axis of Concat")?;
    join(wire, &inputs[1..], along)
}

pub(super) fn concat_v2(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let last = inputs.len().checked_sub(1).context("no input")?;
    let along = int(wire, inputs, last, "the axis of ConcatV2")?;
    join(wire, &inputs[..last], along)
}

fn join(wire: &mut Wire<'_>, parts: &[OutletId], along: i64) -> Outlets {
    let along = axis(along, sizes::rank(wire, first(parts)?)?)?;
    Ok(tvec!(wire.op(TypedConcat::new(along), parts)?))
}

pub(super) fn pack(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let along = axis(node.int("axis", 0)?, sizes::rank(wire, first(inputs)?)? + 1)?;
    let mut parts = TVec::new();
    for input in inputs {
        parts.push(wire.op(AxisOp::Add(along), &[*input])?);
    }
    Ok(tvec!(wire.op(TypedConcat::new(along), &parts)?))
}

/// A tensor of sizes, of the type that an attribute says.
fn sizes_of(node: &Attributes, wire: &mut Wire<'_>, attribute: &str, sizes: &Tensor) -> Outlets {
    let ty = node.ty(attribute, i32::datum_type())?;
    let sizes = sizes.cast_to_dt(ty)?.into_owned();
    Ok(tvec!(wire.stored(sizes)?))
}

pub(super) fn shape(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let sizes = sizes::shape(wire, first(inputs)?)?;
    let sizes: Vec<i64> = sizes.iter().map(|size| *size as i64).collect();
    sizes_of(node, wire, "out_type", &tensor1(&sizes))
}

pub(super) fn size(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let count: usize = sizes::shape(wire, first(inputs)?)?.iter().product();
    sizes_of(node, wire, "out_type", &tensor0(count as i64))
}

pub(super) fn rank(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let rank = sizes::rank(wire, first(inputs)?)?;
    Ok(tvec!(wire.stored(tensor0(rank as i32))?))
}

pub(super) fn reshape(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let wanted = ints(wire, inputs, 1, "the shape of Reshape")?;
    let count: usize = sizes::shape(wire, x)?.iter().product();
    let known: usize = wanted.iter().filter(|it| **it != -1).map(|it| *it as usize).product();
    ensure!(wanted.iter().filter(|it| **it == -1).count() <= 1, "more than one size is open");
    let size = |it: &i64| match usize::try_from(*it) {
        Ok(size) => Ok(size),
        Err(_) if *it == -1 && known > 0 => Ok(count / known),
        Err(_) => bail!("{count} numbers cannot be reshaped to {wanted:?}"),
    };
    let wanted = wanted.iter().map(size).collect::<TractResult<Vec<_>>>()?;
    Ok(tvec!(sizes::reshape(wire, x, &wanted)?))
}

pub(super) fn expand_dims(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let place = int(wire, inputs, 1, "the axis of ExpandDims")?;
    let place = axis(place, sizes::rank(wire, x)? + 1)?;
    Ok(tvec!(wire.op(AxisOp::Add(place), &[x])?))
}

pub(super) fn squeeze(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let mut x = first(inputs)?;
    let shape = sizes::shape(wire, x)?;
    // The name is that of the attribute before TensorFlow 1.0 and still that in the file.
    let named = node.ints("squeeze_dims")?;
    let away = if named.is_empty() {
        (0..shape.len()).filter(|axis| shape[*axis] == 1).collect()
    } else {
        sizes::axes(&named, shape.len())?
    };
    for axis in away.iter().rev() {
        ensure!(shape[*axis] == 1, "axis {axis} of {shape:?} is not of size 1");
        x = wire.op(AxisOp::Rm(*axis), &[x])?;
    }
    Ok(tvec!(x))
}

pub(super) fn transpose(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let rank = sizes::rank(wire, x)?;
    let order = ints(wire, inputs, 1, "the order of Transpose")?;
    let order = order.iter().map(|it| axis(*it, rank)).collect::<TractResult<Vec<_>>>()?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    ensure!(sorted.into_iter().eq(0..rank), "{order:?} is no order of {rank} axes");
    Ok(tvec!(sizes::transpose(wire, x, &order)?))
}

/// Spreads a number, or a tensor, to these sizes.
fn spread(wire: &mut Wire<'_>, x: OutletId, sizes: &[usize]) -> TractResult<OutletId> {
    let mut x = x;
    for _ in sizes::rank(wire, x)?..sizes.len() {
        x = wire.op(AxisOp::Add(0), &[x])?;
    }
    let shape: ShapeFact = sizes.iter().map(|size| size.to_dim()).collect::<TVec<TDim>>().into();
    wire.op(MultiBroadcastTo::new(shape), &[x])
}

pub(super) fn fill(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let sizes = ints(wire, inputs, 0, "the shape of Fill")?;
    let sizes = sizes.iter().map(|it| Ok(usize::try_from(*it)?));
    let sizes = sizes.collect::<TractResult<Vec<_>>>()?;
    let number = inputs.get(1).copied().context("no number")?;
    ensure!(sizes::rank(wire, number)? == 0, "Fill with a tensor");
    Ok(tvec!(spread(wire, number, &sizes)?))
}

pub(super) fn zeros_like(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    like(wire, inputs, 0)
}

pub(super) fn ones_like(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    like(wire, inputs, 1)
}

fn like(wire: &mut Wire<'_>, inputs: &[OutletId], number: i32) -> Outlets {
    let x = first(inputs)?;
    let (ty, shape) = (sizes::ty(wire, x)?, sizes::shape(wire, x)?);
    let number = tensor0(number).cast_to_dt(ty)?.into_owned();
    let number = wire.stored(number)?;
    Ok(tvec!(spread(wire, number, &shape)?))
}

pub(super) fn tile(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let times = ints(wire, inputs, 1, "the multiples of Tile")?;
    ensure!(times.len() == sizes::rank(wire, x)?, "{} multiples", times.len());
    ensure!(times.iter().all(|it| *it >= 0), "a negative multiple");
    let multipliers = times.iter().map(|it| it.to_dim()).collect();
    Ok(tvec!(wire.op(Tile { multipliers }, &[x])?))
}

/// `Range`, whose numbers are constants.
pub(super) fn range(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let mut ends = [Arc::new(tensor0(0)), Arc::new(tensor0(0)), Arc::new(tensor0(0))];
    for (index, end) in ends.iter_mut().enumerate() {
        *end = constant(wire, inputs, index, "an end of Range")?;
    }
    let [from, to, step] = ends;
    let ty = from.datum_type();
    let number = |tensor: &Tensor| tensor.cast_to_scalar::<f64>();
    let (first, to, by) = (number(&from)?, number(&to)?, number(&step)?);
    ensure!(by != 0.0 && [first, to, by].iter().all(|it| it.is_finite()), "Range without end");
    let count = ((to - first) / by).ceil().max(0.0);
    ensure!(count <= (TENSOR_LIMIT / 8) as f64, "Range of more than {TENSOR_LIMIT} bytes");
    let count = count as usize;
    let numbers = match ty {
        // In single precision the numbers are added up in it.
        DatumType::F32 => {
            let (mut at, by) = (from.cast_to_scalar::<f32>()?, step.cast_to_scalar::<f32>()?);
            let mut numbers = Vec::with_capacity(count);
            for _ in 0..count {
                numbers.push(at);
                at += by;
            }
            tensor1(&numbers)
        }
        DatumType::F64 => {
            let numbers: Vec<f64> = (0..count).map(|place| first + place as f64 * by).collect();
            tensor1(&numbers)
        }
        _ => {
            let (first, by) = (from.cast_to_scalar::<i64>()?, step.cast_to_scalar::<i64>()?);
            let numbers: Vec<i64> = (0..count).map(|place| first + place as i64 * by).collect();
            tensor1(&numbers)
        }
    };
    let numbers = numbers.cast_to_dt(ty)?.into_owned();
    Ok(tvec!(wire.stored(numbers)?))
}

pub(super) fn gather(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let indices = inputs.get(1).copied().context("no indices")?;
    ensure!(node.int("batch_dims", 0)? == 0, "batch_dims is not supported");
    let along = if inputs.len() > 2 { int(wire, inputs, 2, "the axis of GatherV2")? } else { 0 };
    let along = axis(along, sizes::rank(wire, x)?)?;
    let indices = wire.cast(indices, i64::datum_type())?;
    Ok(tvec!(wire.op(Gather::new(along), &[x, indices])?))
}

pub(super) fn gather_nd(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    ensure!(node.int("batch_dims", 0)? == 0, "batch_dims is not supported");
    Ok(tvec!(wire.op(GatherNd::new(0), inputs)?))
}

pub(super) fn space_to_depth(
    node: &Attributes,
    wire: &mut Wire<'_>,
    inputs: &[OutletId],
) -> Outlets {
    let (x, block) = (first(inputs)?, block(node)?);
    let [n, h, w, c] = image(node, wire, x)?;
    ensure!(h % block == 0 && w % block == 0, "{h} x {w} is no multiple of {block}");
    let parts = [n, h / block, block, w / block, block, c];
    let x = sizes::reshape(wire, x, &parts)?;
    let x = sizes::transpose(wire, x, &[0, 1, 3, 2, 4, 5])?;
    Ok(tvec!(sizes::reshape(wire, x, &[n, h / block, w / block, block * block * c])?))
}

pub(super) fn depth_to_space(
    node: &Attributes,
    wire: &mut Wire<'_>,
    inputs: &[OutletId],
) -> Outlets {
    let (x, block) = (first(inputs)?, block(node)?);
    let [n, h, w, c] = image(node, wire, x)?;
    ensure!(c % (block * block) == 0, "{c} channels are no multiple of {block} squared");
    let c = c / (block * block);
    let x = sizes::reshape(wire, x, &[n, h, w, block, block, c])?;
    let x = sizes::transpose(wire, x, &[0, 1, 3, 2, 4, 5])?;
    Ok(tvec!(sizes::reshape(wire, x, &[n, h * block, w * block, c])?))
}

fn block(node: &Attributes) -> TractResult<usize> {
    let size = node.int("block_size", 0)?;
    usize::try_from(size).ok().filter(|size| *size > 0).context("block_size is not above 0")
}

fn image(node: &Attributes, wire: &Wire<'_>, x: OutletId) -> TractResult<[usize; 4]> {
    let format = node.text("data_format", "NHWC")?;
    ensure!(format == "NHWC", "data_format {format} is not supported");
    match sizes::shape(wire, x)?[..] {
        [n, h, w, c] => Ok([n, h, w, c]),
        _ => bail!("not of rank 4"),
    }
}
