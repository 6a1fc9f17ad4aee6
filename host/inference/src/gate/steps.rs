//! Quantised graphs of which the answer hangs on how floats are rounded.
//!
//! A float that is quantised to 8 bits comes out as another code where its last bit is another and
//! it is near the middle between two. Where the codes are multiplied and quantised again, a few such
//! codes become many: after some dozen layers SqueezeNet's and GoogLeNet's probabilities are off by
//! 0.03 to 0.05. There is no one right answer then: ONNX Runtime's own ones are as far apart, by its
//! optimisations and by processors.
//!
//! So a value is followed from the graph's inputs on. It is certain as long as it is computed on
//! integers, by operations that have one result in floats, or by any function of one code of 8 bits.
//! Codes that are not certain are followed through products; a graph in which they get [`DEEP`] is
//! doubtful.

use std::collections::HashMap;
use std::fmt;

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, tensor_proto::DataType};

use super::forms::ordered;
use crate::repairs;

/// Operators that only move or choose numbers, or turn each into another of as many kinds.
const MOVES: [&str; 34] = [
    "Abs",
    "Clip",
    "Concat",
    "DepthToSpace",
    "DequantizeLinear",
    "Dropout",
    "Expand",
    "Flatten",
    "Gather",
    "GatherElements",
    "GatherND",
    "GlobalMaxPool",
    "Identity",
    "LeakyRelu",
    "Max",
    "MaxPool",
    "Min",
    "Neg",
    "Pad",
    "ReduceMax",
    "ReduceMin",
    "Relu",
    "Reshape",
    "Slice",
    "SpaceToDepth",
    "Split",
    "Squeeze",
    "ThresholdedRelu",
    "Tile",
    "TopK",
    "Transpose",
    "Unsqueeze",
    "Where",
    "CastLike",
];

/// Operators whose result in floats is the one number that is nearest to what is meant.
const CERTAIN: [&str; 34] = [
    "Add",
    "And",
    "ArgMax",
    "ArgMin",
    "Cast",
    "Ceil",
    "Constant",
    "ConstantOfShape",
    "ConvInteger",
    "Div",
    "Equal",
    "Floor",
    "Greater",
    "GreaterOrEqual",
    "IsInf",
    "IsNaN",
    "Less",
    "LessOrEqual",
    "MatMulInteger",
    "Mod",
    "Mul",
    "NonZero",
    "Not",
    "OneHot",
    "Or",
    "PRelu",
    "Range",
    "Round",
    "Shape",
    "Sign",
    "Size",
    "Sqrt",
    "Sub",
    "Xor",
];

/// Functions of one number, of which codes of 8 bits have few results.
const FUNCTIONS: [&str; 29] = [
    "Acos",
    "Asin",
    "Atan",
    "Celu",
    "Cos",
    "Cosh",
    "Elu",
    "Erf",
    "Exp",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "Log",
    "Mish",
    "Pow",
    "Reciprocal",
    "Selu",
    "Shrink",
    "Sigmoid",
    "Sin",
    "Sinh",
    "Softplus",
    "Softsign",
    "Swish",
    "Tan",
    "Tanh",
    "BiasGelu",
    "FastGelu",
    "QuickGelu",
];

/// Operators that add up products.
const PRODUCTS: [&str; 10] = [
    "Conv",
    "ConvInteger",
    "ConvTranspose",
    "Einsum",
    "GRU",
    "Gemm",
    "LSTM",
    "MatMul",
    "MatMulInteger",
    "RNN",
];

/// How many products codes that are not certain may not go through. Small networks of random weights
/// were off by 0.004 of a probability at most with up to four, by 0.016 with eight, by 0.031 with
/// twelve (docs/decisions/0048).
const DEEP: usize = 5;

/// What hangs on rounding.
#[derive(Debug)]
pub(super) struct Uncertain {
    /// The node that quantises.
    node: String,
    operator: String,
    /// What gives the number that it quantises, and is not certain.
    from: String,
    from_operator: String,
    /// Whether ONNX Runtime computes that on integers where codes have no sign.
    signed: bool,
}

/// What is known of a value; by node numbers.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// The node whose result is not certain.
    from: Option<usize>,
    /// Codes that are not certain.
    steps: Option<Steps>,
    /// Whether each number is one of 256.
    few: bool,
}

/// Where codes that are not certain are from; by node numbers.
#[derive(Debug, Clone, Copy)]
struct Steps {
    /// Products that they went through.
    products: usize,
    /// The node that quantised.
    at: usize,
    /// The node whose result is not certain.
    from: usize,
}

/// Codes of a graph that hang on rounding, and go on through many products.
pub(super) fn uncertain(model: &ModelProto) -> Option<Uncertain> {
    let graph = model.graph.as_ref()?;
    let quantises = |node: &NodeProto| {
        ["QuantizeLinear", "DynamicQuantizeLinear"].contains(&node.op_type.as_str())
    };
    if !graph.node.iter().any(quantises) {
        return None;
    }
    let whole = repairs::whole(graph, repairs::opset(model));
    let places: HashMap<*const NodeProto, usize> = graph
        .node
        .iter()
        .enumerate()
        .map(|(place, node)| (std::ptr::from_ref(node), place))
        .collect();
    let mut known: HashMap<&str, Known> = HashMap::new();
    for node in ordered(graph) {
        let place = places.get(&std::ptr::from_ref(node)).copied()?;
        let operator = node.op_type.as_str();
        let inputs = || node.input.iter().filter_map(|input| known.get(input.as_str()));
        let mut steps = inputs().filter_map(|it| it.steps).max_by_key(|it| it.products);
        if let Some(steps) = steps.as_mut().filter(|_| PRODUCTS.contains(&operator)) {
            steps.products += 1;
            if steps.products >= DEEP {
                return Some(described(graph, *steps));
            }
        }
        let mut result = Known { from: inputs().find_map(|it| it.from), steps, few: false };
        let few = || inputs().all(|it| it.few) && inputs().next().is_some();
        match operator {
            // Certain; what is between its nodes is not computed.
            _ if whole.contains(&place) => {
                result = Known { from: None, few: operator == "QuantizeLinear", ..result };
            }
            "QuantizeLinear" if wide(graph, node) => {}
            "QuantizeLinear" | "DynamicQuantizeLinear" => {
                result.steps =
                    steps.or(result.from.map(|from| Steps { products: 0, at: place, from }));
                result = Known { from: None, few: operator == "QuantizeLinear", ..result };
            }
            _ if MOVES.contains(&operator) || nearest(node) => result.few = few(),
            _ if CERTAIN.contains(&operator) => {}
            _ if FUNCTIONS.contains(&operator) && few() => result.few = true,
            _ => result.from = result.from.or(Some(place)),
        }
        known.extend(node.output.iter().map(|output| (output.as_str(), result)));
    }
    None
}

/// The type of a node's zero points, if they are in the file or it says another.
fn codes(graph: &GraphProto, node: &NodeProto) -> Option<i32> {
    let told = node.attribute.iter().find(|it| it.name == "output_dtype").map(|it| it.i as i32);
    let zero =
        node.input.get(2).and_then(|zero| graph.initializer.iter().find(|it| it.name == *zero));
    told.filter(|ty| *ty != 0).or(zero.map(|zero| zero.data_type))
}

/// Whether a node quantises to more than 8 bits: a code that is another one is nearly the same then.
fn wide(graph: &GraphProto, node: &NodeProto) -> bool {
    let ty = codes(graph, node);
    [DataType::Int16, DataType::Uint16].iter().any(|wide| ty == Some(*wide as i32))
}

/// Whether a node only repeats or leaves out numbers.
fn nearest(node: &NodeProto) -> bool {
    let mode = node.attribute.iter().find(|attribute| attribute.name == "mode");
    let nearest = mode.is_none_or(|mode| mode.s == b"nearest");
    ["Resize", "Upsample"].contains(&node.op_type.as_str()) && nearest
}

fn described(graph: &GraphProto, steps: Steps) -> Uncertain {
    let name = |node: &NodeProto| {
        let named = [&node.name].into_iter().chain(&node.output).find(|name| !name.is_empty());
        named.cloned().unwrap_or_default()
    };
    let (node, from) = (&graph.node[steps.at], &graph.node[steps.from]);
    let on_integers = ["Conv", "Gemm", "GlobalAveragePool", "MatMul", "Softmax"];
    Uncertain {
        node: name(node),
        operator: node.op_type.clone(),
        from: name(from),
        from_operator: from.op_type.clone(),
        signed: codes(graph, node) == Some(DataType::Int8 as i32)
            && on_integers.contains(&from.op_type.as_str()),
    }
}

impl fmt::Display for Uncertain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Uncertain { node, operator, from, from_operator, .. } = self;
        write!(
            f,
            "node '{node}', operator {operator}: it rounds to 8 bits what operator {from_operator} \
             of node '{from}' gives, of which the last bits may be others in ONNX Runtime; \
             its layers make several hundredths of a probability of that"
        )
    }
}

impl Uncertain {
    /// What to do about it.
    pub(super) fn remedy(&self) -> &'static str {
        if self.signed {
            "quantise to uint8, which is computed on integers \
             (activation_type=QuantType.QUInt8 of onnxruntime.quantization)"
        } else {
            "serve the model in single or half precision"
        }
    }
}
