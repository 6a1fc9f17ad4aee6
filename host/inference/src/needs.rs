//! What a computation needs for its tensors, by the shapes that its plan knows.
//!
//! What a kernel takes for itself while it runs is not known; [`allowance`] leaves room for it.

use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::ops::logic::IfThenElse;
use tract_onnx::tract_core::ops::scan::OptScan;
use tract_onnx::tract_hir::internal::*;

/// Elements of a tensor that may say how large another one is.
const SIZES: usize = 64;
/// How many times what a batch of 1 needs, for each of its rows, a computation may need.
const FACTOR: u64 = 2;
/// What it may need besides, so that nothing small is refused.
const MARGIN: u64 = 64 << 20;

/// What a plan needs.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Bytes of all tensors that are there at once, as far as their shapes are known.
    pub(super) known: u64,
    /// The nodes that make tensors of other shapes, in order.
    pub(super) open: Vec<usize>,
}

impl Needs {
    /// What it needs to compute nodes in this order. The values of constants are held anyway.
    pub(super) fn of(model: &TypedModel, order: &[usize]) -> TractResult<Self> {
        let mut last = vec![0; model.nodes().len()];
        for (step, id) in order.iter().enumerate() {
            model.node(*id).inputs.iter().for_each(|input| last[input.node] = step);
        }
        model.output_outlets()?.iter().for_each(|output| last[output.node] = order.len());
        let (mut needs, mut live) = (Needs::default(), 0_u64);
        for (step, id) in order.iter().enumerate() {
            let node = model.node(*id);
            match bytes(node) {
                Some(bytes) => live = live.saturating_add(bytes),
                None => needs.open.push(*id),
            }
            needs.known = needs.known.max(live.saturating_add(within(node)?));
            let mut ended: Vec<usize> = node.inputs.iter().map(|input| input.node).collect();
            ended.sort_unstable();
            ended.dedup();
            ended.retain(|id| last[*id] == step && !model.node(*id).op_is::<Const>());
            let freed = ended.iter().filter_map(|id| bytes(model.node(*id)));
            live = freed.fold(live, u64::saturating_sub);
        }
        needs.open.sort_unstable();
        Ok(needs)
    }
}

/// Bytes that a node makes, if that is known.
fn bytes(node: &TypedNode) -> Option<u64> {
    let size = |output: &Outlet<TypedFact>| Some(output.fact.mem_size().to_usize().ok()? as u64);
    node.outputs.iter().try_fold(0_u64, |sum, output| Some(sum.saturating_add(size(output)?)))
}

/// What the graphs inside of a node need.
fn within(node: &TypedNode) -> TractResult<u64> {
    if let Some(scan) = node.op_as::<OptScan>() {
        let inner = Needs::of(scan.plan.model(), scan.plan.order_without_consts())?;
        return Ok(inner.known);
    }
    let Some(branches) = node.op_as::<IfThenElse>() else { return Ok(0) };
    let mut most = 0;
    for body in [&branches.then_body, &branches.else_body] {
        let mut order = body.eval_order()?;
        order.retain(|id| !body.node(*id).op_is::<Const>());
        most = most.max(Needs::of(body, &order)?.known);
    }
    Ok(most)
}

/// The bytes that a node is about to make of these inputs, if these tell: a length, a shape.
pub(super) fn expected(node: &TypedNode, inputs: &[TValue]) -> Option<u64> {
    let fact = |input: &TValue| {
        let mut fact = TypedFact::dt_shape(input.datum_type(), input.shape());
        if input.len() <= SIZES {
            fact.konst = Some(input.clone().into_arc_tensor());
        }
        fact
    };
    let facts: Vec<TypedFact> = inputs.iter().map(fact).collect();
    let made = node.op.output_facts(&facts.iter().collect::<Vec<_>>()).ok()?;
    let size = |fact: &TypedFact| Some(fact.mem_size().to_usize().ok()? as u64);
    made.iter().try_fold(0_u64, |sum, fact| Some(sum.saturating_add(size(fact)?)))
}

/// What a computation with so many bytes of inputs may need, if one with `base` inputs needs
/// `needs`: as much for each byte, twice.
pub(super) fn allowance(needs: u64, base: u64, inputs: u64) -> u64 {
    let times = inputs.div_ceil(base.max(1)).max(1);
    needs.saturating_mul(FACTOR).saturating_mul(times).saturating_add(MARGIN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;
    use tract_onnx::tract_core::ops::math::{add, mul, square};

    fn needs(model: TypedModel) -> Needs {
        let plan = model.into_runnable().unwrap();
        Needs::of(plan.model(), plan.order_without_consts()).unwrap()
    }

    #[test]
    fn tensors_count_while_they_are_there() {
        let mut model = TypedModel::default();
        let x = model.add_source("x", f32::fact([1000])).unwrap();
        let mut last = x;
        for step in 0..10 {
            last = model.wire_node(format!("s{step}"), square(), &[last]).unwrap()[0];
        }
        model.select_output_outlets(&[last]).unwrap();
        assert_eq!(needs(model).known, 2 * 4000, "an input and an output at a time");
    }

    #[test]
    fn what_is_used_later_is_kept_until_then() {
        let mut model = TypedModel::default();
        let x = model.add_source("x", f32::fact([1000])).unwrap();
        let y = model.wire_node("y", square(), &[x]).unwrap()[0];
        let z = model.wire_node("z", mul(), &[x, y]).unwrap()[0];
        let w = model.wire_node("w", add(), &[z, y]).unwrap()[0];
        model.select_output_outlets(&[w]).unwrap();
        assert_eq!(needs(model).known, 3 * 4000);
    }

    #[test]
    fn what_is_allowed_grows_with_the_inputs() {
        assert_eq!(allowance(100, 10, 5), 200 + MARGIN);
        assert_eq!(allowance(100, 10, 41), 1000 + MARGIN);
        assert_eq!(allowance(u64::MAX, 0, 1), u64::MAX);
    }
}
