//! `GlobalLpPool`: the p-norm of each channel, `(sum |x|^p) ^ (1/p)`.
//!
//! tract 0.23 divides the sum by the number of elements, and forgets the absolute value.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::math::{abs, pow, sqrt, square};
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};
use tract_onnx::tract_hir::internal::*;

use super::tracts::Built;
use super::wire::Wire;

#[derive(Debug, Clone)]
struct GlobalLpPool {
    p: u32,
}

pub(super) fn from_onnx(_: &ParsingContext, node: &NodeProto) -> Built {
    let p = node.get_attr_opt::<i64>("p")?.unwrap_or(2);
    let p = u32::try_from(p).ok().filter(|p| *p > 0);
    let p = p.context("GlobalLpPool with a p that is not positive")?;
    Ok((expand(GlobalLpPool { p }), vec![]))
}

impl Expansion for GlobalLpPool {
    fn name(&self) -> StaticName {
        "GlobalLpPool".into()
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
        solver.equals(&inputs[0].rank, &outputs[0].rank)?;
        solver.given(&inputs[0].rank, move |solver, rank| {
            for axis in 0..2.min(rank as usize) {
                solver.equals(&inputs[0].shape[axis], &outputs[0].shape[axis])?;
            }
            (2..rank as usize)
                .try_for_each(|axis| solver.equals(&outputs[0].shape[axis], TDim::from(1)))
        })
    }

    fn wire(
        &self,
        node: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let mut wire = Wire::new(node, model);
        let axes: TVec<usize> = (2..wire.fact(inputs[0])?.rank()).collect();
        let sum = Reduce::new(axes, Reducer::Sum);
        let size = wire.op(abs(), inputs)?;
        let norm = match self.p {
            1 => wire.op(sum, &[size])?,
            2 => {
                let squares = wire.op(square(), &[size])?;
                let sum = wire.op(sum, &[squares])?;
                wire.op(sqrt(), &[sum])?
            }
            p => {
                let power = wire.number(p as f32, size)?;
                let powers = wire.op(pow(), &[size, power])?;
                let sum = wire.op(sum, &[powers])?;
                let root = wire.number(1.0 / p as f32, sum)?;
                wire.op(pow(), &[sum, root])?
            }
        };
        Ok(tvec!(norm))
    }
}
