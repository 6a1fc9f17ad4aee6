//! The form of each node of a graph: what the table of what was compared knows nodes by.

use std::collections::{BTreeSet, HashMap, HashSet};

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};

use super::classes;
use super::schema::{self, OutputType, Schema};

/// Inputs that are like attributes: their values matter, if they are stored in the file.
const VALUED: [&str; 14] = [
    "axes",
    "axis",
    "shape",
    "pads",
    "starts",
    "ends",
    "steps",
    "repeats",
    "split",
    "K",
    "k",
    "sizes",
    "depth",
    "training_mode",
];

/// How deep graphs may be nested.
const DEPTH: usize = 16;

/// A node, as the table knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The node's name, or that of its first output.
    pub node: String,
    /// The operator; with its domain before it, unless that is the standard's own.
    pub operator: String,
    /// The opset that the model says.
    pub opset: i64,
    /// What it is like: `auto_pad` is `"VALID"`, `X` is `fp32`, `X.from` is `given`.
    pub features: BTreeSet<(String, String)>,
}

/// Where a tensor comes from, of which an engine makes different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// It is in the file, or follows from what is.
    Stored,
    /// It follows from shapes.
    Shape,
    /// It follows from what the caller gives.
    Given,
}

impl Origin {
    /// As the table has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Origin::Stored => "stored",
            Origin::Shape => "shape",
            Origin::Given => "given",
        }
    }
}

/// What is known of a tensor.
#[derive(Debug, Clone)]
struct Known<'a> {
    ty: &'static str,
    origin: Origin,
    value: Option<&'a TensorProto>,
    /// Whether `DequantizeLinear` gives it.
    dequantized: bool,
}

/// The forms of all nodes of a model, those of the graphs within `If`, `Loop` and `Scan` too.
pub(super) fn of_model(model: &ModelProto) -> Vec<Form> {
    let mut forms = Vec::new();
    let opset = |domain: &str| {
        let plain = |domain: &str| domain.is_empty() || domain == "ai.onnx";
        let same = |it: &str| it == domain || (plain(it) && plain(domain));
        // A model without operators of a set need not name it: what stands for `ZipMap` is new.
        model.opset_import.iter().find(|import| same(&import.domain)).map_or(1, |it| it.version)
    };
    if let Some(graph) = &model.graph {
        of_graph(graph, &opset, &HashMap::new(), DEPTH, &mut forms);
    }
    forms
}

/// The nodes of a graph, each behind those that it needs: converters to half precision write their
/// casts last, as tract and ONNX Runtime let them.
pub(super) fn ordered(graph: &GraphProto) -> Vec<&NodeProto> {
    let made = graph.node.iter().flat_map(|node| &node.output);
    let mut waiting: HashSet<&str> = made.map(String::as_str).collect();
    waiting.remove("");
    let (mut left, mut ordered): (Vec<&NodeProto>, Vec<&NodeProto>) =
        (graph.node.iter().collect(), Vec::new());
    loop {
        let before = left.len();
        left.retain(|node| {
            let ready = node.input.iter().all(|input| !waiting.contains(input.as_str()));
            if ready {
                for output in &node.output {
                    waiting.remove(output.as_str());
                }
                ordered.push(node);
            }
            !ready
        });
        // What goes around in circles is for the loader to refuse.
        if left.is_empty() || left.len() == before {
            ordered.extend(left);
            return ordered;
        }
    }
}

/// Adds the forms of a graph's nodes; gives what is known of its outputs.
fn of_graph<'a>(
    graph: &'a GraphProto,
    opset: &dyn Fn(&str) -> i64,
    outer: &HashMap<&'a str, Known<'a>>,
    depth: usize,
    forms: &mut Vec<Form>,
) -> Vec<&'static str> {
    let mut known = outer.clone();
    let declared: HashMap<&str, &'static str> =
        graph.value_info.iter().map(|info| (info.name.as_str(), declared_type(info))).collect();
    for input in &graph.input {
        let (ty, origin) = (declared_type(input), Origin::Given);
        known.insert(&input.name, Known { ty, origin, value: None, dequantized: false });
    }
    for stored in &graph.initializer {
        known.insert(&stored.name, Known::stored(stored));
    }
    for node in ordered(graph) {
        let domain = if node.domain == "ai.onnx" { "" } else { &node.domain };
        let opset_of = opset(domain);
        let schema = schema::find(domain, &node.op_type, opset_of);
        let features = features(node, schema, opset_of > schema::newest(domain), opset_of, &known);
        let named = [&node.name].into_iter().chain(&node.output).find(|name| !name.is_empty());
        let operator = match domain {
            "" => node.op_type.clone(),
            domain => format!("{domain}:{}", node.op_type),
        };
        let node_name = named.cloned().unwrap_or_default();
        forms.push(Form { node: node_name, operator, opset: opset_of, features });
        let mut inner = Vec::new();
        if depth > 0 {
            for attribute in &node.attribute {
                for graph in attribute.g.iter().chain(&attribute.graphs) {
                    inner = of_graph(graph, opset, &known, depth - 1, forms);
                }
            }
        }
        for (index, output) in node.output.iter().enumerate().filter(|(_, it)| !it.is_empty()) {
            let mut made = output_of(node, index, schema, &known);
            if made.ty == "?" {
                // `Loop` and `Scan` give the states, then one stacked tensor for each of the
                // others; a body of `Loop` has its condition before these.
                let skipped = usize::from(node.op_type == "Loop");
                let of_body = inner.get(index + skipped).copied();
                made.ty = of_body.or(declared.get(output.as_str()).copied()).unwrap_or("?");
            }
            known.insert(output, made);
        }
    }
    let types = graph.output.iter().map(|output| {
        let found = known.get(output.name.as_str()).map_or("?", |known| known.ty);
        if found == "?" { declared_type(output) } else { found }
    });
    types.collect()
}

fn features(
    node: &NodeProto,
    schema: Option<&Schema>,
    newer: bool,
    opset: i64,
    known: &HashMap<&str, Known<'_>>,
) -> BTreeSet<(String, String)> {
    let mut features = BTreeSet::new();
    let mut add = |key: &str, value: &str| {
        features.insert((key.to_owned(), value.to_owned()));
    };
    let version = schema.filter(|_| !newer).map_or(opset, |schema| schema.since);
    add("version", &version.to_string());
    let mut quantized = false;
    for (index, input) in node.input.iter().enumerate() {
        let name = input_name(schema, index);
        if input.is_empty() {
            add(&name, "absent");
            continue;
        }
        let Some(known) = known.get(input.as_str()) else {
            add(&name, "?");
            continue;
        };
        quantized |= known.dequantized && known.origin == Origin::Given;
        add(&name, known.ty);
        add(&format!("{name}.from"), known.origin.name());
        let key = format!("{name}.value");
        if VALUED.contains(&name.as_str()) {
            match known.value.and_then(classes::ints) {
                Some(ints) => {
                    classes::of_ints(&name, &ints).iter().for_each(|class| add(&key, class));
                }
                None => add(&key, "?"),
            }
        } else if name == "ratio" {
            let class = known.value.and_then(classes::float).map(classes::of_float);
            add(&key, class.unwrap_or("?"));
        } else if name.contains("scale") || name.contains("zero_point") {
            let count = known.value.map(|tensor| tensor.dims.iter().product::<i64>());
            add(&key, count.map_or("?", |count| if count == 1 { "one" } else { "several" }));
        }
    }
    if let Some(schema) = schema {
        if schema.many {
            let count = (node.input.len() + 1).saturating_sub(schema.inputs.len());
            add(
                "inputs",
                if count > 2 {
                    "many"
                } else if count == 2 {
                    "2"
                } else {
                    "1"
                },
            );
        } else {
            schema.inputs.iter().skip(node.input.len()).for_each(|name| add(name, "absent"));
        }
        for (name, default) in &schema.attributes {
            if node.attribute.iter().all(|attribute| attribute.name != *name) {
                match default {
                    Some(default) => {
                        classes::of_default(name, default).iter().for_each(|class| add(name, class))
                    }
                    None => add(name, "absent"),
                }
            }
        }
    }
    for attribute in &node.attribute {
        let graph = attribute.r#type == AttributeType::Graph as i32;
        let classes = match attribute.name.as_str() {
            _ if graph => Vec::new(),
            "activations" => classes::of_functions(&node.op_type, &attribute.strings),
            _ => classes::of_attribute(attribute),
        };
        classes.iter().for_each(|class| add(&attribute.name, class));
    }
    if schema.is_none_or(|schema| schema.outputs.len() > 1) {
        let name = |(index, _): (usize, &String)| {
            schema.map_or_else(|| index.to_string(), |it| output_name(it, index))
        };
        let used = node.output.iter().enumerate().filter(|(_, output)| !output.is_empty());
        let mut names: Vec<String> = used.map(name).collect();
        names.dedup();
        add("outputs", &names.join("+"));
    }
    add("between", if quantized { "quantized" } else { "plain" });
    features
}

fn input_name(schema: Option<&Schema>, index: usize) -> String {
    let named = schema.and_then(|schema| match schema.inputs.get(index) {
        Some(name) => Some(*name),
        None => schema.inputs.last().copied().filter(|_| schema.many),
    });
    named.map_or_else(|| format!("input-{index}"), ToOwned::to_owned)
}

fn output_name(schema: &Schema, index: usize) -> String {
    let named = schema.outputs.get(index).or(schema.outputs.last());
    named.map_or_else(|| index.to_string(), |(name, _)| (*name).to_owned())
}

/// What is known of an output.
fn output_of<'a>(
    node: &'a NodeProto,
    index: usize,
    schema: Option<&Schema>,
    known: &HashMap<&str, Known<'a>>,
) -> Known<'a> {
    let mut inputs = node.input.iter().filter(|input| !input.is_empty());
    if node.op_type == "Constant" {
        let value = node.attribute.iter().find_map(|attribute| attribute.t.as_ref());
        let ty = value.map_or_else(|| constant_type(node), |it| classes::type_name(it.data_type));
        return Known { ty, origin: Origin::Stored, value, dequantized: false };
    }
    let origins = inputs.by_ref().map(|input| known.get(input.as_str()).map(|it| it.origin));
    let mut origin = origins.max().map_or(Origin::Stored, |it| it.unwrap_or(Origin::Given));
    let inner = node.attribute.iter().any(|attribute| attribute.g.is_some());
    if inner {
        origin = Origin::Given;
    } else if matches!(node.op_type.as_str(), "Shape" | "Size") && origin == Origin::Given {
        origin = Origin::Shape;
    }
    let of_input = |index: usize| {
        let input = node.input.get(index).and_then(|input| known.get(input.as_str()));
        input.map_or("?", |known| known.ty)
    };
    let attribute = |name: &str| node.attribute.iter().find(|attribute| attribute.name == name);
    let rule = schema.map(|schema| schema.outputs.get(index).or(schema.outputs.last()));
    let mut ty = match rule.flatten().map(|(_, rule)| *rule) {
        Some(OutputType::Input(input)) => of_input(input),
        Some(OutputType::Fixed(ty)) => ty,
        Some(OutputType::Attribute(name, input)) => match (attribute(name).map(|it| it.i), input) {
            (Some(ty), _) if ty != 0 => i32::try_from(ty).map_or("?", classes::type_name),
            (_, Some(input)) => of_input(input),
            _ => "?",
        },
        Some(OutputType::Open) => "?",
        // Operators outside the standard: nearly all give what they take.
        None => of_input(0),
    };
    if ty == "?" {
        ty = match (node.op_type.as_str(), index) {
            ("ConstantOfShape", _) => attribute("value")
                .and_then(|it| it.t.as_ref())
                .map_or("fp32", |tensor| classes::type_name(tensor.data_type)),
            ("QuantizeLinear", _) => "u8",
            ("LinearClassifier" | "SVMClassifier" | "TreeEnsembleClassifier", 0) => {
                let text =
                    attribute("classlabels_strings").is_some_and(|it| !it.strings.is_empty());
                if text { "string" } else { "i64" }
            }
            ("Dropout", 1) => "bool",
            _ => "?",
        };
    }
    // What follows from shapes is known before anything is computed. An engine has sizes, which may
    // be symbols, in a form of their own only as integers.
    if origin == Origin::Shape && !matches!(ty, "?" | "i64" | "i32") {
        origin = Origin::Stored;
    }
    let value = (node.op_type == "Identity")
        .then(|| node.input.first().and_then(|input| known.get(input.as_str())?.value))
        .flatten();
    Known { ty, origin, value, dequantized: node.op_type == "DequantizeLinear" }
}

/// The type of a `Constant` that is not given as a tensor.
fn constant_type(node: &NodeProto) -> &'static str {
    match node.attribute.first().map(|attribute| attribute.name.as_str()) {
        Some("value_int" | "value_ints") => "i64",
        Some("value_float" | "value_floats") => "fp32",
        Some("value_string" | "value_strings") => "string",
        _ => "?",
    }
}

fn declared_type(info: &ValueInfoProto) -> &'static str {
    match info.r#type.as_ref().and_then(|ty| ty.value.as_ref()) {
        Some(Value::TensorType(tensor)) => classes::type_name(tensor.elem_type),
        None => "?",
    }
}

impl<'a> Known<'a> {
    fn stored(tensor: &'a TensorProto) -> Self {
        let ty = classes::type_name(tensor.data_type);
        Known { ty, origin: Origin::Stored, value: Some(tensor), dequantized: false }
    }
}
