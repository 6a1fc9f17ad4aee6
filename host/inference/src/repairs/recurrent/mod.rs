//! `LSTM`, `GRU` and `RNN`, with every attribute that ONNX gives them.
//!
//! tract 0.23 computes the direction `reverse` as `forward`, passes over `clip`, `activations` and
//! `input_forget`, and takes no `sequence_lens`. Here one operation computes the whole of a node, as
//! ONNX Runtime does, in `f32`.
//!
//! - `activation`: the functions of the gates.
//! - `kind`: the three operations; `cell`: one step of one direction.

mod activation;
mod cell;
mod kind;
mod sequence;

use tract_onnx::model::{ParsingContext, optional_inputs, optional_outputs};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::tracts::{Built, tracts};
use activation::Activation;
use kind::Kind;
use sequence::Sequence;

/// How tract's rules for shapes are had, with our computation.
#[derive(Debug, Clone)]
struct Recurrent {
    tracts: Box<dyn Expansion>,
    sequence: Sequence,
}

pub(super) fn from_onnx(ctx: &ParsingContext, node: &NodeProto) -> Built {
    let op = node.op_type.as_str();
    let kind = match op {
        "LSTM" => Kind::Lstm { coupled: node.get_attr_opt("input_forget")?.unwrap_or(false) },
        "GRU" => {
            Kind::Gru { reset_last: node.get_attr_opt("linear_before_reset")?.unwrap_or(false) }
        }
        _ => Kind::Rnn,
    };
    let directions: &[bool] = match node.get_attr_opt("direction")?.unwrap_or("forward") {
        "forward" => &[false],
        "reverse" => &[true],
        "bidirectional" => &[false, true],
        other => bail!("{op} with the direction '{other}'"),
    };
    let functions = Activation::read(node, kind, directions.len())?;
    let clip = node.get_attr_opt::<f32>("clip")?.filter(|clip| *clip > 0.0);
    let mut inputs = optional_inputs(node).skip(3);
    let mut outputs = optional_outputs(node);
    let sequence = Sequence {
        kind,
        directions: directions.to_vec(),
        functions,
        clip,
        batch_first: node.get_attr_opt("layout")?.unwrap_or(false),
        inputs: std::array::from_fn(|_| inputs.next().flatten()),
        outputs: std::array::from_fn(|_| outputs.next().flatten()),
    };
    Ok((expand(Recurrent { tracts: tracts(ctx, node, op)?, sequence }), vec![]))
}

impl Expansion for Recurrent {
    fn name(&self) -> StaticName {
        self.tracts.as_ref().name()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        self.tracts.as_ref().nboutputs()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        solver.equals(&inputs[1].shape[0], self.sequence.directions.len().to_dim())?;
        self.tracts.as_ref().rules(solver, inputs, outputs)
    }

    fn wire(
        &self,
        node: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        model.wire_node(node, self.sequence.clone(), inputs)
    }
}
