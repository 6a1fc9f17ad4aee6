//! tract's own operations, where ours are built on them.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

/// How tract's loader is asked for an operation.
pub(super) type Built = TractResult<(Box<dyn InferenceOp>, Vec<String>)>;

/// Tells a loader of tract's own, where ours is built on it, from what takes its name.
pub(super) const TRACTS: &str = "tract's ";

/// What tract's own loader makes of a node.
pub(super) fn built(ctx: &ParsingContext, node: &NodeProto, op: &str) -> Built {
    let builder = ctx.framework.op_register.0.get(&format!("{TRACTS}{op}"));
    builder.with_context(|| format!("no operation {op}"))?(ctx, node)
}

/// The same, to be wired by an operation of ours.
pub(super) fn tracts(
    ctx: &ParsingContext,
    node: &NodeProto,
    op: &str,
) -> TractResult<Box<dyn Expansion>> {
    let (op, _) = built(ctx, node, op)?;
    let op: &dyn Op = op.as_ref();
    let expansion = op.downcast_ref::<Box<dyn Expansion>>().cloned();
    expansion.with_context(|| format!("operation {} cannot be repaired", op.name()))
}
