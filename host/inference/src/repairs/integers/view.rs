//! What is known of a quantised graph before it is loaded: which values are codes, and the steps
//! that they count.

use std::cell::Cell;
use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, NodeProto, TensorProto, tensor_proto::DataType};

use super::super::uses::uses;

/// What codes of 8 bits count: `scale * (code - zero)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) scale: f32,
    pub(super) zero: i32,
}

/// Codes, by the name of the value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codes<'a> {
    pub(super) name: &'a str,
    pub(super) step: Step,
}

/// Codes of the file, each less its zero point.
#[derive(Debug)]
pub(super) struct Weights {
    pub(super) whole: Vec<i32>,
    pub(super) dims: Vec<usize>,
    /// One for all, or one for each place on the axis of the outputs.
    pub(super) scales: Vec<f32>,
}

/// A graph, by the names of its values.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) graph: &'a GraphProto,
    pub(super) opset: i64,
    /// How many weights may still be written out: nodes may share what is in the file once.
    left: Cell<usize>,
    stored: HashMap<&'a str, &'a TensorProto>,
    makers: HashMap<&'a str, usize>,
    /// The nodes that take a value; a graph's output counts as one that is none.
    users: HashMap<&'a str, Vec<usize>>,
}

impl<'a> View<'a> {
    pub(super) fn new(graph: &'a GraphProto, opset: i64) -> Self {
        let (mut stored, mut makers) = (HashMap::new(), HashMap::new());
        let mut users: HashMap<&str, Vec<usize>> = HashMap::new();
        stored.extend(graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)));
        for (index, node) in graph.node.iter().enumerate() {
            makers.extend(node.output.iter().map(|output| (output.as_str(), index)));
            let mut names = Vec::new();
            uses(node, &mut names);
            names.into_iter().for_each(|name| users.entry(name).or_default().push(index));
            let value = node.attribute.iter().find(|it| it.name == "value");
            if let ("Constant", Some(tensor), [output]) =
                (node.op_type.as_str(), value.and_then(|it| it.t.as_ref()), &*node.output)
            {
                stored.insert(output, tensor);
            }
        }
        for output in &graph.output {
            users.entry(&output.name).or_default().push(usize::MAX);
        }
        let sizes = graph.initializer.iter().map(|it| it.raw_data.len() + it.int32_data.len());
        let left = Cell::new(sizes.sum::<usize>() * 2 + (8 << 20));
        View { graph, opset, left, stored, makers, users }
    }

    pub(super) fn maker(&self, value: &str) -> Option<&'a NodeProto> {
        self.makers.get(value).map(|index| &self.graph.node[*index])
    }

    /// The number of the only node that takes a value.
    fn user(&self, value: &str) -> Option<usize> {
        match self.users.get(value).map(Vec::as_slice) {
            Some([index]) if *index != usize::MAX => Some(*index),
            _ => None,
        }
    }

    /// The codes of 8 bits without a sign that a value is dequantised from.
    pub(super) fn codes(&self, value: &str) -> Option<Codes<'a>> {
        let node = self.maker(value).filter(|node| is(node, "DequantizeLinear"))?;
        let name = node.input.first()?.as_str();
        Some(Codes { name, step: self.step(node)? })
    }

    /// The same, of what is computed.
    pub(super) fn computed(&self, value: &str) -> Option<Codes<'a>> {
        self.codes(value).filter(|codes| !self.stored.contains_key(codes.name))
    }

    /// The step of a node that quantises or dequantises by one scale, to or from `uint8`.
    fn step(&self, node: &NodeProto) -> Option<Step> {
        let [_, scale, zero] = &*node.input else { return None };
        let (scale, zero) = (self.stored.get(scale.as_str())?, self.stored.get(zero.as_str())?);
        let unsigned = zero.data_type == DataType::Uint8 as i32;
        match (floats(scale)?.as_slice(), whole(zero)?.as_slice()) {
            ([scale], [zero]) if unsigned && scale.is_finite() && *scale > 0.0 => {
                Some(Step { scale: *scale, zero: *zero })
            }
            _ => None,
        }
    }

    /// The numbers of the nodes behind this one, of which the last quantises what it gives: at most
    /// a limit that the quantisation has anyway is between. Nothing else takes the value.
    pub(super) fn quantised(&self, node: &'a NodeProto) -> Option<(Vec<usize>, Step)> {
        let [output] = &*node.output else { return None };
        let mut behind = vec![self.user(output)?];
        let mut next = &self.graph.node[behind[0]];
        let limit = Some(next).filter(|node| is(node, "Relu") || is(node, "Clip"));
        if limit.is_some() {
            behind.push(self.user(next.output.first()?)?);
            next = &self.graph.node[behind[1]];
        }
        let step = self.step(next).filter(|_| is(next, "QuantizeLinear"))?;
        let plain = next.attribute.iter().all(|it| it.name == "axis");
        let idle = limit.is_none_or(|limit| self.idle(limit, step));
        (plain && idle && next.input[0] != next.input[1]).then_some((behind, step))
    }

    /// Whether codes hold nothing that a limit takes away.
    fn idle(&self, limit: &NodeProto, step: Step) -> bool {
        let least = step.scale * -step.zero as f32;
        let most = step.scale * (255 - step.zero) as f32;
        let bound = |place: usize, name: &str, none: f32| {
            let attribute = limit.attribute.iter().find(|it| it.name == name).map(|it| it.f);
            match limit.input.get(place).filter(|input| !input.is_empty()) {
                Some(input) => self.stored.get(input.as_str()).and_then(|it| match &*floats(it)? {
                    [bound] => Some(*bound),
                    _ => None,
                }),
                None => Some(attribute.unwrap_or(none)),
            }
        };
        if is(limit, "Relu") {
            return least >= 0.0;
        }
        match (bound(1, "min", f32::MIN), bound(2, "max", f32::MAX)) {
            (Some(min), Some(max)) => min - least <= f32::EPSILON && most - max <= f32::EPSILON,
            _ => false,
        }
    }

    /// Codes of 8 bits of the file, where their scales are for all of a tensor or for each place on
    /// this axis.
    pub(super) fn weights(&self, value: &str, axis: usize) -> Option<Weights> {
        let node = self.maker(value).filter(|node| is(node, "DequantizeLinear"))?;
        let codes = self.stored.get(node.input.first()?.as_str())?;
        let narrow = [DataType::Int8 as i32, DataType::Uint8 as i32];
        self.left.set(self.left.get().checked_sub(count(codes)?)?);
        let mut whole = whole(codes).filter(|_| narrow.contains(&codes.data_type))?;
        let dims: Option<Vec<usize>> =
            codes.dims.iter().map(|it| usize::try_from(*it).ok()).collect();
        let dims = dims.filter(|dims| dims.iter().product::<usize>() == whole.len())?;
        let scales = floats(self.stored.get(node.input.get(1)?.as_str())?)?;
        let zeros = match node.input.get(2).filter(|it| !it.is_empty()) {
            Some(zeros) => self::whole(self.stored.get(zeros.as_str())?)?,
            None => vec![0; scales.len()],
        };
        let size = *dims.get(axis)?;
        let attribute =
            |name: &str| node.attribute.iter().find(|it| it.name == name).map(|it| it.i);
        let on = attribute("axis").unwrap_or(1);
        let on = if on < 0 { on + dims.len() as i64 } else { on };
        let fits = match scales.len() {
            0 => false,
            1 => true,
            many => many == size && on == axis as i64,
        };
        let blocks = attribute("block_size").unwrap_or(0) != 0;
        if !fits || blocks || zeros.len() != scales.len() {
            return None;
        }
        let inner: usize = dims[axis + 1..].iter().product();
        for (row, weights) in whole.chunks_mut(inner.max(1)).enumerate() {
            let zero = zeros[if zeros.len() == 1 { 0 } else { row % size }];
            weights.iter_mut().for_each(|weight| *weight -= zero);
        }
        Some(Weights { whole, dims, scales })
    }

    /// Integers of the file that are added to sums: one for all, or one for each. ONNX Runtime adds
    /// them where they count what the sums do, nearly.
    pub(super) fn bias(&self, value: &str, sums: &[f32]) -> Option<Vec<i32>> {
        let node = self.maker(value).filter(|node| is(node, "DequantizeLinear"))?;
        let codes = self.stored.get(node.input.first()?.as_str())?;
        let scales = floats(self.stored.get(node.input.get(1)?.as_str())?)?;
        let zeros = match node.input.get(2).filter(|it| !it.is_empty()) {
            Some(zeros) => whole(self.stored.get(zeros.as_str())?)?,
            None => Vec::new(),
        };
        let plain = codes.data_type == DataType::Int32 as i32 && zeros.iter().all(|it| *it == 0);
        let count = scales.len().max(sums.len());
        let fits = [&scales[..], sums].iter().all(|it| it.len() == 1 || it.len() == count);
        let mut pairs = scales.iter().cycle().zip(sums.iter().cycle()).take(count);
        let same = fits && pairs.all(|(scale, sum)| (scale - sum).abs() <= 0.01 * sum.abs());
        whole(codes).filter(|_| plain && same)
    }
}

/// Whether a node is this operator of the standard.
pub(super) fn is(node: &NodeProto, operator: &str) -> bool {
    node.op_type == operator && (node.domain.is_empty() || node.domain == "ai.onnx")
}

/// How many numbers a tensor of the file has, if they are in the file.
fn count(tensor: &TensorProto) -> Option<usize> {
    let mut dims = tensor.dims.iter().map(|it| usize::try_from(*it).ok());
    let count = dims.try_fold(1_usize, |count, size| count.checked_mul(size?))?;
    tensor.external_data.is_empty().then_some(count)
}

fn floats(tensor: &TensorProto) -> Option<Vec<f32>> {
    let count = count(tensor).filter(|_| tensor.data_type == DataType::Float as i32)?;
    let numbers = if tensor.raw_data.is_empty() {
        tensor.float_data.clone()
    } else {
        let (raw, []) = tensor.raw_data.as_chunks::<4>() else { return None };
        raw.iter().map(|it| f32::from_le_bytes(*it)).collect()
    };
    (numbers.len() == count).then_some(numbers)
}

/// Integers of 8 and 32 bits.
fn whole(tensor: &TensorProto) -> Option<Vec<i32>> {
    let (count, raw) = (count(tensor)?, &tensor.raw_data);
    let numbers = match tensor.data_type {
        ty if ![DataType::Int8, DataType::Uint8, DataType::Int32]
            .map(|it| it as i32)
            .contains(&ty) =>
        {
            return None;
        }
        _ if raw.is_empty() => tensor.int32_data.clone(),
        ty if ty == DataType::Int8 as i32 => {
            raw.iter().map(|it| i32::from(it.cast_signed())).collect()
        }
        ty if ty == DataType::Uint8 as i32 => raw.iter().map(|it| i32::from(*it)).collect(),
        _ => {
            let (raw, []) = raw.as_chunks::<4>() else { return None };
            raw.iter().map(|it| i32::from_le_bytes(*it)).collect()
        }
    };
    (numbers.len() == count).then_some(numbers)
}
