//! `Gemm` of other numbers than 32-bit floats: `alpha * A * B + beta * C`.
//!
//! tract 0.23 has alpha and beta as 32-bit floats, whatever it multiplies by them.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::math::{add, mul};
use tract_onnx::tract_hir::internal::*;

use super::tracts::{Built, tracts};
use super::wire::Wire;

/// tract's, with factors of the right type.
#[derive(Debug, Clone)]
struct Gemm {
    tracts: Box<dyn Expansion>,
    alpha: f32,
    beta: f32,
    turned: [bool; 2],
}

pub(super) fn from_onnx(ctx: &ParsingContext, node: &NodeProto) -> Built {
    let gemm = Gemm {
        tracts: tracts(ctx, node, "Gemm")?,
        alpha: node.get_attr_opt("alpha")?.unwrap_or(1.0),
        beta: node.get_attr_opt("beta")?.unwrap_or(1.0),
        turned: [
            node.get_attr_opt("transA")?.unwrap_or(false),
            node.get_attr_opt("transB")?.unwrap_or(false),
        ],
    };
    Ok((expand(gemm), vec![]))
}

impl Expansion for Gemm {
    fn name(&self) -> StaticName {
        "Gemm".into()
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
        let ty = model.outlet_fact(inputs[0])?.datum_type;
        if ty == f32::datum_type() {
            return self.tracts.wire(node, model, inputs);
        }
        let mut wire = Wire::new(node, model);
        let axes = AxesMapping::for_numpy_matmul(2, self.turned[0], self.turned[1], false)?;
        let mut sum = wire.op(EinSum::new(axes, ty), &inputs[..2])?;
        if self.alpha != 1.0 {
            let alpha = wire.number(self.alpha, sum)?;
            sum = wire.op(mul(), &[alpha, sum])?;
        }
        if let Some(more) = inputs.get(2) {
            let mut more = *more;
            while wire.fact(more)?.rank() < 2 {
                more = wire.op(AxisOp::Add(0), &[more])?;
            }
            let beta = wire.number(self.beta, more)?;
            more = wire.op(mul(), &[beta, more])?;
            sum = wire.op(add(), &[sum, more])?;
        }
        Ok(tvec!(sum))
    }
}
