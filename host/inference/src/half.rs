//! Graphs of half precision are computed in single precision.
//!
//! Few processors compute in 16 bits, and tract imitates it where they do not: GoogLeNet takes
//! five seconds a picture so, a hundred times as long as in 32 bits. ONNX Runtime widens too where
//! it has no kernel. To widen a number is exact, so every result has at least the precision that
//! the graph asks for.

use std::collections::HashMap;

use tract_onnx::tract_core::model::translator::Translate;
use tract_onnx::tract_core::ops::array::{Slice, TypedConcat};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cast::cast;
use tract_onnx::tract_core::ops::change_axes::AxisOp;
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv, MaxPool, SumPool};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_hir::internal::*;

const NARROW: DatumType = DatumType::F16;
const WIDE: DatumType = DatumType::F32;

/// The same graph, which computes in 32 bits what this one computes in 16. Its inputs and outputs
/// keep their types, and where it casts to 16 bits itself, numbers are rounded as before.
pub(super) fn widened(model: TypedModel) -> TractResult<TypedModel> {
    let narrow = |node: &TypedNode| node.outputs.iter().any(|it| it.fact.datum_type == NARROW);
    if !model.nodes().iter().any(narrow) {
        return Ok(model);
    }
    let (mut wide, outlets) = Widen.translate_model_with_mappings(&model)?;
    for (place, outlet) in model.outputs.iter().enumerate() {
        let (ty, name) = (model.outlet_fact(*outlet)?.datum_type, &model.node(outlet.node).name);
        wide.outputs[place] =
            typed(&mut wide, outlets[outlet], ty, &format!("{name}.out-{place}"))?;
    }
    Ok(wide)
}

#[derive(Debug)]
struct Widen;

impl Translate<TypedFact, Box<dyn TypedOp>, TypedFact, Box<dyn TypedOp>> for Widen {
    fn translate_node(
        &self,
        source: &TypedModel,
        node: &TypedNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        let wider = wider(node)?;
        let mut inputs = tvec!();
        for (place, input) in node.inputs.iter().enumerate() {
            let ty = source.outlet_fact(*input)?.datum_type;
            let ty = if wider.is_some() && ty == NARROW { WIDE } else { ty };
            inputs.push(typed(target, mapping[input], ty, &format!("{}.in-{place}", node.name))?);
        }
        let op = wider.unwrap_or_else(|| node.op.clone());
        if source.inputs.contains(&node.id.into()) {
            return Ok(tvec!(target.add_source(&node.name, node.outputs[0].fact.clone())?));
        }
        target.wire_node(&node.name, op, &inputs)
    }
}

/// The outlet as one of this type.
fn typed(
    model: &mut TypedModel,
    outlet: OutletId,
    ty: DatumType,
    name: &str,
) -> TractResult<OutletId> {
    if model.outlet_fact(outlet)?.datum_type == ty {
        return Ok(outlet);
    }
    Ok(model.wire_node(name, cast(ty), &[outlet])?[0])
}

/// The operation in the wider type, if it is the same there: its types are those of its inputs,
/// and no attribute holds a number. All others go on with 16 bits.
fn wider(node: &TypedNode) -> TractResult<Option<Box<dyn TypedOp>>> {
    let wide = |ty: DatumType| if ty == NARROW { WIDE } else { ty };
    if let Some(stored) = node.op_as::<Const>() {
        let value = stored.val();
        return Ok(match value.datum_type() == NARROW && value.is_plain() {
            true => {
                let wider = value.cast_to_dt(WIDE)?.into_owned().into_arc_tensor();
                Some(Box::new(Const::new(wider)?))
            }
            false => None,
        });
    }
    if let Some(TypedBinOp(op, ty)) = node.op_as::<TypedBinOp>() {
        return Ok(Some(Box::new(TypedBinOp(op.clone(), ty.map(wide)))));
    }
    if let Some(ElementWiseOp(op, ty)) = node.op_as::<ElementWiseOp>() {
        return Ok(Some(Box::new(ElementWiseOp(op.clone(), ty.map(wide)))));
    }
    if let Some(op) = node.op_as::<EinSum>() {
        return Ok(Some(Box::new(EinSum { operating_dt: wide(op.operating_dt), ..op.clone() })));
    }
    let pools = node.op_is::<MaxPool>() || node.op_is::<SumPool>();
    let products = node.op_is::<Conv>() || node.op_is::<Deconv>();
    let places = node.op_is::<AxisOp>() || node.op_is::<TypedConcat>() || node.op_is::<Slice>();
    Ok((pools || products || places).then(|| node.op.clone()))
}
