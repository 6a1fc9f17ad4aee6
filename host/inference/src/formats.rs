//! Files of graphs, as tract's loaders read them.

use tract_onnx::prelude::Framework;
use tract_onnx::tract_hir::internal::*;

use super::constants::Allowance;
use super::lrn;
use super::repairs::{self, Wanted};
use super::tensorflow;
use sandbar_model::Kind;

/// A graph of ONNX that gives the larger of its input and 0.
pub(super) const SMALLEST: &[u8] =
    b"\x08\x07\x3a6\x0a\x0f\x0a\x01x\x12\x01y\x1a\x01y\x22\x04Relu\x12\x01gZ\x0f\x0a\
    \x01x\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x01b\x0f\x0a\x01y\x12\x0a\x0a\
    \x08\x08\x01\x12\x04\x0a\x02\x08\x01B\x02\x10\x0d";

/// Reads a graph from the bytes of its file, as far as it is wanted. Nothing but these bytes is
/// read: an ONNX graph whose weights are in other files is refused.
///
/// # Errors
/// If the bytes are not a graph of that kind.
pub(super) fn read(
    kind: Kind,
    mut bytes: &[u8],
    wanted: &Wanted,
    allowance: Allowance,
) -> TractResult<InferenceModel> {
    match kind {
        Kind::Onnx => {
            // `value_info` is a note of the exporter's on what a value looks like. It names sizes
            // that are given here, and is not always kept up with the graph; all of it follows
            // from the inputs.
            let mut onnx = tract_onnx::onnx().with_ignore_value_info(true);
            onnx.op_register.insert("LRN", lrn::from_onnx);
            repairs::register(&mut onnx);
            // An experiment of before ONNX 1.4, whose tensor tract makes while it reads.
            onnx.op_register.0.remove("ConstantLike");
            let mut model = onnx.proto_model_for_read(&mut bytes)?;
            repairs::prepare(&mut model, wanted);
            onnx.model_for_proto_model(&model)
        }
        Kind::Tensorflow => tensorflow::load(&tensorflow::Graph::read(bytes, wanted)?, allowance),
        Kind::H2oMojo | Kind::Xgboost | Kind::Lightgbm | Kind::File => {
            bail!("a model of kind {kind} is not a graph")
        }
    }
}
