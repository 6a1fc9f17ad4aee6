//! One tree of the text, as it is checked before it is compiled.

use std::ops::Range;

use crate::error::Error;
use crate::header::{TREE, is_between_trees};
use crate::text::{Entries, Lines, Value};

const KEYS: &[&str] = &[
    "num_leaves",
    "num_cat",
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_value",
    "leaf_weight",
    "leaf_count",
    "internal_value",
    "internal_weight",
    "internal_count",
    "cat_boundaries",
    "cat_threshold",
    "is_linear",
    "leaf_const",
    "num_features",
    "leaf_features",
    "leaf_coeff",
    "shrinkage",
];

/// A tree. Node 0 is the root; a tree of one leaf has no nodes.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// By leaf, what it predicts: where it is linear, where a value that it needs is missing.
    pub(crate) leaves: Vec<f64>,
    /// Sets of categories, one after the other: bit `n` of a set says whether `n` goes left.
    pub(crate) words: Vec<u32>,
    /// The linear models of the leaves; `None` where leaves are constants.
    pub(crate) linear: Option<Linear>,
}

/// A node that tests a column.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) feature: usize,
    pub(crate) test: Test,
    pub(crate) left: Child,
    pub(crate) right: Child,
}

/// What a node asks of a row's value.
#[derive(Debug)]
pub(crate) enum Test {
    /// Numbers up to the threshold go left.
    Number { threshold: f64, missing: Missing, missing_left: bool },
    /// Categories of the set go left; missing values and all others right.
    Category { words: Range<usize> },
}

/// Which values count as missing in a test of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// None: NaN is zero.
    None,
    /// Zero, what is nearly zero, and NaN.
    Zero,
    /// NaN.
    Nan,
}

/// Where a branch leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Child {
    Node(usize),
    Leaf(usize),
}

/// Linear models: a leaf's constant, and the sum of values of columns times coefficients.
#[derive(Debug, Default)]
pub(crate) struct Linear {
    /// By leaf.
    pub(crate) constants: Vec<f64>,
    /// By leaf, where its terms are.
    pub(crate) terms: Vec<Range<usize>>,
    /// Of all terms: the column and its coefficient.
    pub(crate) columns: Vec<usize>,
    pub(crate) coefficients: Vec<f64>,
}

impl Tree {
    /// Reads tree number `index` of a model with so many `columns`. `check` may refuse it for
    /// the number of its leaves.
    pub(crate) fn read(
        lines: &mut Lines<'_>,
        index: usize,
        columns: usize,
        check: impl FnOnce(u64) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let part = format!("tree {index}");
        let number = lines.next().and_then(|line| line.text.strip_prefix(TREE));
        if number.and_then(|number| number.parse().ok()) != Some(index) {
            return Err(Error::damaged(part, format!("expected '{TREE}{index}' before it")));
        }
        let mut entries = Entries::new(part, KEYS);
        while let Some(line) = lines.peek().filter(|line| !is_between_trees(line)) {
            lines.next();
            if !line.text.is_empty() {
                let (key, text) = line.entry()?;
                entries.insert(line, key, text)?;
            }
        }
        let leaves: u32 = entries.required("num_leaves")?.number()?;
        check(u64::from(leaves))?;
        let leaves = leaves as usize;
        if leaves == 0 {
            return Err(Error::contradiction(entries.part(), "num_leaves", "is 0"));
        }
        let values = entries.required("leaf_value")?;
        let mut tree = Self { leaves: finite(values, leaves)?, ..Self::default() };
        tree.read_nodes(&entries, leaves - 1, columns)?;
        tree.check_shape(entries.part())?;
        if let Some(value) = entries.get("is_linear") {
            tree.linear = match value.text {
                "0" => None,
                "1" => Some(Linear::read(&entries, leaves, columns)?),
                _ => return Err(value.error("is neither 0 nor 1")),
            };
        }
        let linear = ["leaf_const", "num_features", "leaf_features", "leaf_coeff"];
        let stray = linear.iter().find_map(|key| entries.get(key));
        if let (None, Some(value)) = (&tree.linear, stray) {
            return Err(value.error("stands in a tree whose is_linear is 0"));
        }
        Ok(tree)
    }

    fn read_nodes(
        &mut self,
        entries: &Entries<'_>,
        count: usize,
        columns: usize,
    ) -> Result<(), Error> {
        let features: Vec<usize> = entries.required("split_feature")?.list(count)?;
        let thresholds = entries.required("threshold")?;
        let numbers: Vec<f64> = thresholds.list(count)?;
        let types = entries.required("decision_type")?;
        let decisions: Vec<u8> = types.list(count)?;
        let lefts: Vec<i64> = entries.required("left_child")?.list(count)?;
        let rights: Vec<i64> = entries.required("right_child")?.list(count)?;
        let sets = self.read_sets(entries)?;
        let mut unused = sets.clone();
        for (index, (((&feature, &number), &decision), (&left, &right))) in
            features.iter().zip(&numbers).zip(&decisions).zip(lefts.iter().zip(&rights)).enumerate()
        {
            let place = |key, reason| {
                Error::contradiction(format!("{}: node {index}", entries.part()), key, reason)
            };
            if feature >= columns {
                return Err(place(
                    "split_feature",
                    format!("{feature} is out of range for {columns} columns"),
                ));
            }
            let test = match decision {
                // Bit 0: a category; bit 1: missing values go left; bits 2 and 3: what is missing.
                0..=11 if decision & 1 == 0 => {
                    // LightGBM writes "inf" where all numbers go left.
                    if number.is_nan() || number == f64::NEG_INFINITY {
                        return Err(place("threshold", format!("{number} is no threshold")));
                    }
                    let missing = [Missing::None, Missing::Zero, Missing::Nan];
                    let missing = missing[usize::from(decision >> 2).min(2)];
                    Test::Number { threshold: number, missing, missing_left: decision & 2 != 0 }
                }
                1 | 5 | 9 => {
                    let set = number as usize;
                    let range = sets.get(set).filter(|_| number == set as f64).cloned();
                    let Some(words) = range else {
                        return Err(place(
                            "threshold",
                            format!("there is no set {number} of categories"),
                        ));
                    };
                    if std::mem::replace(&mut unused[set], 0..0).is_empty() {
                        return Err(place(
                            "threshold",
                            format!("set {set} of categories is empty or another node's"),
                        ));
                    }
                    Test::Category { words }
                }
                other => {
                    return Err(place("decision_type", format!("{other} is of no known kind")));
                }
            };
            let child = |key, child: i64| {
                let found = if child >= 0 {
                    usize::try_from(child).ok().filter(|&node| node < count).map(Child::Node)
                } else {
                    usize::try_from(-1 - child).ok().filter(|&leaf| leaf <= count).map(Child::Leaf)
                };
                found.ok_or_else(|| place(key, format!("{child} is out of range")))
            };
            let (left, right) = (child("left_child", left)?, child("right_child", right)?);
            self.nodes.push(Node { feature, test, left, right });
        }
        if unused.iter().any(|set| !set.is_empty()) {
            return Err(Error::contradiction(
                entries.part(),
                "num_cat",
                "there are more sets of categories than nodes that test one",
            ));
        }
        Ok(())
    }

    /// Reads the sets of categories, and answers where each is.
    fn read_sets(&mut self, entries: &Entries<'_>) -> Result<Vec<Range<usize>>, Error> {
        let count: u32 = entries.required("num_cat")?.number()?;
        if count == 0 {
            let stray = entries.get("cat_boundaries").or(entries.get("cat_threshold"));
            return match stray {
                Some(value) => Err(value.error("stands in a tree whose num_cat is 0")),
                None => Ok(vec![]),
            };
        }
        let boundaries = entries.required("cat_boundaries")?;
        let bounds: Vec<usize> = boundaries.list((count as usize).saturating_add(1))?;
        if bounds.first() != Some(&0) || !bounds.is_sorted() {
            return Err(boundaries.error("are not numbers from 0 that ascend"));
        }
        let words = bounds.last().copied().unwrap_or(0);
        self.words = entries.required("cat_threshold")?.list(words)?;
        Ok(bounds.windows(2).map(|pair| pair[0]..pair[1]).collect())
    }

    /// Checks that the branches make one tree: every node but the root and every leaf is the
    /// end of exactly one branch, and all can be reached.
    fn check_shape(&self, part: &str) -> Result<(), Error> {
        let mut reached = vec![false; self.nodes.len()];
        let mut reached_leaves = vec![false; self.leaves.len()];
        let mut left_over =
            vec![if self.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) }];
        while let Some(child) = left_over.pop() {
            let (seen, kind, index) = match child {
                Child::Node(node) => (&mut reached[node], "node", node),
                Child::Leaf(leaf) => (&mut reached_leaves[leaf], "leaf", leaf),
            };
            if std::mem::replace(seen, true) {
                let reason = format!("{kind} {index} ends two branches, or goes round in a circle");
                return Err(Error::contradiction(part, "left_child", reason));
            }
            if let Child::Node(node) = child {
                left_over.extend([self.nodes[node].right, self.nodes[node].left]);
            }
        }
        // With one leaf more than nodes, what is reached once and only once is all there is.
        if reached.contains(&false) || reached_leaves.contains(&false) {
            return Err(Error::contradiction(
                part,
                "left_child",
                "a node or leaf has no branch to it",
            ));
        }
        Ok(())
    }
}

impl Linear {
    fn read(entries: &Entries<'_>, leaves: usize, columns: usize) -> Result<Self, Error> {
        let constants = finite(entries.required("leaf_const")?, leaves)?;
        let counts = entries.required("num_features")?;
        let mut end = 0_usize;
        let mut terms = Vec::with_capacity(leaves);
        for count in counts.list::<u32>(leaves)? {
            let begin = end;
            end = begin.saturating_add(count as usize);
            terms.push(begin..end);
        }
        let features = entries.required("leaf_features")?;
        let of_terms: Vec<usize> = features.list(end)?;
        if let Some(feature) = of_terms.iter().find(|feature| **feature >= columns) {
            return Err(features.error(format!("{feature} is out of range for {columns} columns")));
        }
        let coefficients = finite(entries.required("leaf_coeff")?, end)?;
        Ok(Self { constants, terms, columns: of_terms, coefficients })
    }
}

/// Numbers none of which is infinite or NaN.
fn finite(value: Value<'_>, count: usize) -> Result<Vec<f64>, Error> {
    let numbers: Vec<f64> = value.list(count)?;
    match numbers.iter().find(|number| !number.is_finite()) {
        Some(number) => Err(value.error(format!("{number} is no number to add"))),
        None => Ok(numbers),
    }
}
