//! `ConvTranspose` whose output is of a given size.
//!
//! ONNX then makes the padding fit (`output_shape`, or `auto_pad` of `SAME_UPPER` and `SAME_LOWER`,
//! which is the size of the input times the stride). tract 0.23 instead makes the output longer by
//! what is missing, and wraps around where there is too much.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::cnn::{Deconv, KernelFormat, PaddingSpec, PoolSpec};
use tract_onnx::tract_core::ops::nn::DataFormat;
use tract_onnx::tract_hir::internal::*;

use super::tracts::{Built, tracts};

/// No stride, dilation or padding is beyond this, so that no product of two overflows.
const MOST: usize = i32::MAX as usize;

#[derive(Debug, Clone)]
struct Sized {
    /// The node's name.
    name: String,
    /// The spatial sizes of the output; those of the input times the strides where there are none.
    output: Option<Vec<usize>>,
    strides: Option<Vec<usize>>,
    dilations: Option<Vec<usize>>,
    /// `output_padding`.
    extra: Option<Vec<usize>>,
    group: usize,
    /// Whether the odd one of the padding is behind.
    upper: bool,
}

pub(super) fn from_onnx(ctx: &ParsingContext, node: &NodeProto) -> Built {
    let pad: &str = node.get_attr_opt("auto_pad")?.unwrap_or("NOTSET");
    let output = node.get_attr_opt_vec::<usize>("output_shape")?.filter(|it| !it.is_empty());
    if output.is_none() && !pad.starts_with("SAME") {
        return Ok((Box::new(tracts(ctx, node, "ConvTranspose")?), vec![]));
    }
    let sized = Sized {
        name: node.name.clone(),
        output,
        strides: node.get_attr_opt_vec("strides")?,
        dilations: node.get_attr_opt_vec("dilations")?,
        extra: node.get_attr_opt_vec("output_padding")?,
        group: node.get_attr_opt("group")?.unwrap_or(1),
        upper: pad == "SAME_UPPER",
    };
    ensure!(sized.group > 0, "ConvTranspose of no groups");
    Ok((expand(sized), vec![]))
}

/// One axis of the output, and the padding in front and behind.
struct Axis {
    size: usize,
    before: usize,
    behind: usize,
}

impl Sized {
    /// The spatial axes, for the shapes of input and kernel.
    fn axes(&self, x: &[usize], kernel: &[usize]) -> TractResult<Vec<Axis>> {
        let rank = x.len().saturating_sub(2);
        ensure!(rank > 0 && x.len() == kernel.len(), "ConvTranspose of ranks that do not fit");
        let of = |numbers: &Option<Vec<usize>>, axis: usize, default: usize| match numbers {
            Some(numbers) => {
                let number = numbers.get(axis).filter(|number| **number <= MOST);
                number.copied().context("an attribute that is too short, or holds a huge number")
            }
            None => Ok(default),
        };
        let axis = |axis: usize| {
            let (x, kernel) = (x[axis + 2], kernel[axis + 2]);
            let (stride, dilation) = (of(&self.strides, axis, 1)?, of(&self.dilations, axis, 1)?);
            ensure!(x > 0 && kernel > 0, "ConvTranspose of an empty tensor");
            let size = match &self.output {
                // Batch and channels may stand in front.
                Some(sizes) => {
                    let place = axis + sizes.len().saturating_sub(rank);
                    *sizes.get(place).context("output_shape is too short")?
                }
                None => x * stride,
            };
            let all = stride * (x - 1) + of(&self.extra, axis, 0)? + (kernel - 1) * dilation + 1;
            let padding = all.checked_sub(size).with_context(|| {
                format!(
                    "ConvTranspose (node '{}'): a size of {size} is asked for where there are {all}: \
                     export it with output_padding",
                    self.name
                )
            })?;
            let (less, more) = (padding / 2, padding - padding / 2);
            let (before, behind) = if self.upper { (less, more) } else { (more, less) };
            Ok(Axis { size, before, behind })
        };
        (0..rank).map(axis).collect()
    }
}

fn concrete(shape: &[TDim]) -> Option<Vec<usize>> {
    shape.iter().map(|size| size.to_usize().ok()).collect()
}

impl Expansion for Sized {
    fn name(&self) -> StaticName {
        "ConvTranspose".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        ensure!([2, 3].contains(&inputs.len()), "ConvTranspose of {} inputs", inputs.len());
        check_output_arity(outputs, 1)?;
        solver.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        solver.equals(&inputs[0].datum_type, &inputs[1].datum_type)?;
        solver.equals(&inputs[0].rank, &outputs[0].rank)?;
        solver.equals(&outputs[0].shape[0], &inputs[0].shape[0])?;
        solver.given_2(&inputs[0].shape, &inputs[1].shape, move |solver, x, kernel| {
            if let (Some(x), Some(kernel)) = (concrete(&x), concrete(&kernel)) {
                let axes = self.axes(&x, &kernel)?;
                solver.equals(&outputs[0].shape[1], (kernel[1] * self.group).to_dim())?;
                for (place, axis) in axes.iter().enumerate() {
                    solver.equals(&outputs[0].shape[place + 2], axis.size.to_dim())?;
                }
            }
            Ok(())
        })
    }

    fn wire(
        &self,
        node: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let shape = |model: &TypedModel, outlet: OutletId| {
            let shape = concrete(&model.outlet_fact(outlet)?.shape);
            shape.context("ConvTranspose of a tensor whose shape is not known")
        };
        let (x, kernel) = (shape(model, inputs[0])?, shape(model, inputs[1])?);
        let axes = self.axes(&x, &kernel)?;
        // ONNX has the kernel as [group * in, out, ..], tract as [group * out, in, ..].
        let (split, order) = (format!("{node}#split"), format!("{node}#order"));
        let outlet = AxisOp::wire_split_axis(model, split, inputs[1], 0, self.group)?;
        let outlet = model.wire_node(order, AxisOp::Move(1, 2), &outlet)?;
        let merged = AxisOp::wire_collapse_axis(model, format!("{node}#merge"), outlet[0], 0)?;
        let padding = PaddingSpec::Explicit(
            axes.iter().map(|axis| axis.before).collect(),
            axes.iter().map(|axis| axis.behind).collect(),
        );
        let spec = PoolSpec::new(
            DataFormat::NCHW,
            kernel[2..].into(),
            padding,
            self.dilations.clone().map(Into::into),
            self.strides.clone().map(Into::into),
            kernel[0],
            kernel[1] * self.group,
        );
        let bias = match inputs.get(2) {
            Some(bias) => *bias,
            None => {
                let zero = Tensor::zero_scalar_dt(model.outlet_fact(inputs[0])?.datum_type)?;
                model.add_const(format!("{node}#bias"), zero)?
            }
        };
        let extra = self.extra.clone().map_or_else(|| tvec!(0; axes.len()), Into::into);
        let deconv = Deconv::new(spec, KernelFormat::OIHW, extra, self.group);
        model.wire_node(node, deconv, &[inputs[0], merged[0], bias])
    }
}
