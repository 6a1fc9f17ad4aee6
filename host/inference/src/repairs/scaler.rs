//! `Scaler` of `ai.onnx.ml`: `(x - offset) * scale`, each for all features or one for each,
//! as floats whatever the input is. tract lacks it; skl2onnx writes it for every `StandardScaler`.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::math::{mul, sub};
use tract_onnx::tract_hir::internal::*;

use super::tracts::Built;
use super::wire::Wire;

#[derive(Debug, Clone)]
struct Scaler {
    offset: Vec<f32>,
    scale: Vec<f32>,
}

pub(super) fn from_onnx(_: &ParsingContext, node: &NodeProto) -> Built {
    let numbers = |name: &str| -> TractResult<Vec<f32>> {
        let numbers = node.get_attr_slice::<f32>(name)?.to_vec();
        ensure!(!numbers.is_empty(), "Scaler without any {name}");
        Ok(numbers)
    };
    let scaler = Scaler { offset: numbers("offset")?, scale: numbers("scale")? };
    Ok((expand(scaler), vec![]))
}

impl Expansion for Scaler {
    fn name(&self) -> StaticName {
        "Scaler".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        solver.equals(&outputs[0].datum_type, f32::datum_type())?;
        solver.equals(&inputs[0].shape, &outputs[0].shape)
    }

    fn wire(
        &self,
        node: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let mut wire = Wire::new(node, model);
        let x = wire.cast(inputs[0], f32::datum_type())?;
        let shape = wire.fact(x)?.shape;
        let features = shape.last().context("Scaler of a single number")?.to_usize()?;
        // One number is for all features.
        let mut spread = |numbers: &[f32]| {
            let fits = [1, features].contains(&numbers.len());
            ensure!(fits, "Scaler has {} numbers for {features} features", numbers.len());
            wire.constant(tensor1(numbers), x)
        };
        let (offset, scale) = (spread(&self.offset)?, spread(&self.scale)?);
        let shifted = wire.op(sub(), &[x, offset])?;
        Ok(tvec!(wire.op(mul(), &[shifted, scale])?))
    }
}
