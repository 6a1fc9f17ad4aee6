//! `OneHot` of any index: one beyond the depth has no place, and its row is all `off`.
//!
//! tract 0.23 panics at such an index, which data may hold.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::tracts::{Built, tracts};

/// tract's, for what is known of the shapes.
#[derive(Debug, Clone)]
struct OneHot {
    tracts: Box<dyn Expansion>,
    axis: i64,
}

/// The operation: its input are the indices.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Known {
    axis: usize,
    depth: usize,
    /// What stands where there is no index, and where there is one.
    values: Arc<Tensor>,
}

pub(super) fn from_onnx(ctx: &ParsingContext, node: &NodeProto) -> Built {
    let tracts = tracts(ctx, node, "OneHot")?;
    let axis = node.get_attr_opt("axis")?.unwrap_or(-1);
    Ok((expand(OneHot { tracts, axis }), vec![]))
}

impl Expansion for OneHot {
    fn name(&self) -> StaticName {
        "OneHot".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        self.tracts.as_ref().rules(solver, inputs, outputs)
    }

    fn wire(
        &self,
        node: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let constant = |place: usize, what: &str| {
            let constant = model.outlet_fact(inputs[place])?.konst.clone();
            constant.with_context(|| {
                format!("OneHot with a computed {what}: export the graph with one that is constant")
            })
        };
        let (depth, values) = (constant(1, "depth")?, constant(2, "pair of values")?);
        ensure!(values.shape() == [2], "OneHot of {} values", values.len());
        let depth = depth.cast_to::<i64>()?;
        let depth = depth.try_as_plain_ram()?.as_slice::<i64>()?.first().copied();
        let depth = depth.and_then(|depth| usize::try_from(depth).ok());
        let depth = depth.context("OneHot of a depth below 0")?;
        let rank = model.outlet_fact(inputs[0])?.rank() as i64 + 1;
        let axis = if self.axis < 0 { self.axis + rank } else { self.axis };
        ensure!((0..rank).contains(&axis), "OneHot: there is no axis {}", self.axis);
        model.wire_node(node, Known { axis: axis as usize, depth, values }, &inputs[..1])
    }
}

impl Known {
    fn shape<D: DimLike>(&self, indices: &[D]) -> TVec<D> {
        let mut shape: TVec<D> = indices.into();
        shape.insert(self.axis, self.depth.into());
        shape
    }
}

impl Op for Known {
    fn name(&self) -> StaticName {
        "SandbarOneHot".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Known {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let indices = inputs[0].cast_to::<i64>()?;
        let indices = indices.try_as_plain_ram()?;
        let indices = indices.as_slice::<i64>()?;
        let inner: usize = inputs[0].shape()[self.axis..].iter().product();
        let (off, on) = (self.values.nth(0)?, self.values.nth(1)?);
        let on = on.as_bytes();
        let mut out = off.broadcast_scalar_to_shape(&self.shape(inputs[0].shape()))?;
        let bytes = out.as_bytes_mut();
        for (place, index) in indices.iter().enumerate() {
            let index = if *index < 0 { *index + self.depth as i64 } else { *index };
            let Some(index) = usize::try_from(index).ok().filter(|it| *it < self.depth) else {
                continue;
            };
            let (outer, inside) = (place / inner, place % inner);
            let start = ((outer * self.depth + index) * inner + inside) * on.len();
            bytes[start..start + on.len()].copy_from_slice(on);
        }
        Ok(tvec!(out.into_tvalue()))
    }
}

impl TypedOp for Known {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(self.values.datum_type().fact(self.shape(&inputs[0].shape))))
    }
}
