//! `Upsample`, which `Resize` replaced in operator set 10, that `Resize`, and later ones.
//!
//! The first two place pixels without an offset and take the one at or before the place: `floor`.
//! tract 0.23 lacks the first, and computes the second with `round_prefer_floor`, the default of later
//! sets. Where corners are aligned (`align_corners`), ONNX Runtime and PyTorch place the last pixel
//! of a picture whose size is rounded on the last pixel, and tract where it would be without rounding.

use tract_onnx::model::{ParsingContext, optional_inputs};
use tract_onnx::pb::{AttributeProto, NodeProto, attribute_proto::AttributeType};
use tract_onnx::tract_hir::internal::*;

use super::tracts::{Built, tracts};

/// The set in which `Resize` has the meaning of `Upsample`.
const SIMPLE: i64 = 10;
/// The first set in which `Resize` may lack scales.
const SIZED: i64 = 13;

/// `Upsample` with the scales as its second input, as in operator set 9; [`super::prepare`] makes
/// it of the earlier form.
pub(super) fn upsample(ctx: &ParsingContext, node: &NodeProto) -> Built {
    ensure!(node.input.len() == 2, "Upsample without scales");
    simple(ctx, node)
}

pub(super) fn resize(ctx: &ParsingContext, node: &NodeProto) -> Built {
    if ctx.onnx_operator_set_version == SIMPLE {
        return simple(ctx, node);
    }
    let by_scales = tracts(ctx, node, "Resize")?;
    let mode: Option<&str> = node.get_attr_opt("coordinate_transformation_mode")?;
    let scales = optional_inputs(node).nth(2).flatten();
    let (Some("align_corners"), Some(scales)) = (mode, scales) else {
        return Ok((Box::new(by_scales), vec![]));
    };
    // With sizes in the place of scales it is right.
    let (mut ctx, mut sized) = (ctx.clone(), node.clone());
    ctx.onnx_operator_set_version = ctx.onnx_operator_set_version.max(SIZED);
    sized.input = vec![node.input[0].clone(), String::new(), String::new(), "sizes".into()];
    let by_sizes = tracts(&ctx, &sized, "Resize")?;
    let axes = node.get_attr_opt_vec("axes")?;
    Ok((expand(Aligned { by_scales, by_sizes, scales, axes }), vec![]))
}

/// `Resize` whose corners are aligned.
#[derive(Debug, Clone)]
struct Aligned {
    by_scales: Box<dyn Expansion>,
    by_sizes: Box<dyn Expansion>,
    /// The place of the scales among the inputs.
    scales: usize,
    axes: Option<Vec<i64>>,
}

impl Expansion for Aligned {
    fn name(&self) -> StaticName {
        "Resize".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        self.by_scales.as_ref().rules(solver, inputs, outputs)
    }

    fn wire(
        &self,
        node: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let scales = model.outlet_fact(inputs[self.scales])?.konst.clone();
        let scales = scales.context(
            "Resize with computed scales: export the graph with scales that are constant",
        )?;
        let scales = scales.cast_to::<f32>()?;
        let scales = scales.try_as_plain_ram()?.as_slice::<f32>()?.to_vec();
        if scales.is_empty() {
            return self.by_scales.wire(node, model, inputs);
        }
        let shape = model.outlet_fact(inputs[0])?.shape.clone();
        let rank = shape.rank() as i64;
        let axes = self.axes.clone().unwrap_or_else(|| (0..rank).collect());
        ensure!(axes.len() == scales.len(), "Resize: {} scales for {rank} axes", scales.len());
        let size = |(axis, scale): (&i64, &f32)| {
            let axis = if *axis < 0 { axis + rank } else { *axis };
            let axis = usize::try_from(axis).ok().filter(|axis| *axis < shape.rank());
            let size = shape[axis.context("Resize: there is no such axis")?].to_usize()?;
            Ok((size as f32 * scale) as i64)
        };
        let sizes: Vec<i64> = axes.iter().zip(&scales).map(size).collect::<TractResult<_>>()?;
        let sizes = model.add_const(format!("{node}#sizes"), tensor1(&sizes))?;
        self.by_sizes.wire(node, model, &[inputs[0], sizes])
    }
}

fn simple(ctx: &ParsingContext, node: &NodeProto) -> Built {
    let scales = constant(ctx, &node.input[1]);
    let scales = scales.with_context(|| {
        format!("{} with computed scales: export it with scales that are constant", node.op_type)
    })??;
    // Where it makes a picture smaller, the original takes the pixel behind: `ceil`.
    let smaller = scales.iter().any(|scale| *scale < 1.0);
    ensure!(
        !smaller || scales.iter().all(|scale| *scale <= 1.0),
        "{} that makes one axis larger and another smaller: export it as two, or with operator set \
         11 or later",
        node.op_type
    );
    let (mut ctx, mut node) = (ctx.clone(), node.clone());
    ctx.onnx_operator_set_version = SIMPLE;
    node.attribute.retain(|attribute| attribute.name == "mode");
    node.attribute.push(AttributeProto {
        name: "nearest_mode".into(),
        r#type: AttributeType::String as i32,
        s: if smaller { "ceil" } else { "floor" }.into(),
        ..Default::default()
    });
    Ok((Box::new(tracts(&ctx, &node, "Resize")?), vec![]))
}

/// The numbers of an initialiser, or of a `Constant`.
fn constant(ctx: &ParsingContext, name: &str) -> Option<TractResult<Vec<f32>>> {
    let find = |graph: &&tract_onnx::pb::GraphProto| {
        let initialiser = graph.initializer.iter().find(|tensor| tensor.name == name);
        let node = graph.node.iter().find(|node| node.output.iter().any(|output| output == name));
        let value = node.filter(|node| node.op_type == "Constant");
        let value = value.and_then(|node| node.attribute.iter().find(|it| it.name == "value"));
        initialiser.or(value.and_then(|value| value.t.as_ref())).cloned()
    };
    let tensor = ctx.parent_graphs.iter().rev().find_map(find)?;
    let numbers = || {
        let tensor = ctx.load_tensor(&tensor)?;
        let tensor = tensor.cast_to::<f32>()?;
        Ok(tensor.try_as_plain_ram()?.as_slice::<f32>()?.to_vec())
    };
    Some(numbers())
}
