//! A graph of TensorFlow as a model of tract's.

use std::collections::HashMap;

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::konst::Const;
use tract_onnx::tract_hir::ops::source::Source;
use tract_onnx::tract_hir::ops::unimpl::UnimplementedOp;
use tract_tensorflow::model::ParsingContext;
use tract_tensorflow::tfpb::tensorflow::NodeDef;
use tract_tensorflow::tfpb::tensorflow::attr_value::Value;

use super::graph::Graph;
use super::node::Node;
use super::places::place;
use super::{operations, stored};
use crate::constants::Allowance;
use crate::lrn;

/// Makes a model of a graph. Operations that are not known are in it as such.
///
/// # Errors
/// If an attribute or a constant cannot be read, or constants whose numbers repeat are larger
/// than `allowance`.
pub(crate) fn load(graph: &Graph, allowance: Allowance) -> TractResult<InferenceModel> {
    let mut model = InferenceModel::default();
    let arities = arities(graph);
    let mut places = HashMap::new();
    let mut inputs = Vec::new();
    let mut stored = 0;
    for node in &graph.nodes {
        let about = || format!("node '{}', operator {}", node.name, node.op);
        let outputs = arities.get(node.name.as_str()).copied().unwrap_or(1);
        if node.op == "Const" {
            let bytes = stored::bytes(node).with_context(about)?;
            allowance.take(&mut stored, bytes, about)?;
        }
        let op = operation(node, outputs, allowance).with_context(about)?;
        let is_known = op.as_op().downcast_ref::<UnimplementedOp>().is_none();
        let facts = tvec!(InferenceFact::default(); op.nboutputs()?.max(outputs));
        let id = model.add_node(node.name.clone(), op, facts)?;
        if node.op == "Placeholder" {
            model.set_outlet_fact(id.into(), given(node, graph.scalars).with_context(about)?)?;
            inputs.push(OutletId::from(id));
        }
        // What is not known is refused by its name; it may be part of a loop.
        for (slot, input) in node.input.iter().enumerate().filter(|_| is_known) {
            let (from, output) = place(input);
            let from = places.get(from).copied().with_context(about)?;
            model.add_edge(OutletId::new(from, output), InletId::new(id, slot))?;
        }
        places.insert(node.name.as_str(), id);
    }
    model.set_input_outlets(&inputs)?;
    let mut outputs = Vec::new();
    for (label, node, slot) in &graph.outputs {
        let Some(id) = places.get(node.as_str()).copied() else { continue };
        let outlet = OutletId::new(id, *slot);
        model.set_outlet_label(outlet, label.clone())?;
        outputs.push(outlet);
    }
    model.select_output_outlets(&outputs)?;
    Ok(model)
}

/// How many outputs of each node are used.
fn arities(graph: &Graph) -> HashMap<&str, usize> {
    let mut arities = HashMap::new();
    let inputs = graph.nodes.iter().flat_map(|node| &node.input).map(|input| place(input));
    let outputs = graph.outputs.iter().map(|(_, node, slot)| (node.as_str(), *slot));
    for (node, slot) in inputs.chain(outputs) {
        let arity = arities.entry(node).or_insert(1);
        *arity = slot.saturating_add(1).max(*arity);
    }
    arities
}

fn operation(
    node: &NodeDef,
    outputs: usize,
    allowance: Allowance,
) -> TractResult<Box<dyn InferenceOp>> {
    ensure!(outputs <= 1 << 16, "too many outputs");
    if let Some(wiring) = operations::find(&node.op) {
        return Ok(Node::wired_by(wiring, node, outputs, allowance));
    }
    Ok(match node.op.as_str() {
        "Const" => Box::new(Const::new(stored::value(node)?)?),
        "Placeholder" => Box::new(Source::new()),
        "LRN" => lrn::from_tensorflow(&ParsingContext::default(), node)?,
        "BlockLSTM" => block_lstm(node)?,
        "Enter" | "Exit" | "LoopCond" | "NextIteration" | "StatelessWhile" | "While" => {
            bail!("loops are not supported: export recurrent layers unrolled")
        }
        "Merge" | "Switch" => bail!("a condition that depends on the inputs is not supported"),
        "PartitionedCall" | "StatefulPartitionedCall" => {
            bail!("functions are not supported: freeze the graph with its functions inlined")
        }
        op => UnimplementedOp::new(outputs, op, "").into(),
    })
}

/// tract's own, which knows no clipping and no peepholes.
fn block_lstm(node: &NodeDef) -> TractResult<Box<dyn InferenceOp>> {
    let clip: f32 = node.get_attr_opt_float("cell_clip")?.unwrap_or(3.0);
    ensure!(clip <= 0.0, "cell_clip {clip} is not supported");
    let peephole = node.get_attr_opt_bool("use_peephole")?.unwrap_or(false);
    ensure!(!peephole, "use_peephole is not supported");
    tract_tensorflow::ops::rec::block_lstm::block_lstm(&ParsingContext::default(), node)
}

/// What a `Placeholder` says of the input.
fn given(node: &NodeDef, scalars: bool) -> TractResult<InferenceFact> {
    let ty = node.get_attr_datum_type("dtype")?;
    let fact = InferenceFact::dt(ty);
    let shape = node.attr.get("shape").and_then(|shape| shape.value.as_ref());
    let Some(Value::Shape(shape)) = shape else { return Ok(fact) };
    if shape.unknown_rank || (shape.dim.is_empty() && !scalars) {
        return Ok(fact);
    }
    let dim = |size: i64| {
        if size < 0 { GenericFactoid::Any } else { GenericFactoid::Only(size.to_dim()) }
    };
    let dims = shape.dim.iter().map(|it| dim(it.size)).collect();
    Ok(fact.with_shape(ShapeFactoid::closed(dims)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use tract_tensorflow::tfpb;
    use tract_tensorflow::tfpb::tensorflow::TensorProto;

    use super::*;
    use crate::{Error, ErrorCode, GraphSource};
    use sandbar_model::Kind;

    /// A `Const` of a shape, with the numbers that are listed: the last of them repeats.
    fn stored(name: &str, shape: &[i64], ints: &[i32]) -> NodeDef {
        let mut tensor: TensorProto =
            tensor1(ints).cast_to_dt(i32::datum_type()).unwrap().as_ref().try_into().unwrap();
        tensor.tensor_content = Vec::new();
        tensor.int_val = ints.to_vec();
        let dims = tensor.tensor_shape.as_mut().unwrap();
        let dim = dims.dim[0].clone();
        dims.dim = shape
            .iter()
            .map(|size| {
                let mut dim = dim.clone();
                dim.size = *size;
                dim
            })
            .collect();
        tfpb::node().name(name).op("Const").attr("value", tensor)
    }

    fn refused(nodes: Vec<NodeDef>) -> Error {
        let bytes = nodes.into_iter().fold(tfpb::graph(), |graph, node| graph.node(node));
        let bytes = bytes.write_to_bytes().unwrap();
        let source = GraphSource::Bytes(Kind::Tensorflow, bytes.into());
        crate::Graph::load_unverified("g".into(), source).unwrap_err()
    }

    #[test]
    fn constants_are_looked_at_before_they_are_made() {
        let repeated = (0..20).map(|index| stored(&format!("c{index}"), &[1 << 20], &[7]));
        let sum = (0..20).fold(tfpb::node().name("sum").op("AddN"), |node, index| {
            node.input(format!("c{index}"))
        });
        let error = refused(repeated.chain([sum]).collect());
        assert_eq!(error.code, ErrorCode::TooLarge, "{error}");
        assert!(error.message.starts_with("g: node 'c16', operator Const"), "{error}");
        for op in ["Fill", "Tile"] {
            let (a, b) = match op {
                "Fill" => (stored("a", &[2], &[30_000, 30_000]), stored("b", &[], &[7])),
                _ => (stored("a", &[2], &[1, 2]), stored("b", &[1], &[1 << 29])),
            };
            let node = tfpb::node().name("c").op(op).input("a").input("b");
            let error = refused(vec![a, b, node]);
            assert_eq!(error.code, ErrorCode::TooLarge, "{op}: {error}");
            assert!(error.message.contains("makes a constant of"), "{error}");
        }
    }
}
