//! Files of graphs, as tract's loaders read them.

use tract_onnx::prelude::Framework;
use tract_onnx::tract_hir::internal::*;
use tract_tensorflow::tfpb::tensorflow::GraphDef;

use super::lrn;
use sandbar_model::Kind;

/// Reads a graph from the bytes of its file. Nothing but these bytes is read: an ONNX
/// graph whose weights are in other files is refused.
///
/// # Errors
/// If the bytes are not a graph of that kind.
pub(super) fn read(kind: Kind, mut bytes: &[u8]) -> TractResult<InferenceModel> {
    match kind {
        Kind::Onnx => {
            let mut onnx = tract_onnx::onnx();
            onnx.op_register.insert("LRN", lrn::from_onnx);
            onnx.model_for_read(&mut bytes)
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
