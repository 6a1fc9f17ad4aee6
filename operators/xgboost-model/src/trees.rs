//! A file's trees as a forest.

use decision_trees::{
    Builder, Comparison, Forest, LinkedNode, Missing, Set, Sets, Settings, Test, write_linked,
};

use crate::document::tree::Tree;
use crate::error::Error;
use crate::limits::Limits;

/// The trees that are summed up.
pub(crate) struct Source<'a> {
    pub(crate) trees: &'a [Tree],
    /// By tree the output that it is of.
    pub(crate) groups: &'a [u64],
    /// By tree what its leaves are multiplied with, none where that is nothing.
    pub(crate) weights: &'a [f32],
    pub(crate) features: usize,
    pub(crate) outputs: usize,
}

/// Why a node is not one that can be compiled.
enum Fault {
    /// What the forest says.
    Forest(decision_trees::Error),
    Node(u32, &'static str),
}

impl From<decision_trees::Error> for Fault {
    fn from(error: decision_trees::Error) -> Self {
        Self::Forest(error)
    }
}

/// A leaf's left child.
const NONE: i32 = -1;
/// From which number on XGBoost knows no category.
const CATEGORIES: u32 = 16_777_216;

/// Makes a forest of trees.
pub(crate) fn compile(source: &Source<'_>, limits: &Limits) -> Result<Forest<f32>, Error> {
    let mut builder = Builder::new(Settings {
        columns: source.features,
        groups: source.outputs,
        comparison: Comparison::Single,
        missing_from: vec![],
        node_limit: limits.nodes,
        set_limit: limits.set_bytes,
    });
    for (index, (tree, group)) in source.trees.iter().zip(source.groups).enumerate() {
        let group = usize::try_from(*group).unwrap_or(usize::MAX);
        let weight = source.weights.get(index).copied().unwrap_or(1.0);
        add(&mut builder, group, tree, weight).map_err(|fault| error(index, fault))?;
    }
    Ok(builder.build())
}

fn add(builder: &mut Builder<f32>, group: usize, tree: &Tree, weight: f32) -> Result<(), Fault> {
    if tree.leaf_size > 1 {
        return Err(Fault::Node(0, "leaves of several values (multi_output_tree)"));
    }
    let count = u32::try_from(tree.left.len()).map_err(|_| decision_trees::Error::Numbers)?;
    let mut writer = builder.tree(group)?;
    write_linked(&mut writer, count, 0, |node, sets| read(tree, node, weight, sets))?;
    writer.finish()?;
    Ok(())
}

/// One node. All lists of the tree have as many items.
fn read(tree: &Tree, node: u32, weight: f32, sets: &mut Sets) -> Result<LinkedNode<f32>, Fault> {
    let at = node as usize;
    let condition = tree.conditions[at];
    if tree.left[at] == NONE {
        return Ok(LinkedNode::Leaf(condition * weight));
    }
    let (Ok(left), Ok(right)) = (u32::try_from(tree.left[at]), u32::try_from(tree.right[at]))
    else {
        return Err(Fault::Node(node, "a child is negative"));
    };
    // XGBoost goes to the node behind the left child, whatever the file says.
    if left.checked_add(1) != Some(right) {
        return Err(Fault::Node(node, "the right child is not the node behind the left one"));
    }
    let missing_right = !tree.default_left[at];
    let test = if tree.categorical.get(at) == Some(&true) {
        Test::InSet(sets.add(categories(tree, node, missing_right, &mut vec![])?)?)
    } else if condition.is_nan() {
        return Err(Fault::Node(node, "the threshold is not a number"));
    } else {
        let missing = Missing::Nan { right: missing_right };
        Test::AtLeast { split: condition.into(), missing }
    };
    Ok(LinkedNode::Test { column: tree.features[at], test, left, right })
}

/// The categories that go right at a node; `members` is the memory for them.
fn categories<'a>(
    tree: &Tree,
    node: u32,
    missing_right: bool,
    members: &'a mut Vec<u8>,
) -> Result<Set<'a>, Fault> {
    let fault = |reason| Fault::Node(node, reason);
    let number = i32::try_from(node).map_err(|_| fault("is out of range"))?;
    let place = tree.category_nodes.binary_search(&number);
    let place = place.map_err(|_| fault("tests categories and has none"))?;
    let begin = tree.category_begins[place];
    let end = begin.checked_add(tree.category_counts[place]);
    let listed = end.and_then(|end| tree.categories.get(begin..end));
    let listed = listed.ok_or_else(|| fault("its categories are not in the list"))?;
    let (Some(first), Some(last)) = (listed.iter().min(), listed.iter().max()) else {
        return Err(fault("tests categories and has none"));
    };
    if *last >= CATEGORIES {
        return Err(fault("a category is too large"));
    }
    let count = last - first + 1;
    members.resize(count.div_ceil(8) as usize, 0);
    for category in listed {
        let bit = category - first;
        members[bit as usize / 8] |= 1 << (bit % 8);
    }
    // What a set does not cover, and what is no category, goes left.
    Ok(Set { first: *first, count, members, outside_right: false, missing_right })
}

/// The error of a tree.
fn error(tree: usize, fault: Fault) -> Error {
    use decision_trees::Error::{Column, Group, NodeLimit, NodeMissing, NodeTwice, SetLimit};
    let place = format!("learner.gradient_booster.model.trees[{tree}]");
    let limit = |what: &str, value, limit, name| Error::Limit {
        what: format!("{place}: {what}"),
        value,
        limit,
        name,
    };
    let reason = match fault {
        Fault::Forest(NodeLimit { nodes, limit: most }) => {
            return limit("nodes so far", nodes, most, "nodes");
        }
        Fault::Forest(SetLimit { bytes, limit: most }) => {
            return limit("bytes of category sets so far", bytes, most, "set_bytes");
        }
        Fault::Node(_, what @ "leaves of several values (multi_output_tree)") => {
            return Error::Unsupported {
                what: format!("{place}: {what}"),
                supported: "trees of one output each (one_output_per_tree)".into(),
            };
        }
        Fault::Forest(Column { column, columns }) => {
            format!("a node tests feature {column} of {columns}")
        }
        Fault::Forest(Group { group, groups }) => {
            format!("tree_info says output {group} of {groups}")
        }
        Fault::Forest(NodeMissing { node, count }) => {
            format!("a child is node {node} of {count}")
        }
        Fault::Forest(NodeTwice { node }) => format!("node {node} is reached twice"),
        Fault::Forest(other) => other.to_string(),
        Fault::Node(node, reason) => format!("node {node}: {reason}"),
    };
    Error::Field { place, reason }
}
