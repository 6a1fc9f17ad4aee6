//! Products of matrices.

use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_hir::internal::*;

use super::node::Attributes;
use super::sizes::{self, in_single, level};
use crate::repairs::Wire;

type Outlets = TractResult<TVec<OutletId>>;

/// Of the last two axes; those before them spread over each other.
pub(super) fn mat_mul(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let [a, b] = inputs[..] else { bail!("{} inputs, not two", inputs.len()) };
    let flag = |first: &str, second: &str| -> TractResult<bool> {
        Ok(node.bool(first, false)? != node.bool(second, false)?)
    };
    let (a_turned, b_turned) = (flag("transpose_a", "adj_x")?, flag("transpose_b", "adj_y")?);
    ensure!(sizes::rank(wire, a)?.min(sizes::rank(wire, b)?) >= 2, "a product without matrices");
    let inputs = level(wire, &[a, b])?;
    let batch: String = ('a'..='l').take(sizes::rank(wire, inputs[0])? - 2).collect();
    let left = if a_turned { "zy" } else { "yz" };
    let right = if b_turned { "xz" } else { "zx" };
    product(wire, &format!("{batch}{left},{batch}{right}->{batch}yx"), &inputs)
}

/// Einstein's notation, without dots.
pub(super) fn einsum(node: &Attributes, wire: &mut Wire<'_>, inputs: &[OutletId]) -> Outlets {
    let equation = node.text("equation", "")?.replace(' ', "");
    ensure!(!equation.contains('.'), "'{equation}': dots are not supported");
    let (from, to) = equation.split_once("->").context("an equation without an arrow")?;
    ensure!(from.split(',').count() == inputs.len(), "'{equation}' for {} inputs", inputs.len());
    for (term, input) in from.split(',').zip(inputs) {
        let rank = sizes::rank(wire, *input)?;
        ensure!(term.chars().count() == rank, "'{term}' for a tensor of rank {rank}");
    }
    for term in from.split(',').chain([to]) {
        let twice = |letter: char| term.matches(letter).count() > 1;
        ensure!(!term.chars().any(twice), "'{equation}': a letter twice is not supported");
    }
    product(wire, &equation, inputs)
}

fn product(wire: &mut Wire<'_>, equation: &str, inputs: &[OutletId]) -> Outlets {
    let axes: AxesMapping = equation.parse()?;
    in_single(wire, inputs, |wire, inputs| {
        let ty = sizes::ty(wire, inputs[0])?;
        let known = ty.is_float() || ty == i32::datum_type();
        ensure!(known, "a product of {ty:?}: export it in floats");
        wire.op(EinSum::new(axes, ty), inputs)
    })
}
