//! `Pad` with numbers below 0, which take elements away, as PyTorch's `F.pad` writes them; and with
//! a value that its mode has no use for.
//!
//! tract 0.23 takes such a number for a huge one, and panics; and where there is a value, it pads
//! with that whatever the mode is.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::Slice;
use tract_onnx::tract_hir::internal::*;

use super::tracts::{Built, built, tracts};
use super::wire::Wire;

/// tract's, behind one that takes away.
#[derive(Debug, Clone)]
struct Pad {
    tracts: Box<dyn Expansion>,
    axes: Option<usize>,
    /// The place of a value that the mode does not use, and tract's without it.
    valueless: Option<(usize, Box<dyn Expansion>)>,
}

impl Pad {
    /// The operation after which nothing is below 0 in the sizes.
    fn add(
        &self,
        node: &str,
        model: &mut TypedModel,
        mut inputs: TVec<OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        let Some((value, tracts)) = &self.valueless else {
            return self.tracts.wire(node, model, &inputs);
        };
        inputs.remove(*value);
        tracts.wire(node, model, &inputs)
    }
}

pub(super) fn from_onnx(ctx: &ParsingContext, node: &NodeProto) -> Built {
    if ctx.onnx_operator_set_version < 11 {
        let pads = node.get_attr_opt_slice::<i64>("pads")?.unwrap_or_default();
        ensure!(
            pads.iter().all(|pad| *pad >= 0),
            "Pad that takes elements away: export the graph with operator set 11 or later"
        );
        return built(ctx, node, "Pad");
    }
    let mut inputs = tract_onnx::model::optional_inputs(node).skip(2);
    let (value, axes) = (inputs.next().flatten(), inputs.next().flatten());
    let mode: &str = node.get_attr_opt("mode")?.unwrap_or("constant");
    let mut pad = Pad { tracts: tracts(ctx, node, "Pad")?, axes, valueless: None };
    if let Some(value) = value.filter(|_| mode != "constant") {
        let mut node = node.clone();
        node.input[2].clear();
        pad.valueless = Some((value, tracts(ctx, &node, "Pad")?));
    }
    Ok((expand(pad), vec![]))
}

impl Expansion for Pad {
    fn name(&self) -> StaticName {
        "Pad".into()
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
        let constant = |model: &TypedModel, outlet: OutletId| -> TractResult<Vec<i64>> {
            let tensor = model.outlet_fact(outlet)?.konst.clone();
            let tensor = tensor.context(
                "Pad with computed sizes: export the graph with sizes that are constant",
            )?;
            let tensor = tensor.cast_to::<i64>()?;
            Ok(tensor.try_as_plain_ram()?.as_slice::<i64>()?.to_vec())
        };
        let pads = constant(model, inputs[1])?;
        if pads.iter().all(|pad| *pad >= 0) {
            return self.add(node, model, inputs.into());
        }
        let rank = model.outlet_fact(inputs[0])?.rank();
        let axes = match self.axes {
            Some(axes) => constant(model, inputs[axes])?,
            None => (0..rank as i64).collect(),
        };
        ensure!(
            pads.len() == 2 * axes.len(),
            "Pad has {} sizes for {} axes",
            pads.len(),
            axes.len()
        );
        let (mut inputs, mut wire) = (TVec::from(inputs), Wire::new(node, model));
        for (place, axis) in axes.iter().enumerate() {
            let axis = if *axis < 0 { axis + rank as i64 } else { *axis };
            let axis = usize::try_from(axis).ok().filter(|axis| *axis < rank);
            let axis = axis.context("Pad has an axis that its input lacks")?;
            let size = wire.fact(inputs[0])?.shape[axis].to_usize()?;
            let away = |pad: i64| (-pad).max(0) as usize;
            let (before, behind) = (away(pads[place]), away(pads[place + axes.len()]));
            ensure!(
                before.checked_add(behind).is_some_and(|away| away <= size),
                "Pad takes away more elements than there are"
            );
            if before + behind > 0 {
                inputs[0] = wire.op(Slice::new(axis, before, size - behind), &[inputs[0]])?;
            }
        }
        let more: Vec<i64> = pads.iter().map(|pad| *pad.max(&0)).collect();
        inputs[1] = model.add_const(format!("{node}#sizes"), tensor1(&more))?;
        self.add(node, model, inputs)
    }
}
