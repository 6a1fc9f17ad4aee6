//! All trees of a model, compiled, and the sums that rows come to.

use decision_trees::{
    Builder, Comparison, Forest as Compiled, LinkedNode, Missing as MissingAt, Scratch, Set, Sets,
    Settings, Test as Asked, write_linked,
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
        let any_linear = lines.have("is_linear=1");
        let mut linear = vec![];
        while lines.peek().is_some_and(|line| line.text.starts_with(crate::header::TREE)) {
            let index = builder.trees();
            let begin = lines.offset();
            let before = builder.nodes();
            let tree = Tree::read(lines, index, columns, |leaves| {
                let nodes = before.saturating_add(leaves.saturating_mul(2).saturating_sub(1));
                limits::check(
                    || format!("tree {index}: nodes so far"),
                    nodes,
                    limits.nodes,
                    "nodes",
                )
            })?;
            check_size(header, index, lines.offset() - begin)?;
            let order = add(&mut builder, &tree, index % header.groups)?;
            if any_linear {
                linear.push(Leaves::of(tree, &order));
            }
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
fn add(builder: &mut Builder<f64>, tree: &Tree, group: usize) -> Result<Vec<Option<usize>>, Error> {
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
            let set = Set {
                first: 0,
                count,
                members: &members,
                outside_right: true,
                missing_right: true,
            };
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use std::fmt::Write;

    use super::Forest;
    use crate::header::Header;
    use crate::limits::Limits;
    use crate::text::Lines;
    use crate::tree::{Child, Missing, Test, Tree};

    /// The leaf that a row comes to, as LightGBM's `tree.h` describes it.
    fn walk(tree: &Tree, row: &[f64]) -> usize {
        let mut at = if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
        loop {
            let node = match at {
                Child::Leaf(leaf) => return leaf,
                Child::Node(node) => &tree.nodes[node],
            };
            let value = row[node.feature];
            let left = match &node.test {
                Test::Category { words } => {
                    // What does not fit into an integer of C is the smallest of all on x86-64.
                    let category = if value < 2_147_483_648.0 { value as i32 } else { i32::MIN };
                    let word = tree.words[words.clone()].get(category as usize / 32);
                    !value.is_nan()
                        && category >= 0
                        && word.is_some_and(|word| word >> (category % 32) & 1 == 1)
                }
                Test::Number { threshold, missing, missing_left } => {
                    let nan = value.is_nan();
                    let value = if nan && *missing != Missing::Nan { 0.0 } else { value };
                    let zero = value.abs() <= f64::from(1e-35_f32);
                    match missing {
                        Missing::Zero if zero => *missing_left,
                        Missing::Nan if nan => *missing_left,
                        _ => value <= *threshold,
                    }
                }
            };
            at = if left { node.left } else { node.right };
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) as usize % end
        }

        fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
            of[self.below(of.len())]
        }
    }

    const THRESHOLDS: [&str; 12] = [
        "-1e300",
        "-2.5",
        "-1.0000000180025095e-35",
        "-1e-36",
        "0",
        "5e-324",
        "1.0000000180025095e-35",
        "0.5",
        "1",
        "1.5",
        "31",
        "inf",
    ];

    /// A tree of random tests, whose leaves have their numbers for values.
    fn tree(random: &mut Random, index: usize, leaves: usize) -> String {
        // Each new node takes a leaf's place, as in training.
        let (mut lefts, mut rights) = (vec![], vec![]);
        for node in 0..leaves - 1 {
            let leaf = random.below(node + 1) as i64;
            let place = |children: &mut Vec<i64>| {
                children
                    .iter_mut()
                    .filter(|child| **child == -1 - leaf)
                    .for_each(|c| *c = node as i64);
            };
            place(&mut lefts);
            place(&mut rights);
            lefts.push(-1 - leaf);
            rights.push(-2 - node as i64);
        }
        let (mut thresholds, mut types, mut words) = (vec![], vec![], vec![]);
        let mut bounds = vec![0];
        for _ in 0..leaves - 1 {
            if random.below(3) == 0 {
                thresholds.push((bounds.len() - 1).to_string());
                types.push(random.pick(&["1", "5", "9"]));
                for _ in 0..1 + random.below(3) {
                    words.push(random.below(1 << 31) as u64 * 2 + random.below(2) as u64);
                }
                bounds.push(words.len());
            } else {
                thresholds.push(random.pick(&THRESHOLDS).into());
                types.push(random.pick(&["0", "2", "4", "6", "8", "10"]));
            }
        }
        let join =
            |numbers: &[i64]| numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
        let features: Vec<i64> = (1..leaves).map(|_| random.below(3) as i64).collect();
        let values: Vec<i64> = (0..leaves as i64).collect();
        let mut text = format!("Tree={index}\nnum_leaves={leaves}\nnum_cat={}\n", bounds.len() - 1);
        let mut put = |key: &str, value: String| writeln!(text, "{key}={value}").unwrap();
        put("split_feature", join(&features));
        put("threshold", thresholds.join(" "));
        put("decision_type", types.join(" "));
        put("left_child", join(&lefts));
        put("right_child", join(&rights));
        put("leaf_value", join(&values));
        if bounds.len() > 1 {
            put(
                "cat_boundaries",
                bounds.iter().map(usize::to_string).collect::<Vec<_>>().join(" "),
            );
            put("cat_threshold", words.iter().map(u64::to_string).collect::<Vec<_>>().join(" "));
        }
        text + "\n\n"
    }

    const HEAD: &str = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n\
        max_feature_idx=2\nfeature_names=a b c\nfeature_infos=none none none\n\n";

    #[test]
    fn compiled_trees_lead_rows_where_the_text_does() {
        let mut random = Random(1);
        let kinds = [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.0,
            -0.0,
            1e-36,
            -1e-36,
            f64::from(1e-35_f32),
            -f64::from(1e-35_f32),
            5e-324,
            -0.5,
            -1.0,
            -2.5,
            0.5,
            1.0,
            1.5,
            31.0,
            31.9,
            32.0,
            63.0,
            64.0,
            95.0,
            96.0,
            2_147_483_647.0,
            2_147_483_648.0,
            4_294_967_297.0,
            -2_147_483_649.0,
            1e300,
        ];
        for round in 0..400 {
            let leaves = 1 + random.below(if round % 4 == 0 { 70 } else { 12 });
            let text = format!("{HEAD}{}", tree(&mut random, 0, leaves));
            let mut lines = Lines::new(&text);
            let header = Header::read(&mut lines, &Limits::default()).unwrap();
            let oracle = Tree::read(&mut lines.clone(), 0, 3, |_| Ok(())).unwrap();
            let forest = Forest::read(&mut lines, &header, &Limits::default()).unwrap();
            let rows: Vec<f64> = (0..300).map(|_| kinds[random.below(kinds.len())]).collect();
            let mut sums = vec![0.0; 100];
            forest.sum(&rows, &mut forest.scratch(), &mut vec![], &mut sums, 1);
            for (row, sum) in rows.chunks_exact(3).zip(sums) {
                assert_eq!(sum, walk(&oracle, row) as f64, "{row:?}\n{text}");
            }
        }
    }
}
