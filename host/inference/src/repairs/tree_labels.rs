//! The label that a `TreeEnsembleClassifier` of two classes gives before its probabilities.
//!
//! tract 0.23 takes the larger of the two sums of the trees, of which one is empty where a converter
//! writes the trees of one class only; the probabilities are right. The label is left out where
//! nothing asks for it, and refused where something does.

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
    built(ctx, node, OP)
}
