//! `ArrayFeatureExtractor` of `ai.onnx.ml`: some places of the last axis, which stays.
//!
//! tract 0.23 leaves the axis out where there is one place.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::Gather;
use tract_onnx::tract_hir::internal::*;

use super::tracts::Built;
use super::wire::Wire;

#[derive(Debug, Clone)]
struct Features;

pub(super) fn from_onnx(_: &ParsingContext, _: &NodeProto) -> Built {
    Ok((expand(Features), vec![]))
}

impl Expansion for Features {
    fn name(&self) -> StaticName {
        "ArrayFeatureExtractor".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 2)?;
        check_output_arity(outputs, 1)?;
        solver.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        solver.equals(&inputs[0].rank, &outputs[0].rank)?;
        solver.given_2(&inputs[0].shape, &inputs[1].shape, move |solver, x, places| {
            ensure!(x.len() > 1, "ArrayFeatureExtractor of a tensor of one axis");
            let mut shape = x;
            if let Some(last) = shape.last_mut() {
                *last = places.iter().product();
            }
            solver.equals(&outputs[0].shape, shape)
        })
    }

    fn wire(
        &self,
        node: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let mut wire = Wire::new(node, model);
        let (x, places) = (wire.fact(inputs[0])?, wire.fact(inputs[1])?);
        let count: TDim = places.shape.iter().product();
        let flat = AxisOp::Reshape(0, places.shape.to_tvec(), tvec!(count));
        let places = wire.op(flat, &inputs[1..])?;
        Ok(tvec!(wire.op(Gather::new(x.rank() - 1), &[inputs[0], places])?))
    }
}
