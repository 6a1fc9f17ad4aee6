//! `Switch` and `Merge`, with which TensorFlow 1 writes a condition, where the condition is a
//! constant: as of `is_training` in a graph that was frozen.

use std::collections::{HashMap, HashSet};

use tract_tensorflow::tfpb::tensorflow::NodeDef;

use super::places::place;
use super::stored;

/// Takes one way through each condition that is a constant. Others stay, and are refused.
pub(super) fn decide(nodes: &mut [NodeDef]) {
    let places: HashMap<String, usize> =
        nodes.iter().enumerate().map(|(place, node)| (node.name.clone(), place)).collect();
    let mut ways = HashMap::new();
    for (at, node) in nodes.iter().enumerate().filter(|(_, node)| node.op == "Switch") {
        let condition = node.input.get(1).and_then(|it| constant(nodes, &places, it, 16));
        ways.extend(condition.map(|condition| (at, condition)));
    }
    if ways.is_empty() {
        return;
    }
    let dead = dead(nodes, &places, &ways);
    let is_dead = |input: &str| source(&places, input).is_some_and(|it| dead.contains(&it));
    // Which way was taken is an output of `Merge` too: where it is used, the node stays.
    let asked: HashSet<usize> = nodes
        .iter()
        .flat_map(|node| &node.input)
        .filter_map(|input| source(&places, input))
        .filter(|(_, slot)| *slot == 1)
        .map(|(at, _)| at)
        .collect();
    let mut joined = Vec::new();
    for (at, node) in nodes.iter().enumerate().filter(|(_, node)| node.op == "Merge") {
        let live: Vec<&String> = node.input.iter().filter(|it| !is_dead(it)).collect();
        if let ([only], false) = (&live[..], asked.contains(&at)) {
            joined.push((at, (*only).clone()));
        }
    }
    for (at, only) in joined {
        pass_on(&mut nodes[at], only);
    }
    // Both outputs of a `Switch` are what it takes; that of the other way is not used any more.
    for at in ways.keys() {
        if let Some(first) = nodes[*at].input.first().cloned() {
            pass_on(&mut nodes[*at], first);
        }
    }
    for input in nodes.iter_mut().flat_map(|node| &mut node.input) {
        if let Some((at, 1)) = source(&places, input)
            && ways.contains_key(&at)
        {
            *input = place(input).0.to_owned();
        }
    }
}

/// Makes a node give what it takes.
fn pass_on(node: &mut NodeDef, input: String) {
    node.op = "Identity".into();
    node.input = vec![input];
    node.attr.retain(|name, _| name == "T");
}

/// The node and the output that an input is of.
fn source(places: &HashMap<String, usize>, input: &str) -> Option<(usize, usize)> {
    let (name, slot) = place(input);
    places.get(name).map(|at| (*at, slot))
}

/// Outputs that give nothing: those of the ways that are not taken, and of all behind them.
fn dead(
    nodes: &[NodeDef],
    places: &HashMap<String, usize>,
    ways: &HashMap<usize, bool>,
) -> HashSet<(usize, usize)> {
    let mut users: HashMap<(usize, usize), Vec<usize>> = HashMap::new();
    let mut outputs: HashMap<usize, HashSet<usize>> = HashMap::new();
    for (at, node) in nodes.iter().enumerate() {
        for from in node.input.iter().filter_map(|input| source(places, input)) {
            users.entry(from).or_default().push(at);
            outputs.entry(from.0).or_default().insert(from.1);
        }
    }
    let mut left: Vec<(usize, usize)> =
        ways.iter().map(|(at, condition)| (*at, usize::from(!condition))).collect();
    let mut dead: HashSet<(usize, usize)> = left.iter().copied().collect();
    while let Some(from) = left.pop() {
        for at in users.get(&from).into_iter().flatten() {
            let node = &nodes[*at];
            let mut inputs = node.input.iter().filter_map(|input| source(places, input));
            if node.op == "Merge" && !inputs.all(|it| dead.contains(&it)) {
                continue;
            }
            let all = outputs.get(at).into_iter().flatten().map(|slot| (*at, *slot));
            left.extend(all.filter(|it| dead.insert(*it)));
        }
    }
    dead
}

/// A boolean constant, by way of operations that pass it on.
fn constant(
    nodes: &[NodeDef],
    places: &HashMap<String, usize>,
    input: &str,
    depth: usize,
) -> Option<bool> {
    let node = &nodes[*places.get(place(input).0)?];
    let first = || node.input.first().filter(|_| depth > 0);
    match node.op.as_str() {
        "Const" => stored::value(node).ok()?.cast_to_scalar::<bool>().ok(),
        "Identity" => constant(nodes, places, first()?, depth - 1),
        "LogicalNot" => constant(nodes, places, first()?, depth - 1).map(|it| !it),
        // What decides is often handed through a condition of its own.
        "Switch" if node.input.first() == node.input.get(1) => {
            constant(nodes, places, first()?, depth - 1)
        }
        _ => None,
    }
}
