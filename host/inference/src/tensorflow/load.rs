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
use crate::lrn;

/// Makes a model of a graph. Operations that are not known are in it as such.
///
/// # Errors
/// If an attribute or a constant cannot be read.
pub(crate) fn load(graph: &Graph) -> TractResult<InferenceModel> {
    let mut model = InferenceModel::default();
    let arities = arities(graph);
    let mut places = HashMap::new();
    let mut inputs = Vec::new();
    for node in &graph.nodes {
        let about = || format!("node '{}', operator {}", node.name, node.op);
        let outputs = arities.get(node.name.as_str()).copied().unwrap_or(1);
        let op = operation(node, outputs).with_context(about)?;
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

fn operation(node: &NodeDef, outputs: usize) -> TractResult<Box<dyn InferenceOp>> {
    ensure!(outputs <= 1 << 16, "too many outputs");
    if let Some(wiring) = operations::find(&node.op) {
        return Ok(Node::wired_by(wiring, node, outputs));
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
