//! `Upsample`, which `Resize` replaced in operator set 10, and that `Resize`.
//!
//! Both place pixels without an offset and take the one at or before the place: `floor`. tract 0.23
//! lacks the first, and computes the second with `round_prefer_floor`, the default of later sets.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::{AttributeProto, NodeProto, attribute_proto::AttributeType};
use tract_onnx::tract_hir::internal::*;

use super::tracts::{Built, tracts};

/// The set in which `Resize` has the meaning of `Upsample`.
const SIMPLE: i64 = 10;

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
    let tracts = tracts(ctx, node, "Resize")?;
    Ok((Box::new(tracts), vec![]))
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
