//! `TreeEnsembleClassifier` of two classes: the label that it gives before its probabilities, and
//! the sum that its trees start from.
//!
//! tract 0.23 takes the larger of the two sums of the trees, of which one is empty where a converter
//! writes the trees of one class only; the probabilities are right. The label is left out where
//! nothing asks for it, and refused where something does. Of trees that vote for one class, which
//! have one sum, it takes no `base_values`; XGBoost's and scikit-learn's have one, which the leaves of
//! the first tree get.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::{GraphProto, NodeProto};
use tract_onnx::tract_hir::internal::*;

use super::tracts::{Built, built};

const OP: &str = "TreeEnsembleClassifier";

fn of_two(node: &NodeProto) -> bool {
    let classes = |name: &str| {
        let attribute = node.attribute.iter().find(|attribute| attribute.name == name);
        attribute.map_or(0, |it| it.ints.len() + it.strings.len())
    };
    node.op_type == OP && classes("classlabels_int64s") + classes("classlabels_strings") <= 2
}

/// Whether a value is such a label, as it is or in another form.
pub(super) fn is_label(graph: &GraphProto, value: &str) -> bool {
    let mut value = value;
    // As many steps as there are nodes, as a damaged graph may go around in circles.
    for _ in &graph.node {
        let maker = graph.node.iter().find(|node| node.output.iter().any(|it| it == value));
        let Some(node) = maker else { return false };
        match node.op_type.as_str() {
            OP => return of_two(node) && node.output.first().is_some_and(|it| it == value),
            "Cast" | "Identity" | "Reshape" => match node.input.first() {
                Some(input) => value = input,
                None => return false,
            },
            _ => return false,
        }
    }
    false
}

pub(super) fn from_onnx(ctx: &ParsingContext, node: &NodeProto) -> Built {
    let label = node.output.first().filter(|label| !label.is_empty());
    let used = ctx.parent_graphs.iter().any(|graph| {
        let outputs = graph.output.iter().map(|output| &output.name);
        let mut names = graph.node.iter().flat_map(|node| &node.input).chain(outputs);
        names.any(|name| Some(name) == label)
    });
    ensure!(
        !of_two(node) || !used,
        "the label of a {OP} of two classes (node '{}') is not supported: declare its probabilities \
         only, under [[outputs]]",
        node.name
    );
    let mut node = node.clone();
    start(&mut node)?;
    built(ctx, &node, OP)
}

/// Adds the only one of `base_values` to each leaf of the first tree, as every row comes to one of
/// them.
fn start(node: &mut NodeProto) -> TractResult<()> {
    let [base] = *node.get_attr_opt_slice::<f32>("base_values")?.unwrap_or_default() else {
        return Ok(());
    };
    let ints = |name: &str| node.get_attr_opt_slice::<i64>(name).map(Option::unwrap_or_default);
    let (trees, nodes) = (ints("class_treeids")?, ints("class_nodeids")?);
    let (places, modes) = (ints("nodes_treeids")?, node.get_attr_tvec::<&str>("nodes_modes")?);
    let first = trees.first().copied().unwrap_or_default();
    let due = places.iter().zip(&modes).filter(|it| *it.0 == first && *it.1 == "LEAF").count();
    let votes: Vec<usize> = (0..trees.len()).filter(|vote| trees[*vote] == first).collect();
    let mut voters: Vec<i64> = votes.iter().filter_map(|it| nodes.get(*it).copied()).collect();
    voters.sort_unstable();
    voters.dedup();
    let weights = node.get_attr_opt_slice::<f32>("class_weights")?.unwrap_or_default();
    ensure!(
        voters.len() == due && votes.len() == due && weights.len() == trees.len(),
        "{OP} (node '{}'): base_values for leaves that do not vote once each are not supported",
        node.name
    );
    drop(modes);
    for attribute in node.attribute.iter_mut().filter(|it| it.name == "class_weights") {
        for vote in &votes {
            if let Some(weight) = attribute.floats.get_mut(*vote) {
                *weight += base;
            }
        }
    }
    node.attribute.retain(|attribute| attribute.name != "base_values");
    Ok(())
}
