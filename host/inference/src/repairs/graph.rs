//! What is done to a file of ONNX before tract reads it.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, TensorProto, ValueInfoProto,
    attribute_proto::AttributeType, tensor_proto::DataType,
};

use super::uses::{bodies, uses};
use super::{integers, tree_classifier};

/// What a model declares of its graph, by name. Where it declares no outputs the graph's own count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
}

/// Leaves of a file what is wanted of it; the nodes that stay are as the file has them.
pub(crate) fn reduce(model: &mut ModelProto, wanted: &Wanted) {
    let Some(graph) = &mut model.graph else { return };
    zip_maps(graph);
    select(graph, wanted);
    prune(graph, wanted);
}

/// Makes of a file what tract reads as ONNX means it.
pub(crate) fn prepare(model: &mut ModelProto, wanted: &Wanted) {
    reduce(model, wanted);
    let opset = opset(model);
    let Some(graph) = &mut model.graph else { return };
    text_labels(graph);
    scales(graph);
    integers::rewrite(graph, opset);
    prune(graph, wanted);
    name(graph);
}

/// The version of the standard's operators that a model is written in.
pub(crate) fn opset(model: &ModelProto) -> i64 {
    let standard = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    let import = model.opset_import.iter().find(|import| standard(&import.domain));
    import.map_or(1, |import| import.version)
}

/// `ZipMap` of `ai.onnx.ml`, which scikit-learn's converters end a classifier with, makes a map of
/// each row of probabilities. There are no maps here: it gives the rows.
fn zip_maps(graph: &mut GraphProto) {
    let mut rows = HashSet::new();
    for node in graph.node.iter_mut().filter(|node| node.op_type == "ZipMap") {
        node.op_type = "Identity".into();
        node.domain.clear();
        node.attribute.clear();
        rows.extend(node.output.iter().cloned());
    }
    for output in graph.output.iter_mut().filter(|output| rows.contains(&output.name)) {
        output.r#type = None;
    }
}

/// Makes those outputs the graph's that are wanted: the declared ones, which may be any value of it
/// or any node, or else those that are tensors of numbers.
fn select(graph: &mut GraphProto, wanted: &Wanted) {
    let known: HashSet<&str> = values(graph).collect();
    let node = |name: &str| {
        let node = graph.node.iter().find(|node| node.name == name);
        node.and_then(|node| node.output.first()).filter(|output| !output.is_empty())
    };
    let found: Option<Vec<String>> =
        wanted
            .outputs
            .iter()
            .map(|name| {
                if known.contains(name.as_str()) { Some(name.clone()) } else { node(name).cloned() }
            })
            .collect();
    // One that is not there is reported where outputs are looked up by name.
    let Some(found) = found else { return };
    if !found.is_empty() {
        let output = |name: String| ValueInfoProto { name, ..Default::default() };
        graph.output = found.into_iter().map(output).collect();
        return;
    }
    let good = |output: &ValueInfoProto| {
        is_numbers(output) && !tree_classifier::is_label(graph, &output.name)
    };
    let kept: Vec<ValueInfoProto> = graph.output.iter().filter(|it| good(it)).cloned().collect();
    if !kept.is_empty() {
        graph.output = kept;
    }
}

/// Whether a graph's output can be given to an operator: text, sequences and maps cannot.
fn is_numbers(output: &ValueInfoProto) -> bool {
    use tract_onnx::pb::type_proto::Value;
    match &output.r#type {
        None => true,
        Some(ty) => match &ty.value {
            Some(Value::TensorType(tensor)) => tensor.elem_type != DataType::String as i32,
            None => false,
        },
    }
}

/// All names that something in the graph is known by.
fn values(graph: &GraphProto) -> impl Iterator<Item = &str> {
    let inputs = graph.input.iter().map(|input| input.name.as_str());
    let constants = graph.initializer.iter().map(|tensor| tensor.name.as_str());
    let outputs = graph.node.iter().flat_map(|node| node.output.iter().map(String::as_str));
    inputs.chain(constants).chain(outputs).filter(|name| !name.is_empty())
}

/// Takes away what no output needs: it may be of a kind that is not supported, and a weight takes
/// memory. An input that the model declares stays.
fn prune(graph: &mut GraphProto, wanted: &Wanted) {
    let mut makers = HashMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        makers.extend(node.output.iter().map(|output| (output.as_str(), index)));
    }
    let (mut needed, mut names) = (HashSet::new(), HashSet::new());
    let mut left: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    while let Some(name) = left.pop() {
        if !names.insert(name) {
            continue;
        }
        if let Some(index) = makers.get(name).filter(|index| needed.insert(**index)) {
            uses(&graph.node[*index], &mut left);
        }
    }
    let names: HashSet<String> = names.into_iter().map(str::to_owned).collect();
    let mut index = 0;
    graph.node.retain(|_| {
        index += 1;
        needed.contains(&(index - 1))
    });
    graph.initializer.retain(|tensor| names.contains(&tensor.name));
    graph.input.retain(|input| names.contains(&input.name) || wanted.inputs.contains(&input.name));
}

/// A classifier of `ai.onnx.ml` gives the best class before the probabilities. Where that is a text
/// that nothing needs, its place is as good: tract has no tensors of text there.
fn text_labels(graph: &mut GraphProto) {
    let outputs = graph.output.iter().map(|output| &output.name);
    let inputs = graph.node.iter().flat_map(|node| &node.input);
    let used: HashSet<String> = outputs.chain(inputs).cloned().collect();
    for node in &mut graph.node {
        let numbers = match node.op_type.as_str() {
            "LinearClassifier" => "classlabels_ints",
            "TreeEnsembleClassifier" => "classlabels_int64s",
            _ => continue,
        };
        if node.output.first().is_some_and(|label| used.contains(label)) {
            continue;
        }
        for attribute in node.attribute.iter_mut().filter(|it| it.name == "classlabels_strings") {
            let places = (0..attribute.strings.len() as i64).collect();
            *attribute = AttributeProto {
                name: numbers.into(),
                r#type: AttributeType::Ints as i32,
                ints: places,
                ..Default::default()
            };
        }
    }
}

/// `Upsample` of operator sets before 9 has its scales as an attribute; later ones as an input.
fn scales(graph: &mut GraphProto) {
    let mut more = Vec::new();
    for node in graph.node.iter_mut().filter(|node| node.op_type == "Upsample") {
        let scales = |attribute: &&AttributeProto| attribute.name == "scales";
        if let (1, Some(scales)) = (node.input.len(), node.attribute.iter().find(scales)) {
            let name = format!("{}#scales", node.output.first().map_or("", String::as_str));
            more.push(TensorProto {
                name: name.clone(),
                dims: vec![scales.floats.len() as i64],
                data_type: DataType::Float as i32,
                float_data: scales.floats.clone(),
                ..Default::default()
            });
            node.input.push(name);
        }
    }
    graph.initializer.extend(more);
}

/// Gives every node a name that is its own. ONNX asks for none: nodes may have the same name, that
/// of a value, or none. tract finds both by one name.
fn name(graph: &mut GraphProto) {
    let mut taken = HashSet::new();
    collect(graph, &mut taken);
    rename(graph, &mut taken);
}

/// All names of values, of bodies too.
fn collect(graph: &GraphProto, taken: &mut HashSet<String>) {
    taken.extend(values(graph).map(str::to_owned));
    graph.node.iter().flat_map(bodies).for_each(|body| collect(body, taken));
}

fn rename(graph: &mut GraphProto, taken: &mut HashSet<String>) {
    for node in &mut graph.node {
        let own = node.output.contains(&node.name);
        if node.name.is_empty() || !own && !taken.insert(node.name.clone()) {
            let output = node.output.iter().find(|output| !output.is_empty());
            node.name = output.cloned().unwrap_or_else(|| node.op_type.clone());
        }
        for attribute in &mut node.attribute {
            if let Some(body) = &mut attribute.g {
                rename(body, taken);
            }
        }
    }
}
