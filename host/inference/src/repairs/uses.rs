//! The names that nodes of a file use.

use tract_onnx::pb::{GraphProto, NodeProto};

/// The graphs within a node: bodies of loops and branches.
pub(super) fn bodies(node: &NodeProto) -> impl Iterator<Item = &GraphProto> {
    node.attribute.iter().filter_map(|attribute| attribute.g.as_ref())
}

/// Every name that a node uses; those of its bodies include what they make themselves.
pub(super) fn uses<'a>(node: &'a NodeProto, names: &mut Vec<&'a str>) {
    names.extend(node.input.iter().map(String::as_str));
    for body in bodies(node) {
        names.extend(body.output.iter().map(|output| output.name.as_str()));
        body.node.iter().for_each(|node| uses(node, names));
    }
}
