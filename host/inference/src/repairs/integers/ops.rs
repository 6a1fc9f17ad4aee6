//! The operations that stand for those of a quantised graph.

use tract_onnx::Onnx;
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::super::tracts::Built;
use super::arithmetic::{means, requantised, softmax};
use super::pairs::Pairs;
use super::windows::Windows;

/// Codes less their zero point, as floats.
pub(super) const WHOLE: &str = "sandbar.Whole";
/// Codes of sums of whole numbers.
pub(super) const REQUANTISE: &str = "sandbar.Requantise";
/// Codes of sums or products of two codes.
pub(super) const PAIRS: &str = "sandbar.Pairs";
/// Codes of the mean over all axes behind the second.
pub(super) const MEAN: &str = "sandbar.Mean";
/// Codes of the means of windows.
pub(super) const WINDOWS: &str = "sandbar.Windows";
/// Codes of a softmax.
pub(super) const SOFTMAX: &str = "sandbar.Softmax";

#[derive(Debug, Clone, PartialEq)]
enum Operation {
    Whole {
        zero: i32,
        wide: bool,
    },
    Requantise {
        factors: Vec<f32>,
        zero: i32,
        axis: i64,
    },
    Pairs(Pairs),
    Mean {
        scales: [f32; 2],
        from: i32,
        zero: i32,
    },
    Windows {
        windows: Windows,
        scales: [f32; 2],
        from: i32,
        zero: i32,
    },
    /// With `all`, over the axis and all behind it.
    Softmax {
        scales: [f32; 2],
        zero: i32,
        axis: i64,
        all: bool,
    },
}

// Scales and factors are finite.
impl Eq for Operation {}

pub(in super::super) fn register(onnx: &mut Onnx) {
    for name in [WHOLE, REQUANTISE, PAIRS, MEAN, WINDOWS, SOFTMAX] {
        onnx.op_register.insert(name, from_onnx);
    }
}

fn from_onnx(_: &ParsingContext, node: &NodeProto) -> Built {
    let code = |name: &str| -> TractResult<i32> {
        let zero: i32 = node.get_attr(name)?;
        ensure!((0..=255).contains(&zero), "{} with {name} {zero}", node.op_type);
        Ok(zero)
    };
    let scales = || -> TractResult<[f32; 2]> {
        let scales: TVec<f32> = node.get_attr_tvec("scales")?;
        let [from, to] = *scales else { bail!("{} of {} scales", node.op_type, scales.len()) };
        Ok([from, to])
    };
    let operation = match node.op_type.as_str() {
        WHOLE => {
            Operation::Whole { zero: code("zero")?, wide: node.get_attr::<i64>("bits")? == 64 }
        }
        REQUANTISE => Operation::Requantise {
            factors: node.get_attr_tvec::<f32>("factors")?.to_vec(),
            zero: code("zero")?,
            axis: node.get_attr("axis")?,
        },
        PAIRS => Operation::Pairs(Pairs::from_onnx(node)?),
        MEAN => Operation::Mean { scales: scales()?, from: code("from")?, zero: code("zero")? },
        WINDOWS => Operation::Windows {
            windows: Windows::from_onnx(node)?,
            scales: scales()?,
            from: code("from")?,
            zero: code("zero")?,
        },
        SOFTMAX => Operation::Softmax {
            scales: scales()?,
            zero: code("zero")?,
            axis: node.get_attr("axis")?,
            all: node.get_attr("all")?,
        },
        other => bail!("no operation {other}"),
    };
    Ok((expand(operation), vec![]))
}

impl Operation {
    fn arity(&self) -> usize {
        if matches!(self, Operation::Pairs(_)) { 2 } else { 1 }
    }

    fn output(&self) -> DatumType {
        match self {
            Operation::Whole { wide: true, .. } => DatumType::F64,
            Operation::Whole { .. } => DatumType::F32,
            _ => DatumType::U8,
        }
    }

    fn shape<D: DimLike>(&self, inputs: &[&[D]]) -> TractResult<TVec<D>> {
        Ok(match self {
            Operation::Pairs(_) => tract_core::broadcast::multi_broadcast(inputs)?,
            Operation::Mean { .. } => {
                let one =
                    |(axis, size): (usize, &D)| if axis < 2 { size.clone() } else { D::one() };
                inputs[0].iter().enumerate().map(one).collect()
            }
            Operation::Windows { windows, .. } => windows.shape(inputs[0])?,
            _ => inputs[0].into(),
        })
    }
}

impl Expansion for Operation {
    fn name(&self) -> StaticName {
        Op::name(self)
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, self.arity())?;
        check_output_arity(outputs, 1)?;
        solver.equals(&outputs[0].datum_type, self.output())?;
        match inputs {
            [a, b] => solver.given_2(&a.shape, &b.shape, move |solver, a, b| {
                solver.equals(&outputs[0].shape, self.shape(&[&*a, &*b])?)
            }),
            _ => solver.given(&inputs[0].shape, move |solver, shape| {
                solver.equals(&outputs[0].shape, self.shape(&[&*shape])?)
            }),
        }
    }

    fn wire(
        &self,
        node: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        model.wire_node(node, self.clone(), inputs)
    }
}

impl Op for Operation {
    fn name(&self) -> StaticName {
        match self {
            Operation::Whole { .. } => "SandbarWhole",
            Operation::Requantise { .. } => "SandbarRequantise",
            Operation::Pairs(_) => "SandbarPairs",
            Operation::Mean { .. } => "SandbarMean",
            Operation::Windows { .. } => "SandbarWindows",
            Operation::Softmax { .. } => "SandbarSoftmax",
        }
        .into()
    }

    op_as_typed_op!();
}

impl EvalOp for Operation {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let shapes: TVec<&[usize]> = inputs.iter().map(|input| input.shape()).collect();
        let shape = self.shape(&shapes)?;
        let first = inputs[0].try_as_plain_ram()?;
        let made = match self {
            Operation::Whole { zero, wide: false } => {
                let zero = *zero as f32;
                let x = first.as_slice::<u8>()?.iter();
                tensor1(&x.map(|x| f32::from(*x) - zero).collect::<Vec<_>>())
            }
            Operation::Whole { zero, wide: true } => {
                let zero = f64::from(*zero);
                let x = first.as_slice::<u8>()?.iter();
                tensor1(&x.map(|x| f64::from(*x) - zero).collect::<Vec<_>>())
            }
            Operation::Requantise { factors, zero, axis } => {
                let sums = inputs[0].cast_to::<f32>()?;
                let sums = sums.try_as_plain_ram()?;
                tensor1(&requantised(sums.as_slice::<f32>()?, &shape, factors, *zero, *axis)?)
            }
            Operation::Pairs(pairs) => tensor1(&pairs.codes(&inputs[0], &inputs[1], &shape)?),
            Operation::Mean { scales, from, zero } => {
                ensure!(shape.len() > 2, "a mean over the axes behind the second of {shape:?}");
                let size: usize = inputs[0].shape()[2..].iter().product();
                tensor1(&means(first.as_slice::<u8>()?, size, *scales, *from, *zero))
            }
            Operation::Windows { windows, scales, from, zero } => {
                let x = first.as_slice::<u8>()?;
                tensor1(&windows.means(x, inputs[0].shape(), &shape, *scales, *from, *zero))
            }
            Operation::Softmax { scales, zero, axis, all } => {
                let axis = if *axis < 0 { axis + shape.len() as i64 } else { *axis };
                let axis = usize::try_from(axis).ok().filter(|axis| *axis < shape.len());
                let axis = axis.with_context(|| format!("no such axis of {shape:?}"))?;
                let behind: usize = shape[axis + 1..].iter().product();
                let (size, inner) =
                    if *all { (shape[axis] * behind, 1) } else { (shape[axis], behind) };
                tensor1(&softmax(first.as_slice::<u8>()?, size, inner, *scales, *zero))
            }
        };
        Ok(tvec!(made.into_shape(&shape)?.into_tvalue()))
    }
}

impl TypedOp for Operation {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        ensure!(inputs.len() == self.arity(), "{} of {} inputs", Op::name(self), inputs.len());
        let sums = matches!(self, Operation::Requantise { .. });
        let floats = [DatumType::F32, DatumType::F64];
        let fits = |fact: &&TypedFact| match sums {
            true => floats.contains(&fact.datum_type),
            false => fact.datum_type == DatumType::U8,
        };
        ensure!(inputs.iter().all(fits), "{} of {:?}", Op::name(self), inputs[0]);
        let shapes: TVec<&[TDim]> = inputs.iter().map(|fact| &*fact.shape).collect();
        Ok(tvec!(self.output().fact(self.shape(&shapes)?)))
    }
}
