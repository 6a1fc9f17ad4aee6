//! Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3):
//! `x / (bias + alpha * sum of squares of the channels around it) ^ beta`.
//!
//! tract's ONNX loader has one that looks every element up by its coordinates and raises
//! it to a power, which takes 70 % of GoogLeNet's time; its TensorFlow loader has none.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;
use tract_tensorflow::tfpb::tensorflow::NodeDef;

/// Elements that are worked on together: they and the sums fit the first cache.
const BLOCK: usize = 1024;

/// The operation, for tensors of `f32`, and of `f16` by way of `f32`.
#[derive(Debug, Clone, PartialEq)]
struct Lrn {
    /// The axis of the channels.
    axis: usize,
    /// Channels before and behind that count.
    before: usize,
    behind: usize,
    alpha: f32,
    beta: f32,
    bias: f32,
}

// No field is ever NaN: the loaders take finite numbers only.
impl Eq for Lrn {}

/// ONNX's `LRN`: channels are axis 1, and `alpha` is divided by the size of the window.
pub(super) fn from_onnx(
    _: &tract_onnx::model::ParsingContext,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let size: usize = node.get_attr("size")?;
    ensure!(size > 0, "LRN with a window of 0 channels");
    let alpha: f32 = node.get_attr_opt("alpha")?.unwrap_or(0.0001);
    let lrn = Lrn {
        axis: 1,
        before: (size - 1) / 2,
        behind: size / 2,
        alpha: alpha / size as f32,
        beta: node.get_attr_opt("beta")?.unwrap_or(0.75),
        bias: node.get_attr_opt("bias")?.unwrap_or(1.0),
    };
    Ok((lrn.inference_op()?, vec![]))
}

/// TensorFlow's `LRN`: channels are axis 3, and `alpha` is for each of the squares.
pub(super) fn from_tensorflow(
    _: &tract_tensorflow::model::ParsingContext,
    node: &NodeDef,
) -> TractResult<Box<dyn InferenceOp>> {
    let radius: usize = node.get_attr_opt_int("depth_radius")?.unwrap_or(5);
    let lrn = Lrn {
        axis: 3,
        before: radius,
        behind: radius,
        alpha: node.get_attr_opt_float("alpha")?.unwrap_or(1.0),
        beta: node.get_attr_opt_float("beta")?.unwrap_or(0.5),
        bias: node.get_attr_opt_float("bias")?.unwrap_or(1.0),
    };
    lrn.inference_op()
}

impl Lrn {
    fn inference_op(self) -> TractResult<Box<dyn InferenceOp>> {
        let finite = [self.alpha, self.beta, self.bias].iter().all(|number| number.is_finite());
        ensure!(finite, "LRN with an attribute that is not a finite number");
        Ok(inference_wrap(self, 1, |_, solver, inputs, outputs| {
            check_input_arity(inputs, 1)?;
            check_output_arity(outputs, 1)?;
            solver.equals(&inputs[0].rank, 4)?;
            solver.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
            solver.equals(&inputs[0].shape, &outputs[0].shape)
        }))
    }

    /// `v ^ -beta`. The two powers that published networks use need no more than a root.
    #[inline(always)]
    fn apply(&self, x: &[f32], sums: &[f32], out: &mut [f32]) {
        let (alpha, bias, beta) = (self.alpha, self.bias, self.beta);
        let each = out.iter_mut().zip(x).zip(sums);
        if beta == 0.75 {
            for ((out, x), sum) in each {
                let root = 1.0 / (bias + alpha * sum).sqrt();
                *out = x * root * root.sqrt();
            }
        } else if beta == 0.5 {
            for ((out, x), sum) in each {
                *out = x / (bias + alpha * sum).sqrt();
            }
        } else {
            for ((out, x), sum) in each {
                *out = x * (bias + alpha * sum).powf(-beta);
            }
        }
    }

    /// Channels of `inner` elements each, one after the other: NCHW, where the elements
    /// are the pixels, and NHWC as one channel-long row for each pixel.
    fn image(&self, x: &[f32], channels: usize, inner: usize, out: &mut [f32]) {
        if inner == 1 {
            return self.pixel(x, out);
        }
        let mut sums = [0.0; BLOCK];
        for start in (0..inner).step_by(BLOCK) {
            let length = BLOCK.min(inner - start);
            let sums = &mut sums[..length];
            for channel in 0..channels {
                let from = channel.saturating_sub(self.before);
                let to = channel.saturating_add(self.behind).min(channels - 1);
                sums.fill(0.0);
                for other in from..=to {
                    let other = &x[other * inner + start..][..length];
                    sums.iter_mut().zip(other).for_each(|(sum, x)| *sum += x * x);
                }
                let place = channel * inner + start;
                self.apply(&x[place..][..length], sums, &mut out[place..][..length]);
            }
        }
    }

    fn pixel(&self, x: &[f32], out: &mut [f32]) {
        let channels = x.len();
        let mut sums = vec![0.0_f32; channels];
        for distance in 0..=self.before.min(channels - 1) {
            let squares = x[..channels - distance].iter();
            sums[distance..].iter_mut().zip(squares).for_each(|(sum, x)| *sum += x * x);
        }
        for distance in 1..=self.behind.min(channels - 1) {
            sums.iter_mut().zip(&x[distance..]).for_each(|(sum, x)| *sum += x * x);
        }
        self.apply(x, &sums, out);
    }
}

impl Op for Lrn {
    fn name(&self) -> StaticName {
        "SandbarLrn".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Lrn {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let input = args_1!(inputs);
        let shape = input.shape();
        let (outer, inner) = (&shape[..self.axis], &shape[self.axis + 1..]);
        let (outer, inner): (usize, usize) = (outer.iter().product(), inner.iter().product());
        let channels = shape[self.axis];
        let mut output = Tensor::zero::<f32>(shape)?;
        let wide = input.cast_to::<f32>()?;
        let image = channels * inner;
        if image > 0 && outer > 0 {
            let view = wide.try_as_plain_ram()?;
            let x = view.as_slice::<f32>()?;
            let mut out = output.try_as_plain_ram_mut()?;
            let out = out.as_slice_mut::<f32>()?;
            for (x, out) in x.chunks_exact(image).zip(out.chunks_exact_mut(image)) {
                self.image(x, channels, inner, out);
            }
        }
        let output = output.cast_to_dt(input.datum_type())?.into_owned();
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for Lrn {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let ty = inputs[0].datum_type;
        let known = [f32::datum_type(), f16::datum_type()].contains(&ty);
        ensure!(known, "LRN of {ty:?}: export the graph with floats of 32 bits");
        Ok(tvec!(inputs[0].without_value()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The formula, element by element.
    fn plain(lrn: &Lrn, x: &[f32], channels: usize, inner: usize) -> Vec<f32> {
        let at = |channel: usize, place: usize| f64::from(x[channel * inner + place]);
        let value = |channel: usize, place: usize| {
            let from = channel.saturating_sub(lrn.before);
            let to = (channel + lrn.behind).min(channels - 1);
            let sum: f64 = (from..=to).map(|other| at(other, place).powi(2)).sum();
            let base = f64::from(lrn.bias) + f64::from(lrn.alpha) * sum;
            (at(channel, place) * base.powf(-f64::from(lrn.beta))) as f32
        };
        (0..channels * inner).map(|index| value(index / inner, index % inner)).collect()
    }

    proptest! {
        #[test]
        fn both_layouts_are_the_formula(
            channels in 1..20_usize,
            inner in prop::sample::select(vec![1, 2, 7, 1030]),
            (before, behind) in (0..4_usize, 0..4_usize),
            beta in prop::sample::select(vec![0.5_f32, 0.75, 1.0, 0.6]),
            seed in any::<u64>(),
        ) {
            let lrn = Lrn { axis: 1, before, behind, alpha: 0.2, beta, bias: 1.5 };
            let x: Vec<f32> = (0..channels * inner)
                .map(|n| ((seed.wrapping_mul(n as u64 + 1) >> 40) as f32 / 1e6) - 8.0)
                .collect();
            let mut out = vec![0.0; x.len()];
            lrn.image(&x, channels, inner, &mut out);
            for (found, expected) in out.iter().zip(plain(&lrn, &x, channels, inner)) {
                prop_assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1e-3), "{found} {expected}");
            }
        }
    }
}
