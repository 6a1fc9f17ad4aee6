//! Graphs of a few bytes that take gigabytes, or for ever.

use std::fs;
use std::path::PathBuf;

use sandbar::model::Sha256;
use sandbar_tests::graphs::{Ty, integer, model, node, value};
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, attribute_proto};

use super::Live;

/// A graph from `x` to `y`, of four numbers each.
fn graph(nodes: Vec<NodeProto>, constants: Vec<TensorProto>) -> Vec<u8> {
    model(GraphProto {
        name: "hostile".into(),
        node: nodes,
        initializer: constants,
        input: vec![value("x", Ty::F32, &[1, 4])],
        output: vec![value("y", Ty::F32, &[1, 4])],
        ..Default::default()
    })
}

/// Whole numbers.
fn numbers(name: &str, dims: &[i64], numbers: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        data_type: 7,
        dims: dims.to_vec(),
        int64_data: numbers.to_vec(),
        ..Default::default()
    }
}

fn shape(numbers_of: &[i64]) -> TensorProto {
    numbers("shape", &[numbers_of.len() as i64], numbers_of)
}

fn float(name: &str) -> TensorProto {
    TensorProto { name: name.into(), data_type: 1, float_data: vec![0.0], ..Default::default() }
}

/// What is large goes into `x` by its sum.
fn summed(mut nodes: Vec<NodeProto>, constants: Vec<TensorProto>) -> Vec<u8> {
    let mut sum = node("ReduceSum", &["large"], "sum");
    sum.attribute.push(integer("keepdims", 0));
    nodes.extend([sum, node("Add", &["x", "sum"], "y")]);
    graph(nodes, constants)
}

/// So many operations, one after the other.
fn chain(count: usize, operation: impl Fn(&str, &str) -> NodeProto) -> Vec<u8> {
    let name = |step: usize| match step {
        0 => "x".to_owned(),
        step if step == count => "y".to_owned(),
        step => format!("s{step}"),
    };
    let nodes = (0..count).map(|step| operation(&name(step), &name(step + 1)));
    graph(nodes.collect(), vec![float("one")])
}

/// Loops in loops: each has its steps for each step of the one around it.
fn loops(levels: usize, steps: i64) -> Vec<u8> {
    let mut body = vec![node("Add", &["x", "one"], "inner")];
    let outer = |level: usize, body: Vec<NodeProto>, last: &str, output: &str| {
        let nodes = [vec![node("Identity", &[&format!("c{level}")], "on")], body].concat();
        let graph = GraphProto {
            name: format!("level{level}"),
            node: nodes,
            input: vec![
                value(&format!("i{level}"), Ty::I64, &[]),
                value(&format!("c{level}"), Ty::Bool, &[]),
                value(&format!("v{level}"), Ty::F32, &[1, 4]),
            ],
            output: vec![value("on", Ty::Bool, &[]), value(last, Ty::F32, &[1, 4])],
            ..Default::default()
        };
        let mut node = node("Loop", &["steps", "", "x"], output);
        node.attribute.push(AttributeProto {
            name: "body".into(),
            r#type: attribute_proto::AttributeType::Graph as i32,
            g: Some(graph),
            ..Default::default()
        });
        node
    };
    let mut last = "inner".to_owned();
    for level in 0..levels {
        let output = if level + 1 == levels { "y".to_owned() } else { format!("out{level}") };
        body = vec![outer(level, body, &last, &output)];
        last = output;
    }
    graph(body, vec![float("one"), numbers("steps", &[], &[steps])])
}

/// Conditions in conditions, more than a reader that calls itself would survive.
fn conditions(levels: usize) -> Vec<u8> {
    let branch = |name: &str, nodes: Vec<NodeProto>, output: &str| AttributeProto {
        name: name.into(),
        r#type: attribute_proto::AttributeType::Graph as i32,
        g: Some(GraphProto {
            name: name.into(),
            node: nodes,
            output: vec![value(output, Ty::F32, &[1, 4])],
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut inner = node("Add", &["x", "one"], "a");
    for level in 0..levels {
        let output = if level + 1 == levels { "y".to_owned() } else { format!("if{level}") };
        let mut condition = node("If", &["yes"], &output);
        let (then, below) = (format!("then{level}"), inner.output[0].clone());
        let then_nodes = vec![inner, node("Identity", &[&below], &then)];
        let other = format!("else{level}");
        condition.attribute.push(branch("then_branch", then_nodes, &then));
        condition.attribute.push(branch("else_branch", vec![node("Neg", &["x"], &other)], &other));
        inner = condition;
    }
    let yes =
        TensorProto { name: "yes".into(), data_type: 9, int32_data: vec![1], ..Default::default() };
    graph(vec![inner], vec![float("one"), yes])
}

impl Live {
    /// A model folder with this graph.
    pub(super) fn graph(&self, name: &str, onnx: &[u8]) -> PathBuf {
        let folder = self.place().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("model.onnx"), onnx).unwrap();
        let text = format!(
            "name = \"{name}\"\nversion = 1\nkind = \"onnx\"\nfile = \"model.onnx\"\n\
             sha256 = \"{}\"\nlicence = \"none\"\ndescription = \"hostile\"\n\
             [[inputs]]\nname = \"x\"\ntype = \"fp32\"\nshape = [\"N\", 4]\n\
             [[outputs]]\nname = \"y\"\ntype = \"fp32\"\nshape = [\"N\", 4]\n",
            Sha256::of(onnx),
        );
        fs::write(folder.join("model.toml"), text).unwrap();
        folder
    }
}

#[test]
fn graphs_that_harm_are_refused() {
    let live = Live::start();
    let refused = |name: &str, onnx: Vec<u8>, due: &str| {
        live.refuses_model(&live.graph(name, &onnx), due);
    };
    let slow =
        "model 'flights' cannot be prepared within 5s: make it smaller, or raise load-deadline";
    // The place is said, and then what is too large there.
    let large = "flights.toml: model 'flights': ";
    let of_shape = |numbers: &[i64]| {
        summed(vec![node("ConstantOfShape", &["shape"], "large")], vec![shape(numbers)])
    };
    refused("ten-gigabytes", of_shape(&[2_500_000_000]), large);
    refused("half-a-gigabyte", of_shape(&[134_217_728]), large);
    refused("more-than-there-are", of_shape(&[1 << 40, 1 << 40]), large);
    refused(
        "expand",
        summed(
            vec![node("Expand", &["one", "shape"], "large")],
            vec![float("one"), shape(&[50_000, 50_000])],
        ),
        large,
    );
    refused(
        "tile",
        summed(vec![node("Tile", &["x", "shape"], "large")], vec![shape(&[50_000, 12_500])]),
        large,
    );
    refused(
        "range",
        summed(
            vec![node("Range", &["from", "to", "by"], "all"), {
                let mut cast = node("Cast", &["all"], "large");
                cast.attribute.push(integer("to", 1));
                cast
            }],
            vec![
                numbers("from", &[], &[0]),
                numbers("to", &[], &[1 << 31]),
                numbers("by", &[], &[1]),
            ],
        ),
        large,
    );
    refused("additions", chain(60_000, |from, to| node("Add", &[from, "one"], to)), slow);
    refused("roots", chain(60_000, |from, to| node("Sqrt", &[from], to)), slow);
    refused(
        "doubling",
        chain(40, |from, to| {
            let mut concat = node("Concat", &[from, from], to);
            concat.attribute.push(integer("axis", 0));
            concat
        }),
        large,
    );
    refused("loops", loops(1, i64::MAX), "operation Loop (node 'y') is not supported");
    refused("loops-in-loops", loops(12, 100), "operation Loop (node 'y') is not supported");
    refused("conditions", conditions(60), "not a readable graph of kind onnx");
    live.end();
}
