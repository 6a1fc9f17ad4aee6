//! Inputs and outputs of a graph: what its file declares, whether that is what its
//! model declares, and whether a tensor is what an input takes.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::unimpl::UnimplementedOp;

use super::error::{Error, ErrorCode};
use super::tensor::{Tensor, element_type};
use sandbar_model::{Dimension, TensorSpec};

/// Reports an operation that a graph needs and tract lacks.
pub(super) fn supported(model: &InferenceModel) -> Result<(), Error> {
    let lacks = |node: &&Node<InferenceFact, Box<dyn InferenceOp>>| {
        node.op_as::<UnimplementedOp>().is_some()
    };
    let Some(node) = model.nodes().iter().find(lacks) else { return Ok(()) };
    let op = node.op.name();
    let op = op.strip_prefix("Unimplemented(").and_then(|op| op.strip_suffix(')')).unwrap_or(&op);
    let remedy = match op.starts_with("QLinear") {
        true => "quantise the graph in the form QDQ",
        false => {
            "export the graph with another operator set, without operations of one runtime, or \
             declare only [[outputs]] that do not need it"
        }
    };
    let message = format!("operation {op} (node '{}') is not supported: {remedy}", node.name);
    Err(Error::new(ErrorCode::UnsupportedOperation, message))
}

/// Makes the declared inputs and outputs those of the graph, in their order; where none
/// are declared it keeps its own.
pub(super) fn select(
    model: &mut InferenceModel,
    inputs: &[TensorSpec],
    outputs: &[TensorSpec],
) -> TractResult<()> {
    if !inputs.is_empty() {
        let outlets = model.input_outlets()?.to_vec();
        let names: Vec<&str> =
            outlets.iter().map(|outlet| model.node(outlet.node).name.as_str()).collect();
        let all = names.join(", ");
        ensure!(
            names.len() == inputs.len(),
            "the graph has {} inputs ({all}), the model declares {}",
            names.len(),
            inputs.len()
        );
        let place = |input: &TensorSpec| {
            let place = names.iter().position(|name| *name == input.name);
            place.map(|place| outlets[place]).with_context(|| {
                format!("the graph has no input '{}': its inputs are {all}", input.name)
            })
        };
        let ordered = inputs.iter().map(place).collect::<TractResult<Vec<_>>>()?;
        model.set_input_outlets(&ordered)?;
    }
    if !outputs.is_empty() {
        model.select_outputs_by_name(outputs.iter().map(|output| &output.name))?;
    }
    Ok(())
}

/// The inputs as the file declares them.
pub(super) fn inputs(model: &InferenceModel) -> TractResult<Vec<TensorSpec>> {
    let spec = |outlet: &OutletId| {
        let fact = model.outlet_fact(*outlet)?;
        let name = model.node(outlet.node).name.clone();
        let ty = fact.datum_type.concretize().and_then(element_type).with_context(|| {
            format!("input '{name}': type {:?} is not supported by wasi:nn", fact.datum_type)
        })?;
        ensure!(
            !fact.shape.is_open(),
            "input '{name}' is of unknown rank: declare it in [[inputs]]"
        );
        let dimension =
            |known: &DimFact| known.concretize().map_or_else(unknown, |it| dimension(&it));
        Ok(TensorSpec { name, ty, shape: fact.shape.dims().map(dimension).collect() })
    };
    model.input_outlets()?.iter().map(spec).collect()
}

/// The names of the outputs, in order.
pub(super) fn output_names(model: &InferenceModel) -> TractResult<Vec<String>> {
    let name = |outlet: &OutletId| match model.outlet_label(*outlet) {
        Some(label) => label.to_owned(),
        None => model.node(outlet.node).name.clone(),
    };
    Ok(model.output_outlets()?.iter().map(name).collect())
}

/// The axis of an input that the batch is on: the first, or the only one, that it leaves to the
/// caller. `None` where it leaves none, or several of which none is the first.
pub(super) fn batch(input: &TensorSpec) -> Option<usize> {
    let open = |axis: &usize| matches!(input.shape[*axis], Dimension::Symbol(_));
    let mut open = (0..input.shape.len()).filter(open);
    let first = open.next()?;
    (first == 0 || open.next().is_none()).then_some(first)
}

/// The outputs of a graph that was optimised for a batch of 1, which is where the inputs have it.
pub(super) fn outputs(
    model: &TypedModel,
    names: &[String],
    inputs: &[TensorSpec],
) -> TractResult<Vec<TensorSpec>> {
    let batch = inputs.iter().find_map(|input| {
        let axis = batch(input)?;
        Some((axis, input.shape[axis].clone()))
    });
    let spec = |(outlet, name): (&OutletId, &String)| {
        let fact = model.outlet_fact(*outlet)?;
        let mut shape: Vec<Dimension> = fact.shape.iter().map(dimension).collect();
        if let Some((axis, batch)) = &batch {
            let one = |axis: &usize| shape.get(*axis) == Some(&Dimension::Fixed(1));
            if let Some(axis) = [*axis, 0].into_iter().find(one) {
                shape[axis] = batch.clone();
            }
        }
        // One of a type that wasi:nn lacks can be declared and described, not read.
        let ty = element_type(fact.datum_type).unwrap_or_default();
        Ok(TensorSpec { name: name.clone(), ty, shape })
    };
    model.output_outlets()?.iter().zip(names).map(spec).collect()
}

/// How many numbers an output has for each row of a batch, if that is known.
pub(super) fn numbers(output: &TensorSpec) -> Option<usize> {
    let open = |dimension: &Dimension| matches!(dimension, Dimension::Symbol(_));
    let batch = output.shape.iter().position(open).unwrap_or(0);
    let size = |dimension: &Dimension| match dimension {
        Dimension::Fixed(size) => Some(*size as usize),
        Dimension::Symbol(_) => None,
    };
    let rest = output.shape.iter().enumerate().filter(|(axis, _)| *axis != batch);
    rest.map(|(_, dimension)| size(dimension)).product()
}

/// Compares the outputs that a model declares with those that its graph has.
pub(super) fn declared(declared: &[TensorSpec], found: &[TensorSpec]) -> Result<(), Error> {
    let fits = |(expected, is): (&Dimension, &Dimension)| match (expected, is) {
        (Dimension::Fixed(expected), Dimension::Fixed(is)) => expected == is,
        _ => true,
    };
    for (expected, is) in declared.iter().zip(found) {
        let shape = expected.shape.len() == is.shape.len()
            && expected.shape.iter().zip(&is.shape).all(fits);
        if !shape || expected.ty != is.ty {
            let (name, expected, is) = (&expected.name, shown(expected), shown(is));
            let message = format!("output '{name}' is {is}, the model declares {expected}");
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
    }
    Ok(())
}

/// Whether a tensor is what an input takes.
pub(super) fn check(input: &TensorSpec, tensor: &Tensor) -> Result<(), Error> {
    let fits = |(expected, size): (&Dimension, &u32)| match expected {
        Dimension::Fixed(expected) => expected == size,
        Dimension::Symbol(_) => *size > 0,
    };
    let shape = input.shape.len() == tensor.dimensions.len()
        && input.shape.iter().zip(&tensor.dimensions).all(fits);
    if shape && input.ty == tensor.ty {
        return Ok(());
    }
    let message =
        format!("got {} of {:?}, expected {}", tensor.ty, tensor.dimensions, shown(input));
    Err(Error::new(ErrorCode::InvalidArgument, message))
}

/// `fp32 of [N, 3, 224, 224]`
fn shown(spec: &TensorSpec) -> String {
    let shape: Vec<String> = spec.shape.iter().map(Dimension::to_string).collect();
    format!("{} of [{}]", spec.ty, shape.join(", "))
}

fn unknown() -> Dimension {
    Dimension::Symbol("?".to_owned())
}

fn dimension(dimension: &TDim) -> Dimension {
    match dimension.to_i64() {
        Ok(size) => u32::try_from(size).map_or_else(|_| unknown(), Dimension::Fixed),
        Err(_) => Dimension::Symbol(dimension.to_string()),
    }
}
