//! All trees of a model, compiled, and the sums that rows come to.

use decision_trees::{
    Builder, Comparison, Forest as Compiled, LinkedNode, Missing as MissingAt, Scratch, Set,
    Settings, Sets, Test as Asked, write_linked,
};

use crate::error::Error;
use crate::header::{Header, PART};
use crate::limits::{self, Limits};
use crate::text::Lines;
use crate::tree::{Child, Linear, Missing, Test, Tree};

/// How many bytes sets of categories may take. A category that a set of this size reaches is
/// smaller than 2^31, where LightGBM takes categories for negative ones.
const SET_BYTES: u64 = 1 << 27;

/// The trees of a model.
#[derive(Debug)]
pub(crate) struct Forest {
    compiled: Compiled<f64>,
    /// By tree, where any tree is linear: what its leaves are.
    linear: Vec<Leaves>,
    groups: usize,
    iterations: usize,
}

/// The leaves of a tree, whose numbers in the compiled tree are not those of the file.
#[derive(Debug)]
struct Leaves {
    /// By number of the compiled tree's nodes; those that are no leaves are of no matter.
    values: Vec<Leaf>,
    columns: Vec<usize>,
    coefficients: Vec<f64>,
}

/// A leaf's linear model.
#[derive(Debug, Clone, Default)]
struct Leaf {
    constant: f64,
    /// Where its terms begin and end.
    terms: (u32, u32),
    /// What is predicted where a value that it needs is NaN.
    otherwise: f64,
}

impl Forest {
    /// Reads the trees behind a header.
    pub(crate) fn read(
        lines: &mut Lines<'_>,
        header: &Header<'_>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let columns = header.names.len();
        let mut builder = Builder::new(Settings {
            columns,
            groups: header.groups,
            comparison: Comparison::Double,
            missing_from: vec![],
            node_limit: limits.nodes,
            set_limit: SET_BYTES,
        });
        let mut linear = vec![];
        let mut any_linear = false;
        while lines.peek().is_some_and(|line| line.text.starts_with(crate::header::TREE)) {
            let index = builder.trees();
            let begin = lines.offset();
            let before = builder.nodes();
            let tree = Tree::read(lines, index, columns, |leaves| {
                let nodes = before.saturating_add(leaves.saturating_mul(2).saturating_sub(1));
                limits::check(|| format!("tree {index}: nodes so far"), nodes, limits.nodes, "nodes")
            })?;
            check_size(header, index, lines.offset() - begin)?;
            let order = add(&mut builder, &tree, index % header.groups)?;
            any_linear |= tree.linear.is_some();
            linear.push(Leaves::of(tree, &order));
        }
        let trees = builder.trees();
        if let Some(sizes) = header.tree_sizes.as_ref().filter(|sizes| sizes.len() != trees) {
            let reason = format!("{trees} trees, where tree_sizes says {}", sizes.len());
            return Err(Error::damaged("trees", reason));
        }
        if !trees.is_multiple_of(header.groups) {
            let reason = format!("{} does not divide {trees} trees", header.groups);
            return Err(Error::contradiction(PART, "num_tree_per_iteration", reason));
        }
        if !any_linear {
            linear.clear();
        }
        Ok(Self {
            compiled: builder.build(),
            linear,
            groups: header.groups,
            iterations: trees / header.groups,
        })
    }

    /// How many trees there are.
    pub(crate) fn trees(&self) -> usize {
        self.compiled.trees()
    }

    /// How many trees make a sum.
    pub(crate) fn iterations(&self) -> usize {
        self.iterations
    }

    /// The memory that [`sum`](Self::sum) needs.
    pub(crate) fn scratch(&self) -> Scratch {
        self.compiled.scratch()
    }

    /// Adds what each of `rows` comes to in every tree to `sums`, `width` per row, one for each
    /// group first. `leaves` is memory.
    pub(crate) fn sum(
        &self,
        rows: &[f64],
        scratch: &mut Scratch,
        leaves: &mut Vec<u32>,
        sums: &mut [f64],
        width: usize,
    ) {
        if self.linear.is_empty() {
            self.compiled.sum(rows, scratch, sums, width);
            return;
        }
        let columns = self.compiled.columns();
        leaves.resize(rows.len() / columns * self.trees(), 0);
        self.compiled.leaves(rows, scratch, leaves);
        let found = rows.chunks_exact(columns).zip(leaves.chunks_exact(self.trees()));
        for ((row, leaves), sums) in found.zip(sums.chunks_exact_mut(width)) {
            for (index, (tree, leaf)) in self.linear.iter().zip(leaves).enumerate() {
                sums[index % self.groups] += tree.value(*leaf as usize, row);
            }
        }
    }
}

/// Compares a tree's bytes with those that the header says.
fn check_size(header: &Header<'_>, index: usize, found: usize) -> Result<(), Error> {
    match header.tree_sizes.as_ref().map(|sizes| sizes.get(index)) {
        Some(Some(size)) if *size != found as u64 => {
            let reason = format!("{found} bytes, where tree_sizes says {size}");
            Err(Error::damaged(format!("tree {index}"), reason))
        }
        Some(None) => Err(Error::damaged(format!("tree {index}"), "is not in tree_sizes")),
        _ => Ok(()),
    }
}

/// Compiles a tree, and answers which leaf of the file each compiled node is.
fn add(
    builder: &mut Builder<f64>,
    tree: &Tree,
    group: usize,
) -> Result<Vec<Option<usize>>, Error> {
    let index = builder.trees();
    let refuse = |error: decision_trees::Error| {
        Error::contradiction(format!("tree {index}"), "num_leaves", error.to_string())
    };
    // Nodes first, then leaves.
    let inner = tree.nodes.len();
    let number = |child: Child| match child {
        Child::Node(node) => node as u32,
        Child::Leaf(leaf) => (inner + leaf) as u32,
    };
    let mut order = Vec::with_capacity(inner + tree.leaves.len());
    let mut writer = builder.tree(group).map_err(refuse)?;
    let count = (inner + tree.leaves.len()) as u32;
    write_linked(&mut writer, count, 0, |node, sets| {
        let node = node as usize;
        let Some(test) = tree.nodes.get(node) else {
            let leaf = node - inner;
            order.push(Some(leaf));
            return Ok(LinkedNode::Leaf(tree.leaves[leaf]));
        };
        order.push(None);
        Ok(LinkedNode::Test {
            column: test.feature as u32,
            test: asked(&test.test, &tree.words, sets)?,
            left: number(test.left),
            right: number(test.right),
        })
    })
    .map_err(refuse)?;
    writer.finish().map_err(refuse)?;
    Ok(order)
}

/// A test, as compiled trees have it: what it lets through goes right.
fn asked(test: &Test, words: &[u32], sets: &mut Sets) -> Result<Asked, decision_trees::Error> {
    match test {
        Test::Number { threshold, missing, missing_left } => {
            let right = !missing_left;
            let missing = match missing {
                Missing::None => MissingAt::NanIsZero,
                Missing::Zero => MissingAt::NanOrZero { right },
                Missing::Nan => MissingAt::Nan { right },
            };
            Ok(Asked::Above { split: *threshold, missing })
        }
        Test::Category { words: range } => {
            let words = words.get(range.clone()).unwrap_or_default();
            let members: Vec<u8> = words.iter().flat_map(|word| (!word).to_le_bytes()).collect();
            let count = u32::try_from(words.len() * 32).unwrap_or(u32::MAX);
            let set =
                Set { first: 0, count, members: &members, outside_right: true, missing_right: true };
            Ok(Asked::InSet(sets.add(set)?))
        }
    }
}

impl Leaves {
    /// Puts a tree's leaves into the `order` of the compiled nodes.
    fn of(tree: Tree, order: &[Option<usize>]) -> Self {
        let linear = tree.linear.unwrap_or_else(|| Linear {
            constants: tree.leaves.clone(),
            terms: vec![0..0; tree.leaves.len()],
            ..Linear::default()
        });
        let leaf = |leaf: usize| Leaf {
            constant: linear.constants[leaf],
            terms: (linear.terms[leaf].start as u32, linear.terms[leaf].end as u32),
            otherwise: tree.leaves[leaf],
        };
        let values = order.iter().map(|number| number.map(leaf).unwrap_or_default()).collect();
        Self { values, columns: linear.columns, coefficients: linear.coefficients }
    }

    /// What a row comes to at a leaf.
    fn value(&self, leaf: usize, row: &[f64]) -> f64 {
        let leaf = &self.values[leaf];
        let terms = leaf.terms.0 as usize..leaf.terms.1 as usize;
        let mut sum = leaf.constant;
        for (column, coefficient) in
            self.columns[terms.clone()].iter().zip(&self.coefficients[terms])
        {
            let value = row[*column];
            if value.is_nan() {
                return leaf.otherwise;
            }
            sum += coefficient * value;
        }
        sum
    }
}
