//! A node of a graph as an operation of tract's: it is wired as soon as types and shapes of its
//! inputs are known, and gives those of its outputs by that. Nodes come in an order in which that
//! is so, and nothing is guessed from what stands behind.

use std::collections::HashMap;
use std::sync::Arc;

use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::*;
use tract_tensorflow::tfpb::tensorflow::attr_value::Value;
use tract_tensorflow::tfpb::tensorflow::{AttrValue, DataType, NodeDef};

use crate::constants::Allowance;
use crate::repairs::Wire;

/// How an operation is wired: attributes, and outlets of its inputs.
pub(super) type Wiring = fn(&Attributes, &mut Wire<'_>, &[OutletId]) -> TractResult<TVec<OutletId>>;

/// The attributes of a node, and its operation.
#[derive(Debug)]
pub(super) struct Attributes {
    pub(super) op: String,
    values: HashMap<String, AttrValue>,
}

/// A node that is wired by a function.
#[derive(Debug, Clone)]
pub(super) struct Node {
    attributes: Arc<Attributes>,
    wiring: Wiring,
    outputs: usize,
    allowance: Allowance,
}

impl Attributes {
    pub(super) fn of(node: &NodeDef) -> Self {
        Attributes { op: node.op.clone(), values: node.attr.clone() }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name).and_then(|value| value.value.as_ref())
    }

    pub(super) fn int(&self, name: &str, default: i64) -> TractResult<i64> {
        match self.value(name) {
            Some(Value::I(int)) => Ok(*int),
            None => Ok(default),
            Some(_) => bail!("attribute {name} is no integer"),
        }
    }

    pub(super) fn float(&self, name: &str, default: f32) -> TractResult<f32> {
        match self.value(name) {
            Some(Value::F(float)) => Ok(*float),
            None => Ok(default),
            Some(_) => bail!("attribute {name} is no number"),
        }
    }

    pub(super) fn bool(&self, name: &str, default: bool) -> TractResult<bool> {
        match self.value(name) {
            Some(Value::B(bool)) => Ok(*bool),
            None => Ok(default),
            Some(_) => bail!("attribute {name} is no boolean"),
        }
    }

    pub(super) fn text<'a>(&'a self, name: &str, default: &'a str) -> TractResult<&'a str> {
        match self.value(name) {
            Some(Value::S(text)) => Ok(std::str::from_utf8(text)?),
            None => Ok(default),
            Some(_) => bail!("attribute {name} is no text"),
        }
    }

    pub(super) fn ints(&self, name: &str) -> TractResult<Vec<i64>> {
        match self.value(name) {
            Some(Value::List(list)) => Ok(list.i.clone()),
            None => Ok(Vec::new()),
            Some(_) => bail!("attribute {name} is no list"),
        }
    }

    pub(super) fn ty(&self, name: &str, default: DatumType) -> TractResult<DatumType> {
        match self.value(name) {
            Some(Value::Type(ty)) => DataType::try_from(*ty)?.try_into(),
            None => Ok(default),
            Some(_) => bail!("attribute {name} is no type"),
        }
    }
}

impl Node {
    pub(super) fn wired_by(
        wiring: Wiring,
        node: &NodeDef,
        outputs: usize,
        allowance: Allowance,
    ) -> Box<dyn InferenceOp> {
        Box::new(Node { attributes: Arc::new(Attributes::of(node)), wiring, outputs, allowance })
    }

    /// Wires the operation; outputs that nothing uses are left out.
    fn wire(
        &self,
        name: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let mut wire = Wire::new(name, model).within(self.allowance);
        let mut outlets = (self.wiring)(&self.attributes, &mut wire, inputs)?;
        ensure!(
            outlets.len() >= self.outputs,
            "operator {}: output {} is not computed",
            self.attributes.op,
            self.outputs - 1
        );
        outlets.truncate(self.outputs);
        Ok(outlets)
    }

    /// A model of this operation alone.
    fn alone(&self, facts: impl IntoIterator<Item = TypedFact>) -> TractResult<TypedModel> {
        let mut model = TypedModel::default();
        let sources = facts.into_iter().enumerate();
        let sources = sources
            .map(|(index, fact)| model.add_source(format!("input {index}"), fact))
            .collect::<TractResult<TVec<_>>>()?;
        let outlets = self.wire("alone", &mut model, &sources)?;
        model.select_output_outlets(&outlets)?;
        Ok(model)
    }
}

// As tract's own: two are the same operation only if they are one.
impl PartialEq for Node {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl Eq for Node {}

impl Op for Node {
    fn name(&self) -> StaticName {
        self.attributes.op.clone().into()
    }

    not_a_typed_op!();
}

impl EvalOp for Node {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let facts = inputs.iter().map(|input| TypedFact::try_from(input.clone().into_arc_tensor()));
        let model = self.alone(facts.collect::<TractResult<Vec<_>>>()?)?;
        SimplePlan::new(model)?.run(inputs)
    }
}

impl InferenceOp for Node {
    fn infer_facts(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<(TVec<InferenceFact>, TVec<InferenceFact>, TVec<InferenceFact>)> {
        let own = |facts: TVec<&InferenceFact>| facts.into_iter().cloned().collect();
        let known =
            |input: &&InferenceFact| input.datum_type.is_concrete() && input.shape.is_concrete();
        let found = if inputs.iter().all(known) {
            let facts = inputs.iter().map(|input| TypedFact::try_from(*input));
            let model = self.alone(facts.collect::<TractResult<Vec<_>>>()?)?;
            let fact = |outlet: &OutletId| Ok(model.outlet_fact(*outlet)?.into());
            model.output_outlets()?.iter().map(fact).collect::<TractResult<_>>()?
        } else {
            own(outputs)
        };
        Ok((own(inputs), found, own(observed)))
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.outputs)
    }

    fn to_typed(
        &self,
        _: &InferenceModel,
        node: &InferenceNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        let inputs: TVec<OutletId> = node.inputs.iter().map(|input| mapping[input]).collect();
        self.wire(&node.name, target, &inputs)
    }

    as_op!();
}
