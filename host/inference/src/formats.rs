//! Files of graphs, as tract's loaders read them.

use tract_onnx::prelude::Framework;
use tract_onnx::tract_hir::internal::*;
use tract_tensorflow::tfpb::tensorflow::GraphDef;

use super::lrn;
use super::repairs::{self, Wanted};
use sandbar_model::Kind;

/// Reads a graph from the bytes of its file, as far as it is wanted. Nothing but these bytes is
/// read: an ONNX graph whose weights are in other files is refused.
///
/// # Errors
/// If the bytes are not a graph of that kind.
pub(super) fn read(kind: Kind, mut bytes: &[u8], wanted: &Wanted) -> TractResult<InferenceModel> {
    match kind {
        Kind::Onnx => {
            // `value_info` is a note of the exporter's on what a value looks like. It names sizes
            // that are given here, and is not always kept up with the graph; all of it follows
            // from the inputs.
            let mut onnx = tract_onnx::onnx().with_ignore_value_info(true);
            onnx.op_register.insert("LRN", lrn::from_onnx);
            repairs::register(&mut onnx);
            let mut model = onnx.proto_model_for_read(&mut bytes)?;
            repairs::prepare(&mut model, wanted);
            onnx.model_for_proto_model(&model)
        }
        Kind::Tensorflow => {
            let mut tensorflow = tract_tensorflow::tensorflow();
            tensorflow.op_register.insert("LRN", lrn::from_tensorflow);
            let mut graph = tensorflow.read_frozen_model(&mut bytes)?;
            ensure!(!graph.node.is_empty(), "a graph without nodes");
            modernise(&mut graph);
            Ok(tensorflow.parse_graph(&graph)?.0)
        }
        Kind::H2oMojo | Kind::File => bail!("a model of kind {kind} is not a graph"),
    }
}

/// `Concat` is what `ConcatV2` replaced in TensorFlow 1.0: the axis stood first.
fn modernise(graph: &mut GraphDef) {
    for node in graph.node.iter_mut().filter(|node| node.op == "Concat") {
        let data = node.input.iter().take_while(|input| !input.starts_with('^')).count();
        if data > 0 {
            node.op = "ConcatV2".to_owned();
            node.input[..data].rotate_left(1);
        }
    }
}
