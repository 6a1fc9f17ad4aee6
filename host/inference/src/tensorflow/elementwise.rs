//! Operations on each element, and on pairs of them.

use tract_onnx::tract_core::ops::binary::{BinMiniOp, TypedBinOp};
use tract_onnx::tract_core::ops::logic::{self, Iff};
use tract_onnx::tract_core::ops::{element_wise::ElementWiseOp, math, nn};
use tract_onnx::tract_hir::internal::*;

use super::integers::times;
use super::node::Attributes;
use super::sizes::{self, first, level, pair};
use crate::repairs::Wire;

type Outlets = TractResult<TVec<OutletId>>;

/// Selu's constants, as in `tensorflow/core/kernels/relu_op_functor.h`.
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_SCALE_ALPHA: f64 = 1.758_099_340_847_376_9;

pub(super) fn same(_: &Attributes, _: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    Ok(inputs.into())
}

pub(super) fn unary(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let ty = sizes::ty(wire, x)?;
    // Integers are round as they are.
    if matches!(&*node.op, "Round" | "Rint" | "Ceil" | "Floor") && ty.is_integer() {
        return Ok(tvec!(x));
    }
    let op: ElementWiseOp = match &*node.op {
        "Abs" => math::abs(),
        "Acos" => math::acos(),
        "Acosh" => math::acosh(),
        "Asin" => math::asin(),
        "Asinh" => math::asinh(),
        "Atan" => math::atan(),
        "Atanh" => math::atanh(),
        "Ceil" => math::ceil(),
        "Cos" => math::cos(),
        "Cosh" => math::cosh(),
        "Erf" => math::erf(),
        "Exp" => math::exp(),
        "Floor" => math::floor(),
        "Inv" | "Reciprocal" => math::recip(),
        "Log" => math::ln(),
        "LogicalNot" => logic::not(),
        "Neg" => math::neg(),
        "Rint" | "Round" => math::round_half_to_even(),
        "Rsqrt" => math::rsqrt(),
        "Sign" => math::sign(),
        "Sin" => math::sin(),
        "Sinh" => math::sinh(),
        "Sqrt" => math::sqrt(),
        "Tan" => math::tan(),
        "Tanh" => math::tanh(),
        op => bail!("operator {op} is not known"),
    };
    Ok(tvec!(wire.op(op, &[x])?))
}

pub(super) fn relu(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let zero = wire.number(0.0, x)?;
    Ok(tvec!(wire.op(math::max(), &[x, zero])?))
}

pub(super) fn relu6(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let (zero, six) = (wire.number(0.0, x)?, wire.number(6.0, x)?);
    let above = wire.op(math::max(), &[x, zero])?;
    Ok(tvec!(wire.op(math::min(), &[above, six])?))
}

/// `x` above 0, else `alpha * x`: by the two parts, as tract's own lacks types.
pub(super) fn leaky_relu(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let alpha = wire.number(node.float("alpha", 0.2)?, x)?;
    let zero = wire.number(0.0, x)?;
    let below = wire.op(math::mul(), &[x, alpha])?;
    let positive = wire.op(compare(logic::comp_gt()), &[x, zero])?;
    Ok(tvec!(wire.op(Iff, &[positive, x, below])?))
}

/// `1 - erf(x)`
pub(super) fn erfc(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let one = wire.number(1.0, x)?;
    let erf = wire.op(math::erf(), &[x])?;
    Ok(tvec!(wire.op(math::sub(), &[one, erf])?))
}

pub(super) fn elu(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    exponential(wire, inputs, 1.0, 1.0)
}

pub(super) fn selu(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    exponential(wire, inputs, SELU_SCALE, SELU_SCALE_ALPHA)
}

/// `scale * max(x, 0) + below * (exp(min(x, 0)) - 1)`
fn exponential(wire: &mut Wire<'_>, inputs: &[OutletId], scale: f64, below: f64) -> Outlets {
    let x = first(inputs)?;
    let (zero, one) = (wire.number(0.0, x)?, wire.number(1.0, x)?);
    let (scale, factor) = (wire.constant(tensor0(scale), x)?, wire.constant(tensor0(below), x)?);
    let above = wire.op(math::max(), &[x, zero])?;
    let above = wire.op(math::mul(), &[above, scale])?;
    let below = wire.op(math::min(), &[x, zero])?;
    let below = wire.op(math::exp(), &[below])?;
    let below = wire.op(math::sub(), &[below, one])?;
    let below = wire.op(math::mul(), &[below, factor])?;
    Ok(tvec!(wire.op(math::add(), &[above, below])?))
}

pub(super) fn sigmoid(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    if sizes::ty(wire, x)? != f64::datum_type() {
        return Ok(tvec!(wire.op(nn::sigmoid(), &[x])?));
    }
    let one = wire.number(1.0, x)?;
    let power = wire.op(math::neg(), &[x])?;
    let power = wire.op(math::exp(), &[power])?;
    let sum = wire.op(math::add(), &[power, one])?;
    Ok(tvec!(wire.op(math::recip(), &[sum])?))
}

/// `max(x, 0) + log(1 + exp(-|x|))`, which does not overflow.
pub(super) fn softplus(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let (zero, one) = (wire.number(0.0, x)?, wire.number(1.0, x)?);
    let size = wire.op(math::abs(), &[x])?;
    let size = wire.op(math::neg(), &[size])?;
    let power = wire.op(math::exp(), &[size])?;
    let sum = wire.op(math::add(), &[power, one])?;
    let log = wire.op(math::ln(), &[sum])?;
    let above = wire.op(math::max(), &[x, zero])?;
    Ok(tvec!(wire.op(math::add(), &[above, log])?))
}

pub(super) fn softsign(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let one = wire.number(1.0, x)?;
    let size = wire.op(math::abs(), &[x])?;
    let size = wire.op(math::add(), &[size, one])?;
    Ok(tvec!(wire.op(math::div(), &[x, size])?))
}

pub(super) fn square(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    Ok(tvec!(squared(wire, x)?))
}

fn squared(wire: &mut Wire<'_>, x: OutletId) -> TractResult<OutletId> {
    if sizes::ty(wire, x)?.is_integer() {
        return wire.op(times(), &[x, x]);
    }
    wire.op(math::square(), &[x])
}

pub(super) fn cast(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let x = first(inputs)?;
    let to = node.ty("DstT", sizes::ty(wire, x)?)?;
    Ok(tvec!(wire.cast(x, to)?))
}

pub(super) fn binary(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let ty = sizes::ty(wire, first(inputs)?)?;
    if ty == bool::datum_type() && matches!(&*node.op, "Equal" | "NotEqual") {
        let numbers = inputs.iter().map(|input| wire.cast(*input, u8::datum_type()));
        let numbers = numbers.collect::<TractResult<Vec<_>>>()?;
        return binary(node, wire, &numbers);
    }
    let op: TypedBinOp = match &*node.op {
        "Add" | "AddV2" => math::add(),
        "Equal" => compare(logic::comp_eq()),
        "Greater" => compare(logic::comp_gt()),
        "GreaterEqual" => compare(logic::comp_gte()),
        "Less" => compare(logic::comp_lt()),
        "LessEqual" => compare(logic::comp_lte()),
        "LogicalAnd" => logic::and(),
        "LogicalOr" => logic::or(),
        "Maximum" => math::max(),
        "Minimum" => math::min(),
        "Mul" if ty.is_integer() => times(),
        "Mul" => math::mul(),
        "NotEqual" => compare(logic::comp_ne()),
        "Pow" => math::pow(),
        "RealDiv" => math::div(),
        "Sub" => math::sub(),
        op => bail!("operator {op} is not known"),
    };
    Ok(tvec!(pair(wire, op, inputs)?))
}

fn compare(op: Box<dyn BinMiniOp>) -> TypedBinOp {
    TypedBinOp(op, None)
}

pub(super) fn add_n(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let mut sum = first(inputs)?;
    for other in &inputs[1..] {
        sum = wire.op(math::add(), &[sum, *other])?;
    }
    Ok(tvec!(sum))
}

/// Adds one number for each channel: the last axis, or that behind the batch.
pub(super) fn bias_add(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let [x, mut bias] = inputs[..] else { bail!("{} inputs, not two", inputs.len()) };
    let rank = sizes::rank(wire, x)?;
    let channels = match node.text("data_format", "NHWC")? {
        "NHWC" => rank.checked_sub(1).context("a number has no channels")?,
        "NCHW" => 1,
        other => bail!("data_format {other} is not supported"),
    };
    ensure!(channels < rank, "a tensor without channels");
    for _ in channels + 1..rank {
        bias = wire.op(AxisOp::Add(1), &[bias])?;
    }
    Ok(tvec!(pair(wire, math::add(), &[x, bias])?))
}

pub(super) fn squared_difference(
    _: &Attributes,
    wire: &mut Wire<'_>,
    inputs: &[OutletId],
) -> Outlets {
    let difference = pair(wire, math::sub(), inputs)?;
    Ok(tvec!(squared(wire, difference)?))
}

/// `Select` of TensorFlow 1: a condition of one axis says it for whole rows.
pub(super) fn select(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let [mut condition, yes, no] = inputs[..] else { bail!("{} inputs", inputs.len()) };
    let (one, rank) = (sizes::rank(wire, condition)?, sizes::rank(wire, yes)?);
    if one == 1 {
        for _ in 1..rank {
            condition = wire.op(AxisOp::Add(1), &[condition])?;
        }
    }
    select_v2(node, wire, &[condition, yes, no])
}

pub(super) fn select_v2(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    ensure!(inputs.len() == 3, "{} inputs, not three", inputs.len());
    let level = level(wire, inputs)?;
    Ok(tvec!(wire.op(Iff, &level)?))
}

pub(super) fn clip(_: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let [x, least, most] = inputs[..] else { bail!("{} inputs, not three", inputs.len()) };
    let below = pair(wire, math::min(), &[x, most])?;
    Ok(tvec!(pair(wire, math::max(), &[below, least])?))
}
