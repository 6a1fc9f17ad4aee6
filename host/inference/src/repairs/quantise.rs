//! `QuantizeLinear` and `DequantizeLinear`, as ONNX defines them up to operator set 21: a scale and
//! a zero point for all of a tensor, for each place on an axis, or for each block of places.
//!
//! tract 0.23 takes scales that are constant only, multiplies by their reciprocal where the original
//! divides, and where a quantisation follows it makes a table of 256 answers of all that lies
//! between: right for what is done to each element alone, but it takes Softmax for that too.

use tract_onnx::model::{ParsingContext, optional_inputs};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::tracts::Built;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Quantise,
    Dequantise,
}

/// The operation: inputs are the tensor, the scales, and the zero points if there are any.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Linear {
    way: Way,
    axis: i64,
    /// Elements of a block; 0 where there are no blocks.
    block: usize,
    /// The type that is asked for.
    output: Option<DatumType>,
}

pub(super) fn quantise(_: &ParsingContext, node: &NodeProto) -> Built {
    build(node, Way::Quantise)
}

pub(super) fn dequantise(_: &ParsingContext, node: &NodeProto) -> Built {
    build(node, Way::Dequantise)
}

fn build(node: &NodeProto, way: Way) -> Built {
    let output = node.get_attr_opt::<i32>("output_dtype")?.filter(|ty| *ty != 0);
    let output = output.map(|_| node.get_attr::<DatumType>("output_dtype")).transpose()?;
    let linear = Linear {
        way,
        axis: node.get_attr_opt("axis")?.unwrap_or(1),
        block: node.get_attr_opt("block_size")?.unwrap_or(0),
        output,
    };
    // A zero point that is left out may still have its place: `["x", "scale", ""]`.
    ensure!(
        optional_inputs(node).take(2).all(|it| it.is_some()),
        "{} lacks an input",
        node.op_type
    );
    Ok((expand(linear), vec![]))
}

impl Linear {
    fn name(&self) -> &'static str {
        match self.way {
            Way::Quantise => "QuantizeLinear",
            Way::Dequantise => "DequantizeLinear",
        }
    }

    /// The type of the output, where those of the scales and of the zero points are these.
    fn output(&self, scale: DatumType, zero: Option<DatumType>) -> DatumType {
        match (self.way, self.output) {
            (_, Some(output)) => output,
            (Way::Quantise, None) => zero.unwrap_or(DatumType::U8),
            (Way::Dequantise, None) => scale,
        }
    }

    /// How the scales of this shape are spread over a tensor of that one.
    fn spread(&self, shape: &[usize], scales: &[usize]) -> TractResult<Spread> {
        let (name, count) = (self.name(), scales.iter().product::<usize>());
        if self.block == 0 && count == 1 {
            return Ok(Spread { inner: shape.iter().product(), size: 1, blocks: None });
        }
        let axis = if self.axis < 0 { self.axis + shape.len() as i64 } else { self.axis };
        let axis = usize::try_from(axis).ok().filter(|axis| *axis < shape.len());
        let axis = axis.with_context(|| format!("{name}: there is no axis {}", self.axis))?;
        let (size, inner) = (shape[axis], shape[axis + 1..].iter().product());
        if self.block == 0 {
            ensure!(count == size, "{name}: {count} scales for an axis of {size}");
            return Ok(Spread { inner, size, blocks: None });
        }
        let blocks = size.div_ceil(self.block);
        let mut expected = shape.to_vec();
        expected[axis] = blocks;
        ensure!(expected == scales, "{name}: scales of {scales:?} for blocks of {expected:?}");
        Ok(Spread { inner, size, blocks: Some((self.block, blocks)) })
    }

    fn quantise<T: Datum + Copy>(
        &self,
        [x, scale, zero]: [&Tensor; 3],
        (least, most): (i32, i32),
        narrow: fn(i32) -> T,
    ) -> TractResult<Tensor> {
        let spread = self.spread(x.shape(), scale.shape())?;
        let (x, scale, zero) =
            (x.cast_to::<f32>()?, scale.cast_to::<f32>()?, zero.cast_to::<i32>()?);
        let (x, scale) = (x.try_as_plain_ram()?, scale.try_as_plain_ram()?);
        let (x, scale) = (x.as_slice::<f32>()?, scale.as_slice::<f32>()?);
        let zero = zero.try_as_plain_ram()?;
        let zero = zero.as_slice::<i32>()?;
        let mut out = Vec::with_capacity(x.len());
        spread.each(x, |x, place| {
            let whole = (x / scale[place]).round_ties_even() as i32;
            out.push(narrow(whole.saturating_add(zero[place]).clamp(least, most)));
        });
        Ok(tensor1(&out))
    }

    fn dequantise<T: Datum + Copy>(
        &self,
        [x, scale, zero]: [&Tensor; 3],
        widen: fn(T) -> i32,
    ) -> TractResult<Tensor> {
        let spread = self.spread(x.shape(), scale.shape())?;
        let (scale, zero) = (scale.cast_to::<f32>()?, zero.cast_to::<i32>()?);
        let (x, scale) = (x.try_as_plain_ram()?, scale.try_as_plain_ram()?);
        let (x, scale) = (x.as_slice::<T>()?, scale.as_slice::<f32>()?);
        let zero = zero.try_as_plain_ram()?;
        let zero = zero.as_slice::<i32>()?;
        let mut out = Vec::with_capacity(x.len());
        spread.each(x, |x, place| {
            out.push(widen(x).wrapping_sub(zero[place]) as f32 * scale[place]);
        });
        Ok(tensor1(&out))
    }
}

/// Rows of elements, and which scale each has.
struct Spread {
    /// Elements of a row.
    inner: usize,
    /// Rows, after which the scales begin again unless there are blocks.
    size: usize,
    /// Rows of a block and blocks of an axis, where each element of a row has a scale of its own.
    blocks: Option<(usize, usize)>,
}

impl Spread {
    /// Calls for each element with the place of its scale.
    fn each<T: Copy>(&self, x: &[T], mut call: impl FnMut(T, usize)) {
        for (row, elements) in x.chunks(self.inner.max(1)).enumerate() {
            let (outer, row) = (row / self.size, row % self.size);
            match self.blocks {
                None => elements.iter().for_each(|x| call(*x, row)),
                Some((block, blocks)) => {
                    let first = (outer * blocks + row / block) * self.inner;
                    elements.iter().enumerate().for_each(|(place, x)| call(*x, first + place));
                }
            }
        }
    }
}

impl Expansion for Linear {
    fn name(&self) -> StaticName {
        Linear::name(self).into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        ensure!(
            [2, 3].contains(&inputs.len()),
            "{} of {} inputs",
            Linear::name(self),
            inputs.len()
        );
        check_output_arity(outputs, 1)?;
        solver.equals(&inputs[0].shape, &outputs[0].shape)?;
        let output = &outputs[0].datum_type;
        match inputs.get(2) {
            Some(zero) => solver.given_2(
                &inputs[1].datum_type,
                &zero.datum_type,
                move |solver, scale, zero| solver.equals(output, self.output(scale, Some(zero))),
            ),
            None => solver.given(&inputs[1].datum_type, move |solver, scale| {
                solver.equals(output, self.output(scale, None))
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

impl Op for Linear {
    fn name(&self) -> StaticName {
        format!("Sandbar{}", Linear::name(self)).into()
    }

    op_as_typed_op!();
}

impl EvalOp for Linear {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (x, scale) = (&inputs[0], &inputs[1]);
        let none = Tensor::zero::<i32>(scale.shape())?;
        let zero = inputs.get(2).map_or(&none, |zero| &**zero);
        ensure!(
            scale.len() == zero.len(),
            "{}: {} scales and {} zero points",
            Linear::name(self),
            scale.len(),
            zero.len()
        );
        let all = [&**x, &**scale, zero];
        let output = self.output(scale.datum_type(), inputs.get(2).map(|it| it.datum_type()));
        let made = match (self.way, x.datum_type(), output) {
            (Way::Quantise, _, DatumType::U8) => self.quantise(all, (0, 255), |it| it as u8),
            (Way::Quantise, _, DatumType::I8) => self.quantise(all, (-128, 127), |it| it as i8),
            (Way::Quantise, _, DatumType::U16) => self.quantise(all, (0, 65535), |it| it as u16),
            (Way::Quantise, _, DatumType::I16) => {
                self.quantise(all, (-32768, 32767), |it| it as i16)
            }
            (Way::Dequantise, DatumType::U8, _) => self.dequantise(all, |it: u8| it.into()),
            (Way::Dequantise, DatumType::I8, _) => self.dequantise(all, |it: i8| it.into()),
            (Way::Dequantise, DatumType::U16, _) => self.dequantise(all, |it: u16| it.into()),
            (Way::Dequantise, DatumType::I16, _) => self.dequantise(all, |it: i16| it.into()),
            (Way::Dequantise, DatumType::I32, _) => self.dequantise(all, |it: i32| it),
            (_, x, output) => bail!("{} from {x:?} to {output:?}", Linear::name(self)),
        };
        let made = made?.into_shape(x.shape())?.cast_to_dt(output)?.into_owned();
        Ok(tvec!(made.into_tvalue()))
    }
}

impl TypedOp for Linear {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let output = self.output(inputs[1].datum_type, inputs.get(2).map(|it| it.datum_type));
        let (way, x) = (self.way, inputs[0].datum_type);
        let (floats, whole) = match way {
            Way::Quantise => (x, output),
            Way::Dequantise => (output, x),
        };
        let narrow = [DatumType::U8, DatumType::I8, DatumType::U16, DatumType::I16];
        let known = match way {
            Way::Quantise => {
                [DatumType::F32, DatumType::F16, DatumType::I32].contains(&floats)
                    && narrow.contains(&whole)
            }
            Way::Dequantise => {
                [DatumType::F32, DatumType::F16].contains(&floats)
                    && (narrow.contains(&whole) || whole == DatumType::I32)
            }
        };
        ensure!(
            known,
            "{} from {x:?} to {output:?} is not supported: quantise to 8 or 16 bits, from floats of \
             16 or 32 bits",
            Linear::name(self)
        );
        Ok(tvec!(output.fact(inputs[0].shape.clone())))
    }
}
