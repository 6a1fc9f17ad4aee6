//! Typed operations, wired one after the other under the name of the node that they replace.

use tract_onnx::tract_core::ops::cast::cast;
use tract_onnx::tract_hir::internal::*;

/// A model that is being extended for one node.
pub(crate) struct Wire<'a> {
    node: &'a str,
    model: &'a mut TypedModel,
    steps: usize,
}

impl<'a> Wire<'a> {
    pub(crate) fn new(node: &'a str, model: &'a mut TypedModel) -> Self {
        Wire { node, model, steps: 0 }
    }

    pub(crate) fn fact(&self, outlet: OutletId) -> TractResult<TypedFact> {
        self.model.outlet_fact(outlet).cloned()
    }

    /// The only output of an operation.
    pub(crate) fn op(
        &mut self,
        op: impl Into<Box<dyn TypedOp>>,
        inputs: &[OutletId],
    ) -> TractResult<OutletId> {
        let name = self.name();
        Ok(self.model.wire_node(name, op, inputs)?[0])
    }

    /// All outputs of what is wired as several operations.
    pub(crate) fn expansion(
        &mut self,
        expansion: &dyn Expansion,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let name = self.name();
        expansion.wire(&name, self.model, inputs)
    }

    /// A tensor as it is.
    pub(crate) fn stored(&mut self, tensor: impl IntoArcTensor) -> TractResult<OutletId> {
        let name = self.name();
        self.model.add_const(name, tensor)
    }

    /// A number, of the type and rank of another tensor.
    pub(crate) fn number(&mut self, number: f32, like: OutletId) -> TractResult<OutletId> {
        self.constant(tensor0(number), like)
    }

    /// A tensor that spreads over the last axes of another one, in its type and rank.
    pub(crate) fn constant(&mut self, tensor: Tensor, like: OutletId) -> TractResult<OutletId> {
        let fact = self.fact(like)?;
        let tensor = tensor.cast_to_dt(fact.datum_type)?.into_owned();
        let name = self.name();
        self.model.add_const(name, tensor.broadcast_into_rank(fact.rank())?)
    }

    pub(crate) fn cast(&mut self, outlet: OutletId, ty: DatumType) -> TractResult<OutletId> {
        if self.fact(outlet)?.datum_type == ty {
            return Ok(outlet);
        }
        self.op(cast(ty), &[outlet])
    }

    fn name(&mut self) -> String {
        self.steps += 1;
        format!("{}#{}", self.node, self.steps)
    }
}
