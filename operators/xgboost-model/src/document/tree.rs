//! One tree, as the file has it.

use crate::document::input::{Input, Most};
use crate::error::Error;
use crate::limits::Limits;
use crate::tokens::Number;

/// The nodes of a tree, one list per property.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The left child of each node; -1 where it is a leaf.
    pub(crate) left: Vec<i32>,
    pub(crate) right: Vec<i32>,
    /// The feature that each node tests.
    pub(crate) features: Vec<u32>,
    /// The threshold of each node; of a leaf, its value.
    pub(crate) conditions: Vec<f32>,
    /// Whether missing values go left.
    pub(crate) default_left: Vec<bool>,
    /// Of each node whether it tests categories; empty where none does.
    pub(crate) categorical: Vec<bool>,
    /// The nodes that test categories, ascending.
    pub(crate) category_nodes: Vec<i32>,
    /// Of each of them where its categories begin, and how many there are.
    pub(crate) category_begins: Vec<usize>,
    pub(crate) category_counts: Vec<usize>,
    /// The categories that go right, of all nodes one after the other.
    pub(crate) categories: Vec<u32>,
    /// How many values a leaf has.
    pub(crate) leaf_size: u32,
}

/// Reads the tree that stands at `place` among `trees`; all trees before have `nodes` nodes.
pub(crate) fn read(
    input: &mut Input<'_>,
    place: u64,
    nodes: u64,
    limits: &Limits,
) -> Result<Tree, Error> {
    let most = Most(limits.nodes.saturating_sub(nodes), "nodes");
    let mut id = None;
    let (mut left, mut right, mut features) = (None, None, None);
    let (mut conditions, mut default_left, mut types) = (None, None, None);
    let (mut category_nodes, mut begins, mut counts) = (None, None, None);
    let (mut categories, mut leaf_size) = (None, None);
    input.object(|input, key| match key {
        "id" => {
            let value = input.number("an integer", Number::integer)?;
            input.set(&mut id, value)
        }
        "left_children" => integers(input, most, &mut left),
        "right_children" => integers(input, most, &mut right),
        "split_indices" => integers(input, most, &mut features),
        "split_conditions" => {
            let values = input.numbers(most, "a number", Number::single)?;
            input.set(&mut conditions, values)
        }
        "default_left" => {
            let values = input.numbers(most, "true or false", flag)?;
            input.set(&mut default_left, values)
        }
        "split_type" => {
            let values = input.numbers(most, "0 or 1", flag)?;
            input.set(&mut types, values)
        }
        "categories_nodes" => integers(input, most, &mut category_nodes),
        "categories_segments" => integers(input, most, &mut begins),
        "categories_sizes" => integers(input, most, &mut counts),
        "categories" => {
            // A set takes a bit per category at least.
            let most = Most(limits.set_bytes.saturating_mul(8), "set_bytes");
            integers(input, most, &mut categories)
        }
        "tree_param" => input.object(|input, key| match key {
            "size_leaf_vector" => {
                let size = input.parameter("a number")?;
                input.set(&mut leaf_size, size)
            }
            _ => input.skip(),
        }),
        _ => input.skip(),
    })?;
    if id.is_some_and(|id| u64::try_from(id) != Ok(place)) {
        return Err(input.fault("the tree's id is not its place in the list"));
    }
    let lacks = |key| input.fault(format!("{key} is missing"));
    let tree = Tree {
        left: left.ok_or_else(|| lacks("left_children"))?,
        right: right.ok_or_else(|| lacks("right_children"))?,
        features: features.ok_or_else(|| lacks("split_indices"))?,
        conditions: conditions.ok_or_else(|| lacks("split_conditions"))?,
        default_left: default_left.ok_or_else(|| lacks("default_left"))?,
        // Releases before 1.3 have none.
        categorical: types.unwrap_or_default(),
        category_nodes: category_nodes.unwrap_or_default(),
        category_begins: begins.unwrap_or_default(),
        category_counts: counts.unwrap_or_default(),
        categories: categories.unwrap_or_default(),
        leaf_size: leaf_size.unwrap_or(0),
    };
    check(input, &tree)?;
    Ok(tree)
}

/// Whether all lists have an item per node, or per node that tests categories.
fn check(input: &Input<'_>, tree: &Tree) -> Result<(), Error> {
    let nodes = tree.left.len();
    let is_short = |count: usize| count != nodes;
    if nodes == 0
        || is_short(tree.right.len())
        || is_short(tree.features.len())
        || is_short(tree.conditions.len())
        || is_short(tree.default_left.len())
        || !tree.categorical.is_empty() && is_short(tree.categorical.len())
    {
        return Err(input.fault("the lists of its nodes are empty or of different lengths"));
    }
    let sets = tree.category_nodes.len();
    if tree.category_begins.len() != sets || tree.category_counts.len() != sets {
        return Err(input.fault("the lists of its categories are of different lengths"));
    }
    Ok(())
}

/// Reads a list of integers.
fn integers<T: TryFrom<i64>>(
    input: &mut Input<'_>,
    most: Most,
    slot: &mut Option<Vec<T>>,
) -> Result<(), Error> {
    let integer = |number: Number<'_>| number.integer().and_then(|it| T::try_from(it).ok());
    let values = input.numbers(most, "an integer in range", integer)?;
    input.set(slot, values)
}

fn flag(number: Number<'_>) -> Option<bool> {
    match number.integer() {
        Some(0) => Some(false),
        Some(1) => Some(true),
        _ => None,
    }
}
