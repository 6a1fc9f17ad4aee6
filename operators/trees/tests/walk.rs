//! Random forests of every kind against a walk that does what a maker's own scorer does.

use decision_trees::{
    Builder, Comparison, Error, Forest, LinkedNode, Missing, Set, Settings, Test, write_linked,
};

/// A generator of numbers that are the same in every run.
struct Draws(u64);

impl Draws {
    fn next(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        ((self.0 >> 33) % u64::from(below)) as u32
    }

    fn flag(&mut self) -> bool {
        self.next(2) == 1
    }
}

/// A node as a maker has it.
#[derive(Debug, Clone)]
enum Node {
    Leaf(f64),
    Number { column: u32, split: f64, above: bool, missing: Missing, left: u32, right: u32 },
    Category { column: u32, set: Vec<u32>, missing_right: bool, left: u32, right: u32 },
}

const COLUMNS: u32 = 4;
/// The column of categories.
const CATEGORIES: u32 = 3;
const SPLITS: [f64; 9] = [-1e30, -2.5, -0.1, 0.0, 0.1, 1.0 / 3.0, 1.0, 2.5, 1e30];

fn tree(draws: &mut Draws, comparison: Comparison, depth: u32) -> Vec<Node> {
    let mut nodes = vec![];
    grow(draws, comparison, depth, &mut nodes);
    nodes
}

fn grow(draws: &mut Draws, comparison: Comparison, depth: u32, nodes: &mut Vec<Node>) -> u32 {
    let number = nodes.len() as u32;
    nodes.push(Node::Leaf(f64::from(draws.next(1000)) / 7.0));
    if depth == 0 || draws.next(6) == 0 {
        return number;
    }
    let left = grow(draws, comparison, depth - 1, nodes);
    let right = grow(draws, comparison, depth - 1, nodes);
    let column = draws.next(COLUMNS);
    nodes[number as usize] = if column == CATEGORIES {
        let set = (0..40).filter(|_| draws.flag()).collect();
        Node::Category { column, set, missing_right: draws.flag(), left, right }
    } else {
        let split = SPLITS[draws.next(9) as usize];
        // A maker's missing values are of one kind in a column.
        let missing = match column {
            0 => Missing::Nan { right: draws.flag() },
            1 => Missing::NanOrZero { right: draws.flag() },
            _ => Missing::NanIsZero,
        };
        let single = comparison != Comparison::Double;
        let split = if single { f64::from(split as f32) } else { split };
        let above = comparison != Comparison::DoubleWithSingle && draws.flag();
        Node::Number { column, split, above, missing, left, right }
    };
    number
}

/// The leaf that a row comes to, and its place.
fn walk(nodes: &[Node], comparison: Comparison, row: &[f64]) -> (u32, f64) {
    let mut at = 0_u32;
    loop {
        let (go_right, left, right) = match &nodes[at as usize] {
            Node::Leaf(value) => return (at, *value),
            Node::Number { column, split, above, missing, left, right } => {
                let value = row[*column as usize];
                let missing = match missing {
                    Missing::Nan { right } if value.is_nan() => Some(*right),
                    Missing::NanOrZero { right }
                        if value.is_nan() || value.abs() <= f64::from(1e-35_f32) =>
                    {
                        Some(*right)
                    }
                    _ => None,
                };
                let value = if value.is_nan() { 0.0 } else { value };
                let value = match comparison {
                    Comparison::Single => f64::from(value as f32),
                    _ => value,
                };
                let number = if *above { value > *split } else { value >= *split };
                (missing.unwrap_or(number), *left, *right)
            }
            Node::Category { column, set, missing_right, left, right } => {
                let value = row[*column as usize];
                let (number, negative) = match comparison {
                    Comparison::Single => (value as f32 as u32, (value as f32) < 0.0),
                    _ => (value as u32, value <= -1.0),
                };
                let is_in = !negative && set.contains(&number);
                (if value.is_nan() { *missing_right } else { is_in }, *left, *right)
            }
        };
        at = if go_right { right } else { left };
    }
}

/// The forest, and by tree which node of the maker's each written one is.
fn forest(
    trees: &[Vec<Node>],
    comparison: Comparison,
) -> Result<(Forest<f64>, Vec<Vec<u32>>), Error> {
    let mut builder = Builder::new(Settings {
        columns: COLUMNS as usize,
        groups: 2,
        comparison,
        missing_from: vec![],
        node_limit: 1_000_000,
        set_limit: 1 << 20,
    });
    let mut orders = vec![];
    for (index, nodes) in trees.iter().enumerate() {
        let mut order = vec![];
        let mut tree = builder.tree(index % 2)?;
        write_linked(&mut tree, nodes.len() as u32, 0, |number, sets| {
            order.push(number);
            Ok::<_, Error>(match &nodes[number as usize] {
                Node::Leaf(value) => LinkedNode::Leaf(*value),
                Node::Number { column, split, above, missing, left, right } => {
                    let (split, missing) = (*split, *missing);
                    let test = if *above {
                        Test::Above { split, missing }
                    } else {
                        Test::AtLeast { split, missing }
                    };
                    LinkedNode::Test { column: *column, test, left: *left, right: *right }
                }
                Node::Category { column, set, missing_right, left, right } => {
                    let mut members = [0; 5];
                    for category in set {
                        members[*category as usize / 8] |= 1 << (category % 8);
                    }
                    let set = sets.add(Set {
                        first: 0,
                        count: 40,
                        members: &members,
                        outside_right: false,
                        missing_right: *missing_right,
                    })?;
                    let test = Test::InSet(set);
                    LinkedNode::Test { column: *column, test, left: *left, right: *right }
                }
            })
        })?;
        tree.finish()?;
        orders.push(order);
    }
    Ok((builder.build(), orders))
}

#[test]
fn every_kind_of_forest_finds_the_leaves_of_a_plain_walk() -> Result<(), Error> {
    let mut draws = Draws(7);
    let mut with_masks = 0;
    for comparison in [Comparison::DoubleWithSingle, Comparison::Single, Comparison::Double] {
        for round in 0..40 {
            let depth = 1 + round % 8;
            let trees: Vec<_> =
                (0..1 + round).map(|_| tree(&mut draws, comparison, depth)).collect();
            let (forest, orders) = forest(&trees, comparison)?;
            with_masks += u32::from(forest.has_masks());
            let rows: Vec<f64> = (0..97 * COLUMNS)
                .map(|_| {
                    let split = SPLITS[draws.next(9) as usize];
                    match draws.next(9) {
                        0 => f64::NAN,
                        1 => [f64::INFINITY, f64::NEG_INFINITY, 1e-36, -1e-300]
                            [draws.next(4) as usize],
                        2 => split.next_up(),
                        3 => split.next_down(),
                        4 => f64::from(split as f32),
                        5 => split,
                        6 => -0.5,
                        _ => f64::from(draws.next(50)),
                    }
                })
                .collect();
            let (mut sums, mut walked) = (vec![0.25_f64; 97 * 3], vec![0.25_f64; 97 * 3]);
            let mut leaves = vec![0; 97 * trees.len()];
            let mut scratch = forest.scratch();
            forest.sum(&rows, &mut scratch, &mut sums, 3);
            forest.sum_by_walking(&rows, &mut scratch, &mut walked, 3);
            forest.leaves(&rows, &mut scratch, &mut leaves);
            for (index, row) in rows.chunks(COLUMNS as usize).enumerate() {
                let mut expected = [0.25_f64; 3];
                for (number, nodes) in trees.iter().enumerate() {
                    let (leaf, value) = walk(nodes, comparison, row);
                    expected[number % 2] += value;
                    let found = leaves[index * trees.len() + number];
                    assert_eq!(orders[number][found as usize], leaf, "{comparison:?}: {row:?}");
                }
                assert_eq!(walked[index * 3..][..3], expected, "{comparison:?}: {row:?}");
                assert_eq!(sums[index * 3..][..3], expected, "{comparison:?}: {row:?}");
            }
        }
    }
    assert!(with_masks > 60, "only {with_masks} forests have masks");
    Ok(())
}

fn builder(node_limit: u64, set_limit: u64) -> Builder<f32> {
    Builder::new(Settings {
        columns: 2,
        groups: 1,
        comparison: Comparison::Single,
        missing_from: vec![],
        node_limit,
        set_limit,
    })
}

const TEST: Test = Test::AtLeast { split: 0.0, missing: Missing::NanIsZero };

#[test]
fn what_is_no_tree_is_an_error_and_leaves_nothing() -> Result<(), Error> {
    let mut builder = builder(5, 16);
    assert_eq!(builder.tree(1).err(), Some(Error::Group { group: 1, groups: 1 }));

    let mut tree = builder.tree(0)?;
    assert_eq!(tree.test(2, TEST), Err(Error::Column { column: 2, columns: 2 }));
    tree.test(0, TEST)?;
    tree.leaf(1.0)?;
    assert_eq!(tree.finish(), Err(Error::Incomplete { branches: 1 }));
    assert_eq!(builder.nodes(), 0);

    let mut tree = builder.tree(0)?;
    tree.leaf(1.0)?;
    assert_eq!(tree.leaf(1.0), Err(Error::Complete));
    tree.finish()?;
    assert_eq!((builder.nodes(), builder.trees()), (1, 1));

    let mut tree = builder.tree(0)?;
    tree.test(0, TEST)?;
    assert_eq!(tree.test(0, TEST), Err(Error::NodeLimit { nodes: 6, limit: 5 }));
    drop(tree);

    let mut tree = builder.tree(0)?;
    let members = [0; 20];
    let set =
        Set { first: 0, count: 8, members: &members, outside_right: true, missing_right: true };
    assert_eq!(
        tree.sets().add(Set { count: 161, ..set }),
        Err(Error::SetBits { count: 161, bits: 160 })
    );
    assert!(matches!(tree.sets().add(set), Err(Error::SetLimit { .. })));
    Ok(())
}

#[test]
fn nodes_that_are_reached_twice_or_not_there_are_errors() -> Result<(), Error> {
    let mut builder = builder(100, 0);
    for (right, error) in [
        (0, Error::NodeTwice { node: 0 }),
        (1, Error::NodeTwice { node: 1 }),
        (3, Error::NodeMissing { node: 3, count: 3 }),
        (u32::MAX, Error::NodeMissing { node: u32::MAX, count: 3 }),
    ] {
        let mut tree = builder.tree(0)?;
        let written = write_linked(&mut tree, 3, 0, |number, _| {
            Ok::<_, Error>(match number {
                0 => LinkedNode::Test { column: 0, test: TEST, left: 1, right },
                _ => LinkedNode::Leaf(1.0),
            })
        });
        assert_eq!(written, Err(error));
    }
    assert_eq!(builder.build().trees(), 0);
    Ok(())
}
