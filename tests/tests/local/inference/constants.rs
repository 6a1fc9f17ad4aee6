//! Graphs of a few bytes whose constants are gigabytes by their shapes.
#![allow(clippy::print_stdout, reason = "a child tells its test what it measured")]

use sandbar::inference::ErrorCode;
use sandbar_tests::graphs::{
    AttributeProto, NodeProto, TensorProto, integers, made, node, numbers, subgraph,
};

use super::*;

/// Says that the process is the child that loads the graphs.
const LOAD: &str = "SANDBAR_TEST_LOAD_CONSTANTS";
/// What the child writes in front of its answer.
const ANSWER: &str = "taken: ";

fn with(mut node: NodeProto, attribute: AttributeProto) -> NodeProto {
    node.attribute.push(attribute);
    node
}

/// Nodes that make `c`, of what is stored.
type Bomb = (&'static str, Vec<NodeProto>, Vec<TensorProto>);

fn bombs() -> Vec<Bomb> {
    let zeros = |name: &str, shape: &str| node("ConstantOfShape", &[shape], name);
    let list = |name: &str, values: &[i64]| integers(name, &[values.len() as i64], values);
    let one = |name: &str| numbers(name, &[], &[1.0]);
    let side = 30_000;
    let column_and_row = || {
        let shapes = vec![list("tall", &[side, 1]), list("wide", &[1, side])];
        (vec![zeros("a", "tall"), zeros("b", "wide")], shapes)
    };
    let of_both = |op: &str| {
        let (mut nodes, shapes) = column_and_row();
        nodes.push(node(op, &["a", "b"], "c"));
        (nodes, shapes)
    };
    let mut doubled = vec![zeros("d0", "shape")];
    for step in 0..10 {
        let (from, to) = (format!("d{step}"), format!("d{}", step + 1));
        let to = if step == 9 { "c" } else { &to };
        doubled.push(with(node("Concat", &[&from, &from], to), graphs::integer("axis", 0)));
    }
    // Each is small.
    let mut many = vec![zeros("m0", "shape")];
    for step in 0..40 {
        let to = if step == 39 { "c".to_owned() } else { format!("m{}", step + 1) };
        many.push(node("Neg", &[&format!("m{step}")], &to));
    }
    let million = || vec![list("shape", &[1_000_000])];
    let (product, product_of) = of_both("MatMul");
    let (sum, sum_of) = of_both("Add");
    let branch = |name: &str| subgraph(name, vec![zeros("inner", "shape")], "inner");
    vec![
        ("ConstantOfShape", vec![zeros("c", "shape")], vec![list("shape", &[50_000, 50_000])]),
        ("half a GiB", vec![zeros("c", "shape")], vec![list("shape", &[1 << 27])]),
        (
            "Expand",
            vec![node("Expand", &["a", "shape"], "c")],
            vec![one("a"), list("shape", &[side, side])],
        ),
        (
            "Tile",
            vec![node("Tile", &["a", "times"], "c")],
            vec![numbers("a", &[2], &[1.0; 2]), list("times", &[1 << 29])],
        ),
        (
            "Range",
            vec![node("Range", &["from", "to", "step"], "r"), {
                with(node("Cast", &["r"], "c"), graphs::integer("to", 1))
            }],
            vec![
                integers("from", &[], &[0]),
                integers("to", &[], &[1 << 30]),
                integers("step", &[], &[1]),
            ],
        ),
        (
            "Pad",
            vec![node("Pad", &["a", "pads"], "c")],
            vec![numbers("a", &[1], &[1.0]), list("pads", &[0, 1 << 30])],
        ),
        (
            "OneHot",
            vec![node("OneHot", &["index", "depth", "values"], "c")],
            vec![
                list("index", &[0; 100]),
                integers("depth", &[], &[10_000_000]),
                numbers("values", &[2], &[0.0, 1.0]),
            ],
        ),
        (
            "Gather",
            vec![zeros("a", "shape"), node("Gather", &["a", "rows"], "c")],
            vec![list("shape", &[1, 1_000_000]), list("rows", &[0; 1000])],
        ),
        (
            "Resize",
            vec![zeros("a", "shape"), node("Resize", &["a", "", "scales"], "c")],
            vec![
                list("shape", &[1, 1, 32, 32]),
                numbers("scales", &[4], &[1.0, 1.0, 1000.0, 1000.0]),
            ],
        ),
        (
            "EyeLike",
            vec![node("Expand", &["x", "shape"], "a"), node("EyeLike", &["a"], "c")],
            vec![list("shape", &[side, side])],
        ),
        (
            "If",
            vec![with(
                with(node("If", &["yes"], "c"), branch("then_branch")),
                branch("else_branch"),
            )],
            vec![
                TensorProto {
                    data_type: 9,
                    int32_data: vec![1],
                    name: "yes".into(),
                    ..TensorProto::default()
                },
                list("shape", &[side, side]),
            ],
        ),
        ("MatMul", product, product_of),
        ("Add", sum, sum_of),
        ("Concat", doubled, million()),
        ("many small ones", many, million()),
    ]
}

/// Bytes that this process had at the most.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// In a process of its own, which can say what it took at the most.
#[test]
fn in_a_child() {
    if std::env::var(LOAD).is_err() {
        return;
    }
    let before = peak();
    for (name, nodes, stored) in bombs() {
        let source = GraphSource::Bytes(Kind::Onnx, made(nodes, stored).into());
        // Whether the gate knows the operator is not asked.
        let error = Graph::load_unverified(name.into(), source).unwrap_err();
        assert_eq!(error.code, ErrorCode::TooLarge, "{name}: {error}");
        assert!(error.message.contains("node '"), "{error}");
        println!("{name}: {error}");
    }
    println!("\n{ANSWER}{}", peak().saturating_sub(before) >> 20);
}

#[test]
fn constants_are_looked_at_before_they_are_made() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "inference::constants::in_a_child", "--nocapture"])
        .env(LOAD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    let taken = said.lines().find_map(|line| line.strip_prefix(ANSWER));
    let Some(taken) = taken else {
        panic!("{}: {said}{}", child.status, String::from_utf8_lossy(&child.stderr))
    };
    // 64 MiB may be made, and an evaluation has its tensor and a copy.
    assert!(taken.parse::<u64>().unwrap() < 192, "{taken} MiB: {said}");
}

#[test]
fn what_is_made_within_bounds_is_taken() {
    let nodes = vec![node("ConstantOfShape", &["shape"], "c")];
    let bytes = made(nodes, vec![integers("shape", &[1], &[1 << 22])]);
    let source = GraphSource::Bytes(Kind::Onnx, bytes.into());
    Graph::load("sixteen MiB".into(), source).unwrap();
}
