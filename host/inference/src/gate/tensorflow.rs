//! The forms of the nodes of a TensorFlow graph. Its attributes tell all types.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tract_tensorflow::tfpb::tensorflow::attr_value::{ListValue, Value};
use tract_tensorflow::tfpb::tensorflow::{DataType, NodeDef, TensorProto};

use super::classes;
use super::forms::{Form, Origin};
use super::schema::{self, Schema};
use crate::tensorflow::{Graph, place};

/// Inputs that are like attributes: their values matter, if they are stored in the file.
const VALUED: [&str; 21] = [
    "axis",
    "begin",
    "block_shape",
    "concat_dim",
    "crops",
    "delta",
    "dim",
    "dimension",
    "dims",
    "end",
    "limit",
    "multiples",
    "paddings",
    "perm",
    "reduction_indices",
    "shape",
    "size",
    "size_splits",
    "split_dim",
    "start",
    "strides",
];

/// Attributes that say nothing of what is computed: hints, and how errors are told.
const HINTS: [&str; 10] = [
    // Of training alone.
    "exponential_avg_factor",
    "grad_a",
    "grad_b",
    "grad_x",
    "grad_y",
    "incompatible_shape_error",
    "message",
    "use_cudnn_on_gpu",
    "validate_indices",
    "value",
];

/// What is known of a node: where what it gives comes from, and its value.
#[derive(Clone, Copy)]
struct Known<'a> {
    origin: Origin,
    value: Option<&'a TensorProto>,
}

/// The forms of all nodes.
pub(super) fn of_graph(graph: &Graph) -> Vec<Form> {
    let mut used: HashMap<&str, BTreeSet<usize>> = HashMap::new();
    let inputs = graph.nodes.iter().flat_map(|node| &node.input).map(|input| place(input));
    let outputs = graph.outputs.iter().map(|(_, node, slot)| (node.as_str(), *slot));
    for (node, slot) in inputs.chain(outputs) {
        used.entry(node).or_default().insert(slot);
    }
    let mut known = HashMap::new();
    let mut forms = Vec::new();
    for node in &graph.nodes {
        let schema = schema::find("tensorflow", &node.op, 1);
        let mut features = features(node, schema, &known);
        if let Some(schema) = schema.filter(|it| it.outputs.len() > 1) {
            let slots = used.get(node.name.as_str()).into_iter().flatten();
            let name = |slot: &usize| schema.outputs.get(*slot).map_or("?", |output| output.0);
            let names: Vec<&str> = slots.map(name).collect();
            features.insert(("outputs".into(), names.join("+")));
        }
        known.insert(node.name.as_str(), of_node(node, &known));
        let (name, operator) = (node.name.clone(), node.op.clone());
        forms.push(Form { node: name, operator, opset: 0, features });
    }
    forms
}

fn of_node<'a>(node: &'a NodeDef, known: &HashMap<&str, Known<'a>>) -> Known<'a> {
    let inputs = || node.input.iter().filter_map(|input| known.get(place(input).0));
    let (origin, value) = match node.op.as_str() {
        "Const" => (Origin::Stored, tensor(node)),
        "Placeholder" => (Origin::Given, None),
        "Rank" | "Shape" | "Size" => (Origin::Shape, None),
        op => {
            let value = inputs().next().filter(|_| op == "Identity").and_then(|it| it.value);
            (inputs().map(|it| it.origin).max().unwrap_or(Origin::Given), value)
        }
    };
    Known { origin, value }
}

fn tensor(node: &NodeDef) -> Option<&TensorProto> {
    match node.attr.get("value")?.value.as_ref()? {
        Value::Tensor(tensor) => Some(tensor),
        _ => None,
    }
}

fn features(
    node: &NodeDef,
    schema: Option<&Schema>,
    known: &HashMap<&str, Known<'_>>,
) -> BTreeSet<(String, String)> {
    let mut features = BTreeSet::new();
    let mut add = |key: &str, value: &str| {
        features.insert((key.to_owned(), value.to_owned()));
    };
    for (index, input) in node.input.iter().enumerate() {
        let name = input_name(schema, index, node.input.len());
        let Some(known) = known.get(place(input).0) else { continue };
        add(&format!("{name}.from"), known.origin.name());
        if VALUED.contains(&name.as_str()) {
            let key = format!("{name}.value");
            match known.value.and_then(ints) {
                Some(ints) => {
                    classes::of_ints(&name, &ints).iter().for_each(|class| add(&key, class));
                }
                None => add(&key, "?"),
            }
        }
    }
    let mut attributes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, default) in schema.iter().flat_map(|schema| &schema.attributes) {
        let classes = default.map(|default| of_default(name, default));
        attributes.insert(name, classes.unwrap_or_else(|| of_list(name, &[], node)));
    }
    for (name, value) in &node.attr {
        if let Some(value) = &value.value {
            attributes.insert(name, of_value(name, value, node));
        }
    }
    for (name, classes) in attributes {
        // Those that begin so are notes of TensorFlow's own.
        if !HINTS.contains(&name) && !name.starts_with('_') && !is_shape(node, name) {
            classes.iter().for_each(|class| add(name, class));
        }
    }
    features
}

/// What a `Placeholder` says of its shape is checked against what is declared.
fn is_shape(node: &NodeDef, name: &str) -> bool {
    node.op == "Placeholder" && name == "shape"
}

fn input_name(schema: Option<&Schema>, index: usize, count: usize) -> String {
    let named = schema.and_then(|schema| {
        let spread = schema.spread.unwrap_or(usize::MAX);
        // So many stand for the one that may be given many times.
        let many = (count + 1).saturating_sub(schema.inputs.len());
        let place = match index {
            before if before <= spread => before,
            within if within < spread.saturating_add(many) => spread,
            behind => behind + 1 - many,
        };
        schema.inputs.get(place)
    });
    named.map_or_else(|| format!("input-{index}"), |name| (*name).to_owned())
}

fn of_default(name: &str, default: &str) -> Vec<String> {
    match (default.parse(), default.parse()) {
        (Ok(int), _) => vec![of_int(name, int)],
        (_, Ok(float)) => vec![classes::of_float(float).to_owned()],
        _ => vec![default.to_owned()],
    }
}

fn of_value(name: &str, value: &Value, node: &NodeDef) -> Vec<String> {
    match value {
        Value::S(text) if name == "equation" => of_equation(&String::from_utf8_lossy(text)),
        Value::S(text) => vec![format!("{:?}", String::from_utf8_lossy(text)).replace(' ', "_")],
        Value::I(int) => vec![of_int(name, *int)],
        Value::F(float) => vec![classes::of_float(*float).to_owned()],
        Value::B(bool) => vec![i64::from(*bool).to_string()],
        Value::Type(ty) => vec![type_name(*ty).to_owned()],
        Value::List(ListValue { i, r#type, .. }) if r#type.is_empty() => of_list(name, i, node),
        Value::List(list) => list.r#type.iter().map(|ty| type_name(*ty).to_owned()).collect(),
        _ => vec!["other".to_owned()],
    }
}

fn of_int(name: &str, int: i64) -> String {
    let class = match int {
        _ if name == "num_bits" => return int.to_string(),
        0 => "0",
        _ if name.ends_with("_mask") => "some",
        ..0 => "negative",
        _ if matches!(name, "axis" | "batch_dims") => "positive",
        1 => "1",
        _ => "many",
    };
    class.to_owned()
}

/// Lists of integers: those of windows by their two sides, which the layout says.
fn of_list(name: &str, ints: &[i64], node: &NodeDef) -> Vec<String> {
    let rows = match node.get_attr_opt_raw_str("data_format") {
        Ok(Some(b"NCHW")) => 2,
        _ => 1,
    };
    let class = match (name, ints) {
        ("strides" | "dilations" | "ksize", [_, _, _, _]) => {
            let sides = rows..rows + 2;
            if (0..4).any(|place| !sides.contains(&place) && ints[place] != 1) {
                "deep"
            } else if ints[rows] != ints[rows + 1] {
                "uneven"
            } else if ints[rows] == 1 {
                "ones"
            } else {
                "more"
            }
        }
        // A list that is left out: ones.
        ("dilations", []) => "ones",
        ("explicit_paddings", [_, ..]) if ints.iter().all(|int| *int == 0) => "none",
        ("explicit_paddings", [_, ..]) => "some",
        _ => return classes::of_ints(name, ints),
    };
    vec![class.to_owned()]
}

/// What an equation of `Einsum` needs beyond sums of products.
fn of_equation(equation: &str) -> Vec<String> {
    let mut classes =
        vec![format!("of-{}", equation.split("->").next().map_or(0, |it| it.split(',').count()))];
    let mut add = |class: &str| classes.push(class.to_owned());
    if equation.contains('.') {
        add("dots");
    }
    if !equation.contains("->") {
        add("no-arrow");
    }
    let twice = |term: &str| {
        let letters: Vec<char> = term.chars().filter(|it| it.is_alphabetic()).collect();
        letters.iter().collect::<BTreeSet<_>>().len() < letters.len()
    };
    if equation.split("->").flat_map(|side| side.split(',')).any(twice) {
        add("twice");
    }
    classes
}

/// The integers of a small tensor; such as repeat at the end are left out in the file.
fn ints(tensor: &TensorProto) -> Option<Vec<i64>> {
    let shape = tensor.tensor_shape.iter().flat_map(|shape| &shape.dim);
    let count = shape.map(|dim| dim.size).try_fold(1_i64, i64::checked_mul)?;
    if !(0..=64).contains(&count) {
        return None;
    }
    let content = tensor.tensor_content.as_slice();
    let mut ints: Vec<i64> = match DataType::try_from(tensor.dtype).ok()? {
        DataType::DtInt64 if content.is_empty() => tensor.int64_val.clone(),
        DataType::DtInt64 => {
            content.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect()
        }
        DataType::DtInt32 if content.is_empty() => {
            tensor.int_val.iter().map(|int| i64::from(*int)).collect()
        }
        DataType::DtInt32 => {
            let each = content.as_chunks::<4>().0.iter();
            each.map(|bytes| i64::from(i32::from_le_bytes(*bytes))).collect()
        }
        _ => return None,
    };
    let last = ints.last().copied().unwrap_or_default();
    ints.resize(usize::try_from(count).ok()?, last);
    Some(ints)
}

fn type_name(ty: i32) -> &'static str {
    match DataType::try_from(ty).ok() {
        Some(DataType::DtFloat) => "fp32",
        Some(DataType::DtHalf) => "fp16",
        Some(DataType::DtDouble) => "fp64",
        Some(DataType::DtBfloat16) => "bf16",
        Some(DataType::DtUint8) => "u8",
        Some(DataType::DtInt8) => "i8",
        Some(DataType::DtUint16) => "u16",
        Some(DataType::DtInt16) => "i16",
        Some(DataType::DtUint32) => "u32",
        Some(DataType::DtInt32) => "i32",
        Some(DataType::DtUint64) => "u64",
        Some(DataType::DtInt64) => "i64",
        Some(DataType::DtBool) => "bool",
        Some(DataType::DtString) => "string",
        _ => "?",
    }
}
