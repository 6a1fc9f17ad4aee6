//! Batch normalisation, softmax.

use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Softmax, SoftmaxKind};
use tract_onnx::tract_hir::internal::*;

use super::node::Attributes;
use super::sizes::{self, first, in_single, pair};
use crate::repairs::Wire;

type Outlets = TractResult<TVec<OutletId>>;

/// `(x - mean) / sqrt(variance + epsilon) * scale + offset` for each channel, with the mean and
/// variance that training found.
pub(super) fn batch_norm(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    ensure!(
        !node.bool("is_training", true)?,
        "a batch normalisation in training mode, which depends on the batch: export the graph for inference"
    );
    let [x, scale, offset, mean, variance] = inputs[..] else {
        bail!("{} inputs, not five", inputs.len())
    };
    let behind = match node.text("data_format", "NHWC")? {
        "NHWC" => 0,
        "NCHW" => 2,
        other => bail!("data_format {other} is not supported"),
    };
    ensure!(sizes::rank(wire, x)? == 4, "a tensor that is not of rank 4");
    let epsilon = wire.number(node.float("epsilon", 0.0001)?, variance)?;
    let root = wire.op(math::add(), &[variance, epsilon])?;
    let root = wire.op(math::rsqrt(), &[root])?;
    let mut slope = wire.op(math::mul(), &[root, scale])?;
    let shift = wire.op(math::mul(), &[mean, slope])?;
    let mut shift = wire.op(math::sub(), &[offset, shift])?;
    for _ in 0..behind {
        slope = wire.op(AxisOp::Add(1), &[slope])?;
        shift = wire.op(AxisOp::Add(1), &[shift])?;
    }
    in_single(wire, &[x, slope, shift], |wire, inputs| {
        let scaled = pair(wire, math::mul(), &inputs[..2])?;
        pair(wire, math::add(), &[scaled, inputs[2]])
    })
}

/// Along the last axis.
pub(super) fn softmax(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let last = sizes::rank(wire, x)?.checked_sub(1).context("a softmax of a number")?;
    let kind = match &*node.op {
        "LogSoftmax" => SoftmaxKind::LogSoftmax,
        _ => SoftmaxKind::Softmax,
    };
    in_single(wire, &[x], |wire, inputs| wire.op(Softmax::new(tvec!(last), None, kind), inputs))
}
