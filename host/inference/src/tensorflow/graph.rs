//! What is done to a file before its operations are looked at: only what the outputs need stays,
//! in an order in which each node stands behind its inputs.

use std::collections::{HashMap, HashSet};

use tract_onnx::tract_hir::internal::*;
use tract_tensorflow::tfpb::tensorflow::NodeDef;

use super::branches;
use super::places::place;
use crate::repairs::Wanted;

/// Operations that give nothing for the caller where they are last.
const NO_RESULTS: [&str; 5] = ["Assert", "Const", "NoOp", "Placeholder", "SaveV2"];

/// A graph, pruned and in order.
pub(crate) struct Graph {
    /// The nodes, each behind those that it needs.
    pub(crate) nodes: Vec<NodeDef>,
    /// The outputs: what they are called, their nodes and places.
    pub(crate) outputs: Vec<(String, String, usize)>,
    /// Whether an empty shape of a `Placeholder` says that it is a scalar.
    pub(super) scalars: bool,
}

impl Graph {
    /// Reads a file, and takes what is wanted of it: the declared outputs, or else the nodes that nothing uses.
    /// Inputs that are declared stay.
    ///
    /// # Errors
    /// If the bytes are no graph, or it lacks what is wanted.
    pub(crate) fn read(mut bytes: &[u8], wanted: &Wanted) -> TractResult<Self> {
        let file = tract_tensorflow::tensorflow().read_frozen_model(&mut bytes)?;
        ensure!(!file.node.is_empty(), "a graph without nodes");
        // Since version 24 of the format a shape without dimensions is a scalar's.
        let scalars = file.versions.as_ref().is_some_and(|versions| versions.producer >= 24);
        let mut nodes = file.node;
        let outputs = outputs(&nodes, wanted)?;
        for node in &mut nodes {
            // An order among nodes: they compute the same without it.
            node.input.retain(|input| !input.starts_with('^'));
            defaults(node, wanted);
        }
        branches::decide(&mut nodes);
        let nodes = ordered(nodes, &outputs, wanted)?;
        Ok(Graph { nodes, outputs, scalars })
    }
}

/// An input with a default is one if it is declared; else its default holds.
fn defaults(node: &mut NodeDef, wanted: &Wanted) {
    if node.op != "PlaceholderWithDefault" {
        return;
    }
    if wanted.inputs.contains(&node.name) {
        node.op = "Placeholder".into();
        node.input.clear();
    } else {
        node.op = "Identity".into();
        if let Some(ty) = node.attr.remove("dtype") {
            node.attr.insert("T".into(), ty);
        }
        node.attr.remove("shape");
    }
}

fn outputs(nodes: &[NodeDef], wanted: &Wanted) -> TractResult<Vec<(String, String, usize)>> {
    if !wanted.outputs.is_empty() {
        let known: HashSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        let found = wanted.outputs.iter().map(|name| {
            let (node, place) = place(name);
            ensure!(known.contains(node), "the graph has no node '{node}'");
            Ok((name.clone(), node.to_owned(), place))
        });
        return found.collect();
    }
    // What another node only has to wait for is no result either, but for groups of results.
    let used = nodes.iter().filter(|node| node.op != "NoOp").flat_map(|node| &node.input);
    let used: HashSet<&str> = used.map(|it| place(it.trim_start_matches('^')).0).collect();
    let last = |node: &&NodeDef| {
        !used.contains(node.name.as_str()) && !NO_RESULTS.contains(&node.op.as_str())
    };
    let found = nodes.iter().filter(last).map(|node| (node.name.clone(), node.name.clone(), 0));
    Ok(found.collect())
}

/// What is needed: the inputs as they stand in the file, then each node behind those that it takes
/// from.
fn ordered(
    nodes: Vec<NodeDef>,
    outputs: &[(String, String, usize)],
    wanted: &Wanted,
) -> TractResult<Vec<NodeDef>> {
    let mut places = HashMap::new();
    for (place, node) in nodes.iter().enumerate() {
        let name = node.name.as_str();
        ensure!(places.insert(name, place).is_none(), "two nodes are called '{name}'");
    }
    let roots: Vec<usize> =
        outputs.iter().filter_map(|(_, node, _)| places.get(node.as_str()).copied()).collect();
    let needed = reached(&nodes, &places, &roots)?;
    let declared = |node: &NodeDef| wanted.inputs.contains(&node.name);
    let is_input = |place: &usize| {
        let node = &nodes[*place];
        node.op == "Placeholder" && (needed.contains(place) || declared(node))
    };
    let inputs: Vec<usize> = (0..nodes.len()).filter(is_input).collect();
    let mut state = vec![State::New; nodes.len()];
    let mut order = Vec::new();
    for root in inputs.into_iter().chain(roots) {
        let mut path = vec![(root, 0)];
        while let Some((at, next)) = path.last_mut() {
            let (node, at) = (&nodes[*at], *at);
            if state[at] == State::Done {
                path.pop();
                continue;
            }
            state[at] = State::Begun;
            let Some(input) = inputs_of(node).get(*next) else {
                state[at] = State::Done;
                order.push(at);
                continue;
            };
            *next += 1;
            let input = find(&places, node, input)?;
            ensure!(state[input] != State::Begun, "node '{}' takes from itself", node.name);
            path.push((input, 0));
        }
    }
    let mut nodes: Vec<Option<NodeDef>> = nodes.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|place| nodes[place].take()).collect())
}

/// How far a node is, on the way to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Begun,
    Done,
}

/// All nodes that some need.
fn reached(
    nodes: &[NodeDef],
    places: &HashMap<&str, usize>,
    roots: &[usize],
) -> TractResult<HashSet<usize>> {
    let (mut seen, mut left) = (HashSet::new(), roots.to_vec());
    while let Some(at) = left.pop() {
        if seen.insert(at) {
            for input in inputs_of(&nodes[at]) {
                left.push(find(places, &nodes[at], input)?);
            }
        }
    }
    Ok(seen)
}

/// What a node takes. Where a loop begins again it takes from behind; loops are refused.
fn inputs_of(node: &NodeDef) -> &[String] {
    if node.op == "NextIteration" { &[] } else { &node.input }
}

fn find(places: &HashMap<&str, usize>, node: &NodeDef, input: &str) -> TractResult<usize> {
    let found = places.get(place(input).0).copied();
    found.with_context(|| format!("node '{}' takes '{input}', which is not there", node.name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use tract_tensorflow::tfpb;

    use super::*;

    fn node(name: &str, op: &str, inputs: &[&str]) -> NodeDef {
        let node = tfpb::node().name(name).op(op);
        inputs.iter().fold(node, |node, input| node.input(input))
    }

    fn read(nodes: Vec<NodeDef>, inputs: &[&str], outputs: &[&str]) -> TractResult<Vec<String>> {
        let bytes = nodes.into_iter().fold(tfpb::graph(), |graph, it| graph.node(it));
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let wanted = Wanted { inputs: names(inputs), outputs: names(outputs) };
        let graph = Graph::read(&bytes.write_to_bytes()?, &wanted)?;
        let shown = |it: &NodeDef| format!("{} {} {}", it.op, it.name, it.input.join(" "));
        Ok(graph.nodes.iter().map(|node| shown(node).trim_end().to_owned()).collect())
    }

    fn some() -> Vec<NodeDef> {
        vec![
            node("out", "Mul", &["sum", "x:0", "^later"]),
            node("sum", "Add", &["x", "rate"]),
            node("later", "NoOp", &["^sum"]),
            node("saved", "SaveV2", &["sum"]),
            node("rate", "PlaceholderWithDefault", &["one"]),
            node("one", "Const", &[]),
            node("x", "Placeholder", &[]),
            node("other", "Neg", &["unused"]),
            node("unused", "Placeholder", &[]),
        ]
    }

    #[test]
    fn what_is_wanted_stands_behind_what_it_needs() {
        let wanted = read(some(), &["x"], &["out"]).unwrap();
        let expected = [
            "Placeholder x",
            "Const one",
            "Identity rate one",
            "Add sum x rate",
            "Mul out sum x:0",
        ];
        assert_eq!(wanted, expected);
        // Declared inputs stay, and a default gives way to one.
        let wanted = read(some(), &["unused", "rate"], &["sum:0"]).unwrap();
        let expected =
            ["Placeholder rate", "Placeholder x", "Placeholder unused", "Add sum x rate"];
        assert_eq!(wanted, expected);
        // What nothing takes from.
        let all = read(some(), &[], &[]).unwrap();
        assert!(all.contains(&"Neg other unused".to_owned()) && all.len() == 7, "{all:?}");
    }

    #[test]
    fn graphs_that_are_none_say_why() {
        let error = |nodes, outputs: &[&str]| read(nodes, &[], outputs).unwrap_err().to_string();
        assert_eq!(error(some(), &["absent"]), "the graph has no node 'absent'");
        let round = || vec![node("a", "Neg", &["b"]), node("b", "Neg", &["a"])];
        assert_eq!(error(round(), &["a"]), "node 'b' takes from itself");
        assert_eq!(
            error(vec![node("a", "Neg", &["b"])], &[]),
            "node 'a' takes 'b', which is not there"
        );
        assert_eq!(error(vec![node("a", "Neg", &[]); 2], &[]), "two nodes are called 'a'");
        assert_eq!(error(vec![], &[]), "a graph without nodes");
    }
}
