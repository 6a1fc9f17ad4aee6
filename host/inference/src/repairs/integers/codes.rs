//! Operations from codes to codes that are no products: sums and products of two tensors, means,
//! windows,
//! and `Softmax`.

use tract_onnx::pb::{AttributeProto, NodeProto};

use super::instead::{Instead, int, node, numbers};
use super::ops::{MEAN, PAIRS, SOFTMAX, WINDOWS};
use super::view::{View, is};

pub(super) fn of(view: &View, index: usize, it: &NodeProto) -> Option<Instead> {
    if !["Add", "AveragePool", "GlobalAveragePool", "Mul", "Softmax"]
        .iter()
        .any(|operator| is(it, operator))
    {
        return None;
    }
    let (behind, step) = view.quantised(it)?;
    let of = [vec![index], behind].concat();
    let output = &view.graph.node[*of.last()?].output[0];
    let codes: Option<Vec<_>> = it.input.iter().map(|input| view.codes(input)).collect();
    if it.input.iter().all(|input| view.computed(input).is_none()) {
        return None;
    }
    let made = match (it.op_type.as_str(), &*codes?) {
        ("Add" | "Mul", [a, b]) => {
            let steps = [a.step, b.step, step];
            let zeros = ["first", "second", "zero"].into_iter().zip(steps);
            let mut attributes: Vec<AttributeProto> =
                zeros.map(|(name, step)| int(name, step.zero.into())).collect();
            attributes.push(numbers("scales", steps.map(|step| step.scale).to_vec()));
            attributes.push(int("product", is(it, "Mul").into()));
            node(PAIRS, &[a.name, b.name], output, attributes)
        }
        ("GlobalAveragePool", [x]) => {
            let attributes = vec![
                numbers("scales", vec![x.step.scale, step.scale]),
                int("from", x.step.zero.into()),
                int("zero", step.zero.into()),
            ];
            node(MEAN, &[x.name], output, attributes)
        }
        ("AveragePool", [x]) => {
            let plain = |it: &AttributeProto| match it.name.as_str() {
                "auto_pad" => it.s == b"NOTSET",
                "ceil_mode" => it.i == 0,
                "dilations" => it.ints.iter().all(|size| *size == 1),
                _ => true,
            };
            if !it.attribute.iter().all(plain) {
                return None;
            }
            let kept = ["kernel_shape", "strides", "pads", "count_include_pad"];
            let kept = it.attribute.iter().filter(|it| kept.contains(&it.name.as_str())).cloned();
            let steps = [
                numbers("scales", vec![x.step.scale, step.scale]),
                int("from", x.step.zero.into()),
                int("zero", step.zero.into()),
            ];
            node(WINDOWS, &[x.name], output, kept.chain(steps).collect())
        }
        // ONNX Runtime counts whole steps up to 1, and so gives less than there is where steps are
        // wide and not of one over a whole number. Those are left as the standard has them.
        ("Softmax", [x]) if (1.0 / step.scale).floor() * step.scale > 0.995 => {
            let given = it.attribute.iter().find(|it| it.name == "axis").map(|it| it.i);
            let opset = view.opset;
            let attributes = vec![
                numbers("scales", vec![x.step.scale, step.scale]),
                int("zero", step.zero.into()),
                int("axis", given.unwrap_or(if opset < 13 { 1 } else { -1 })),
                int("all", (opset < 13).into()),
            ];
            node(SOFTMAX, &[x.name], output, attributes)
        }
        _ => return None,
    };
    Some(Instead { of, nodes: vec![made], stored: Vec::new() })
}
