//! `Celu`: `max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`.
//!
//! tract 0.23 leaves out the multiplication by alpha.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::math::{add, div, exp, max, min, mul, sub};
use tract_onnx::tract_hir::internal::*;

use super::tracts::Built;
use super::wire::Wire;

#[derive(Debug, Clone)]
struct Celu {
    alpha: f32,
}

pub(super) fn from_onnx(_: &ParsingContext, node: &NodeProto) -> Built {
    let alpha = node.get_attr_opt("alpha")?.unwrap_or(1.0);
    Ok((expand(Celu { alpha }), vec![]))
}

impl Expansion for Celu {
    fn name(&self) -> StaticName {
        "Celu".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        solver.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        solver.equals(&inputs[0].shape, &outputs[0].shape)
    }

    fn wire(
        &self,
        node: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let x = inputs[0];
        let mut wire = Wire::new(node, model);
        let (zero, one) = (wire.number(0.0, x)?, wire.number(1.0, x)?);
        let alpha = wire.number(self.alpha, x)?;
        let scaled = wire.op(div(), &[x, alpha])?;
        let power = wire.op(exp(), &[scaled])?;
        let below = wire.op(sub(), &[power, one])?;
        let below = wire.op(mul(), &[below, alpha])?;
        let below = wire.op(min(), &[below, zero])?;
        let above = wire.op(max(), &[x, zero])?;
        Ok(tvec!(wire.op(add(), &[above, below])?))
    }
}
