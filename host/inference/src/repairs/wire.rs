//! Typed operations, wired one after the other under the name of the node that they replace.

use tract_onnx::tract_core::ops::cast::cast;
use tract_onnx::tract_hir::internal::*;

use crate::constants::{self, Allowance};

/// A model that is being extended for one node.
pub(crate) struct Wire<'a> {
    node: &'a str,
    model: &'a mut TypedModel,
    steps: usize,
    /// What may be made of constants, and was.
    allowance: Option<Allowance>,
    made: u64,
}

impl<'a> Wire<'a> {
    pub(crate) fn new(node: &'a str, model: &'a mut TypedModel) -> Self {
        Wire { node, model, steps: 0, allowance: None, made: 0 }
    }

    /// The same, which looks at what it makes of constants before that is evaluated.
    pub(crate) fn within(self, allowance: Allowance) -> Self {
        Wire { allowance: Some(allowance), ..self }
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
        let (name, op) = (self.name(), op.into());
        self.look(op.as_ref(), inputs)?;
        Ok(self.model.wire_node(name, op, inputs)?[0])
    }

    /// tract evaluates what is wired to small constants, whatever the size of the result.
    fn look(&mut self, op: &dyn TypedOp, inputs: &[OutletId]) -> TractResult<()> {
        let Some(allowance) = self.allowance else { return Ok(()) };
        let facts = inputs.iter().map(|input| self.model.outlet_fact(*input));
        let facts = facts.collect::<TractResult<TVec<_>>>()?;
        if facts.is_empty() || facts.iter().any(|fact| fact.konst.is_none()) {
            return Ok(());
        }
        for fact in op.output_facts(&facts)? {
            let bytes = fact.mem_size().to_usize().map_or(0, |bytes| bytes as u64);
            allowance.take(&mut self.made, bytes, || {
                constants::described(self.node, &op.name(), &format!("{:?}", fact.shape))
            })?;
        }
        Ok(())
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
