//! `Conv`, `Gemm` and `MatMul` between codes.

use tract_onnx::pb::{NodeProto, TensorProto, tensor_proto::DataType};

use super::instead::{Instead, int, node, numbers};
use super::ops::{REQUANTISE, WHOLE};
use super::view::{Codes, Step, View, Weights, is};

/// Every whole number up to here is a float of 32 bits.
const EXACT: i64 = 1 << 24;

/// What is multiplied, and with what.
struct Product<'a> {
    x: Codes<'a>,
    weights: Weights,
    /// The axis of the weights that the outputs are on.
    axis: usize,
    bias: Option<Vec<i32>>,
}

pub(super) fn of(view: &View, index: usize, it: &NodeProto) -> Option<Instead> {
    let attribute = |name: &str| it.attribute.iter().find(|attribute| attribute.name == name);
    let flag = |name: &str| attribute(name).is_some_and(|it| it.i != 0);
    let axis = match it.op_type.as_str() {
        "Conv" => 0,
        "Gemm" if flag("transA") => return None,
        "Gemm" => usize::from(!flag("transB")),
        "MatMul" => 1,
        _ => return None,
    };
    if !is(it, &it.op_type) {
        return None;
    }
    let (behind, step) = view.quantised(it)?;
    let of = [vec![index], behind].concat();
    let x = view.computed(it.input.first()?)?;
    let output = &view.graph.node[*of.last()?].output[0];
    if is(it, "MatMul")
        && let Some(y) = view.computed(it.input.get(1)?)
    {
        return Some(Instead { of, ..of_codes([x, y], step, output) });
    }
    let weights = view.weights(it.input.get(1)?, axis)?;
    let sums: Vec<f32> = weights.scales.iter().map(|scale| x.step.scale * scale).collect();
    let bias = it.input.get(2).filter(|input| !input.is_empty());
    let product = Product {
        x,
        axis,
        bias: match bias {
            Some(bias) => Some(view.bias(bias, &sums)?),
            None => None,
        },
        weights,
    };
    let one = |name: &str| attribute(name).is_none_or(|it| it.f == 1.0);
    if !one("alpha") || !one("beta") || is(it, "MatMul") && product.weights.dims.len() != 2 {
        return None;
    }
    let (nodes, stored) = product.built(it, step, output)?;
    Some(Instead { of, nodes, stored })
}

impl Product<'_> {
    fn built(
        self,
        it: &NodeProto,
        step: Step,
        output: &str,
    ) -> Option<(Vec<NodeProto>, Vec<TensorProto>)> {
        let size = self.weights.dims[self.axis];
        let scale = |scale: &f32| self.x.step.scale * scale / step.scale;
        let factors: Vec<f32> = self.weights.scales.iter().map(scale).collect();
        let spread = self.bias.as_ref().is_none_or(|bias| [1, size].contains(&bias.len()));
        if !spread || factors.iter().any(|factor| !factor.is_finite()) {
            return None;
        }
        let largest = self.largest();
        if largest > i64::from(i32::MAX) {
            return None;
        }
        let wide = largest > EXACT;
        let (multiplied, weights, bias) =
            (format!("{output}#sum"), format!("{output}#weights"), format!("{output}#bias"));
        let whole = whole(self.x, wide);
        let mut inputs = vec![whole.output[0].as_str(), &weights];
        let mut stored = vec![tensor(&weights, &self.weights.dims, &self.weights.whole, wide)];
        if let Some(numbers) = &self.bias {
            let all: Vec<i32> = numbers.iter().copied().cycle().take(size).collect();
            stored.push(tensor(&bias, &[size], &all, wide));
            inputs.push(&bias);
        }
        let product = node(&it.op_type, &inputs, &multiplied, it.attribute.clone());
        let axis = if is(it, "Conv") { 1 } else { -1 };
        let requantise = requantise(&multiplied, factors, step.zero, axis, output);
        Some((vec![whole, product, requantise], stored))
    }

    /// The largest number that a sum may come to on its way, in any order.
    fn largest(&self) -> i64 {
        let (least, most) = (-self.x.step.zero, 255 - self.x.step.zero);
        let size = self.weights.dims[self.axis];
        let inner: usize = self.weights.dims[self.axis + 1..].iter().product();
        let mut sums = vec![[0_i64; 2]; size];
        for (row, weights) in self.weights.whole.chunks(inner.max(1)).enumerate() {
            let [below, above] = &mut sums[row % size];
            for weight in weights {
                let ends = [weight * least, weight * most];
                *below -= i64::from(ends[0].min(ends[1]).min(0));
                *above += i64::from(ends[0].max(ends[1]).max(0));
            }
        }
        let bias = self.bias.iter().flatten().map(|it| i64::from(*it).abs()).max().unwrap_or(0);
        sums.into_iter().flatten().max().unwrap_or(0) + bias
    }
}

/// A product of two tensors that are computed: how much is added up is not known here.
fn of_codes([x, y]: [Codes; 2], step: Step, output: &str) -> Instead {
    let factor = x.step.scale * y.step.scale / step.scale;
    let multiplied = format!("{output}#sum");
    let (x, y) = (whole(x, true), whole(y, true));
    let product = node("MatMul", &[&x.output[0], &y.output[0]], &multiplied, Vec::new());
    let requantise = requantise(&multiplied, vec![factor], step.zero, -1, output);
    Instead { of: Vec::new(), nodes: vec![x, y, product, requantise], stored: Vec::new() }
}

/// Codes less their zero point, as floats.
fn whole(codes: Codes, wide: bool) -> NodeProto {
    let (zero, bits) = (i64::from(codes.step.zero), if wide { 64 } else { 32 });
    let output = format!("{}#less-{zero}-f{bits}", codes.name);
    node(WHOLE, &[codes.name], &output, vec![int("zero", zero), int("bits", bits)])
}

fn requantise(sum: &str, factors: Vec<f32>, zero: i32, axis: i64, output: &str) -> NodeProto {
    let attributes = vec![numbers("factors", factors), int("zero", zero.into()), int("axis", axis)];
    node(REQUANTISE, &[sum], output, attributes)
}

fn tensor(name: &str, dims: &[usize], numbers: &[i32], wide: bool) -> TensorProto {
    let (ty, raw_data) = if wide {
        (DataType::Double, numbers.iter().flat_map(|it| f64::from(*it).to_le_bytes()).collect())
    } else {
        (DataType::Float, numbers.iter().flat_map(|it| (*it as f32).to_le_bytes()).collect())
    };
    TensorProto {
        name: name.into(),
        dims: dims.iter().map(|it| *it as i64).collect(),
        data_type: ty as i32,
        raw_data,
        ..Default::default()
    }
}
