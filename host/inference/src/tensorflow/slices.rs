//! Parts of tensors, and edges put around them.

use tract_onnx::tract_core::ops::array::{Gather, Pad, PadMode, Slice};
use tract_onnx::tract_hir::internal::*;

use super::node::Attributes;
use super::sizes::{self, axis, constant, first, int, ints};
use crate::repairs::Wire;

type Outlets = TractResult<TVec<OutletId>>;

/// Elements of an axis, from one place to another; all of them need nothing.
fn part(
    wire: &mut Wire<'_>,
    x: OutletId,
    axis: usize,
    from: usize,
    to: usize,
) -> TractResult<OutletId> {
    let size = sizes::shape(wire, x)?[axis];
    ensure!(from <= to && to <= size, "{from} to {to} of an axis of {size}");
    if (from, to) == (0, size) {
        return Ok(x);
    }
    wire.op(Slice::new(axis, from, to), &[x])
}

/// `Slice` has sizes behind the places where it begins; -1 is all that is left.
pub(super) fn slice(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let mut x = first(inputs)?;
    let shape = sizes::shape(wire, x)?;
    let begin = ints(wire, inputs, 1, "where Slice begins")?;
    let size = ints(wire, inputs, 2, "the size of Slice")?;
    ensure!(begin.len() == shape.len() && size.len() == shape.len(), "sizes of another rank");
    for (axis, (begin, size)) in begin.iter().zip(&size).enumerate() {
        let from = usize::try_from(*begin)?;
        let to = if *size == -1 { shape[axis] } else { from + usize::try_from(*size)? };
        x = part(wire, x, axis, from, to)?;
    }
    Ok(tvec!(x))
}

/// What `StridedSlice` takes of one axis.
enum Taken {
    /// From, to (exclusive) and step, as Python has them.
    Range(Option<i64>, Option<i64>, i64),
    /// One place; the axis goes.
    One(i64),
    /// The axis is new.
    New,
}

/// `x[a:b:c, ..., d, tf.newaxis]`: masks say what the three lists mean at each place.
pub(super) fn strided_slice(
    node: &Attributes,
    wire: &mut Wire<'_>,
    inputs: &[OutletId],
) -> Outlets {
    let mut x = first(inputs)?;
    let shape = sizes::shape(wire, x)?;
    let begin = ints(wire, inputs, 1, "where StridedSlice begins")?;
    let end = ints(wire, inputs, 2, "where StridedSlice ends")?;
    let step = ints(wire, inputs, 3, "the steps of StridedSlice")?;
    ensure!(begin.len() == end.len() && end.len() == step.len(), "lists of different lengths");
    ensure!(begin.len() <= 32, "more than 32 axes");
    let mask = |name: &str| node.int(name, 0);
    let (begins, ends) = (mask("begin_mask")?, mask("end_mask")?);
    let (ellipsis, new) = (mask("ellipsis_mask")?, mask("new_axis_mask")?);
    let shrinks = mask("shrink_axis_mask")?;
    let has = |mask: i64, place: usize| mask >> place & 1 == 1;
    ensure!(ellipsis.count_ones() <= 1, "more than one ellipsis");
    let mut taken = Vec::new();
    for place in 0..begin.len() {
        if has(ellipsis, place) {
            let others = (0..begin.len()).filter(|it| !has(new, *it) && *it != place).count();
            let open = shape.len().checked_sub(others).context("more places than axes")?;
            taken.extend((0..open).map(|_| Taken::Range(None, None, 1)));
        } else if has(new, place) {
            taken.push(Taken::New);
        } else if has(shrinks, place) {
            taken.push(Taken::One(begin[place]));
        } else {
            let from = (!has(begins, place)).then_some(begin[place]);
            let to = (!has(ends, place)).then_some(end[place]);
            taken.push(Taken::Range(from, to, step[place]));
        }
    }
    let mut axis = 0;
    for taken in taken {
        match taken {
            Taken::New => {
                x = wire.op(AxisOp::Add(axis), &[x])?;
                axis += 1;
            }
            Taken::One(place) => {
                let size = size_of(wire, x, axis)?;
                let at = if place < 0 { place + size as i64 } else { place };
                ensure!((0..size as i64).contains(&at), "place {place} of an axis of {size}");
                let at = at as usize;
                x = part(wire, x, axis, at, at + 1)?;
                x = wire.op(AxisOp::Rm(axis), &[x])?;
            }
            Taken::Range(from, to, step) => {
                x = stepped(wire, x, axis, from, to, step)?;
                axis += 1;
            }
        }
    }
    Ok(tvec!(x))
}

fn size_of(wire: &Wire<'_>, x: OutletId, axis: usize) -> TractResult<usize> {
    let shape = sizes::shape(wire, x)?;
    shape.get(axis).copied().context("more places than axes")
}

/// A range of an axis with a step, as Python takes it.
fn stepped(
    wire: &mut Wire<'_>,
    x: OutletId,
    axis: usize,
    from: Option<i64>,
    to: Option<i64>,
    step: i64,
) -> TractResult<OutletId> {
    ensure!(step != 0 && step != i64::MIN, "a step of 0");
    let size = size_of(wire, x, axis)? as i64;
    let counted = |place: i64| if place < 0 { place.saturating_add(size) } else { place };
    // Both ends as the lowest place, and one beyond the highest.
    let (low, high) = if step > 0 {
        let low = from.map_or(0, |it| counted(it).clamp(0, size));
        let high = to.map_or(size, |it| counted(it).clamp(0, size));
        (low, high.max(low))
    } else {
        let first = from.map_or(size - 1, |it| counted(it).clamp(-1, size - 1));
        let beyond = to.map_or(-1, |it| counted(it).clamp(-1, size - 1));
        (beyond.min(first) + 1, first + 1)
    };
    let x = part(wire, x, axis, low as usize, high as usize)?;
    if step == 1 {
        return Ok(x);
    }
    // tract's `Downsample` is moved about when a graph is optimised, and not always rightly.
    let count = high - low;
    let places = (0..count).step_by(usize::try_from(step.unsigned_abs())?);
    let places: Vec<i64> = places.map(|it| if step < 0 { count - 1 - it } else { it }).collect();
    let places = wire.stored(tensor1(&places))?;
    wire.op(Gather::new(axis), &[x, places])
}

pub(super) fn reverse(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let mut x = first(inputs)?;
    let along = ints(wire, inputs, 1, "the axes of ReverseV2")?;
    for axis in sizes::axes(&along, sizes::rank(wire, x)?)? {
        x = stepped(wire, x, axis, None, None, -1)?;
    }
    Ok(tvec!(x))
}

/// Parts of one axis after one another.
fn parts(wire: &mut Wire<'_>, x: OutletId, axis: usize, sizes: &[usize]) -> Outlets {
    let mut found = TVec::new();
    let mut from = 0;
    for size in sizes {
        found.push(part(wire, x, axis, from, from + size)?);
        from += size;
    }
    Ok(found)
}

pub(super) fn split(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = inputs.get(1).copied().context("no tensor to split")?;
    let shape = sizes::shape(wire, x)?;
    let along = axis(int(wire, inputs, 0, "the axis of Split")?, shape.len())?;
    let count = usize::try_from(node.int("num_split", 1)?)?;
    ensure!(count > 0 && shape[along] % count == 0, "{} split in {count}", shape[along]);
    parts(wire, x, along, &vec![shape[along] / count; count])
}

pub(super) fn split_v(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let shape = sizes::shape(wire, x)?;
    let along = axis(int(wire, inputs, 2, "the axis of SplitV")?, shape.len())?;
    let wanted = ints(wire, inputs, 1, "the sizes of SplitV")?;
    let known: i64 = wanted.iter().filter(|it| **it >= 0).sum();
    let size = |it: &i64| if *it == -1 { shape[along] as i64 - known } else { *it };
    let wanted = wanted.iter().map(|it| Ok(usize::try_from(size(it))?));
    let wanted = wanted.collect::<TractResult<Vec<_>>>()?;
    ensure!(wanted.iter().sum::<usize>() == shape[along], "sizes of another sum");
    parts(wire, x, along, &wanted)
}

pub(super) fn unpack(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let shape = sizes::shape(wire, x)?;
    let along = axis(node.int("axis", 0)?, shape.len())?;
    let each = parts(wire, x, along, &vec![1; shape[along]])?;
    each.iter().map(|part| wire.op(AxisOp::Rm(along), &[*part])).collect()
}

/// Two numbers for each axis, none negative.
fn edges(
    wire: &Wire<'_>,
    inputs: &[OutletId],
    index: usize,
    what: &str,
) -> TractResult<Vec<(usize, usize)>> {
    let all = ints(wire, inputs, index, what)?;
    let pair = |pair: &[i64; 2]| Ok((usize::try_from(pair[0])?, usize::try_from(pair[1])?));
    all.as_chunks::<2>().0.iter().map(pair).collect()
}

pub(super) fn pad(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let pads = edges(wire, inputs, 1, "the padding")?;
    ensure!(pads.len() == sizes::rank(wire, x)?, "padding of another rank");
    let with = match inputs.get(2) {
        Some(_) => constant(wire, inputs, 2, "the number of PadV2")?,
        None => Arc::new(Tensor::zero_scalar_dt(sizes::ty(wire, x)?)?),
    };
    Ok(tvec!(wire.op(Pad { pads, mode: PadMode::Constant(with) }, &[x])?))
}

pub(super) fn mirror_pad(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let mode = node.text("mode", "")?;
    ensure!(mode == "REFLECT", "MirrorPad of mode {mode} is not supported");
    let pads = edges(wire, inputs, 1, "the padding")?;
    let shape = sizes::shape(wire, x)?;
    ensure!(pads.len() == shape.len(), "padding of another rank");
    let fits =
        |((before, behind), size): (&(usize, usize), &usize)| *before.max(behind) < (*size).max(1);
    ensure!(pads.iter().zip(&shape).all(fits), "padding as large as the tensor");
    Ok(tvec!(wire.op(Pad { pads, mode: PadMode::Reflect }, &[x])?))
}

/// Blocks of rows and columns as items of a batch: what TensorFlow 1 dilates a convolution with.
pub(super) fn space_to_batch(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let mut x = first(inputs)?;
    let block = blocks(wire, inputs)?;
    let pads = edges(wire, inputs, 2, "the padding of SpaceToBatchND")?;
    let rank = sizes::rank(wire, x)?;
    ensure!(pads.len() == block.len() && block.len() < rank, "blocks of another rank");
    if pads.iter().any(|pad| *pad != (0, 0)) {
        let mut all = vec![(0, 0)];
        all.extend(pads);
        all.resize(rank, (0, 0));
        let zero = Arc::new(Tensor::zero_scalar_dt(sizes::ty(wire, x)?)?);
        x = wire.op(Pad { pads: all, mode: PadMode::Constant(zero) }, &[x])?;
    }
    let shape = sizes::shape(wire, x)?;
    let (mut apart, mut order, mut joined) = (vec![shape[0]], Vec::new(), vec![shape[0]]);
    for (index, block) in block.iter().enumerate() {
        let size = shape[index + 1];
        ensure!(size % block == 0, "{size} is no multiple of {block}");
        apart.extend([size / block, *block]);
        order.push(2 * index + 2);
        joined[0] *= block;
        joined.push(size / block);
    }
    order.push(0);
    order.extend((0..block.len()).map(|index| 2 * index + 1));
    order.extend((block.len() + 1..rank).map(|axis| axis + block.len()));
    apart.extend(&shape[block.len() + 1..]);
    joined.extend(&shape[block.len() + 1..]);
    let x = sizes::reshape(wire, x, &apart)?;
    let x = sizes::transpose(wire, x, &order)?;
    Ok(tvec!(sizes::reshape(wire, x, &joined)?))
}

pub(super) fn batch_to_space(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let block = blocks(wire, inputs)?;
    let crops = edges(wire, inputs, 2, "the crops of BatchToSpaceND")?;
    let shape = sizes::shape(wire, x)?;
    let rank = shape.len();
    ensure!(crops.len() == block.len() && block.len() < rank, "blocks of another rank");
    let count: usize = block.iter().product();
    ensure!(shape[0] % count == 0, "a batch of {} is no multiple of {count}", shape[0]);
    let (mut apart, mut order) = (block.clone(), vec![block.len()]);
    apart.push(shape[0] / count);
    apart.extend(&shape[1..]);
    let mut joined = vec![shape[0] / count];
    for (index, block_size) in block.iter().enumerate() {
        order.extend([block.len() + 1 + index, index]);
        joined.push(shape[index + 1] * block_size);
    }
    order.extend(2 * block.len() + 1..block.len() + rank);
    joined.extend(&shape[block.len() + 1..]);
    let x = sizes::reshape(wire, x, &apart)?;
    let x = sizes::transpose(wire, x, &order)?;
    let mut x = sizes::reshape(wire, x, &joined)?;
    for (index, (before, behind)) in crops.iter().enumerate() {
        let to = joined[index + 1].checked_sub(*behind).context("crops beyond the size")?;
        x = part(wire, x, index + 1, *before, to)?;
    }
    Ok(tvec!(x))
}

fn blocks(wire: &Wire<'_>, inputs: &[OutletId]) -> TractResult<Vec<usize>> {
    let sizes = ints(wire, inputs, 1, "the sizes of blocks")?;
    let size = |it: &i64| usize::try_from(*it).ok().filter(|it| *it > 0);
    sizes.iter().map(|it| size(it).context("a block that is empty")).collect()
}
