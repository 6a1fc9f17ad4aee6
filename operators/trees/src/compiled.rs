//! The compiled form of trees: nodes in flat arrays, and the sets that they ask for.

use std::fmt::Debug;
use std::ops::Range;

use crate::codes::{Comparison, MISSING, Missing, NEVER, Reading, Slots, ordered, ordered_double};
use crate::error::Error;
use crate::sets::{NOTHING, SetId, Sets};

/// What a leaf holds: `f32` or `f64`.
pub trait Leaf: Copy + Debug + Default + Send + Sync + 'static {}

impl Leaf for f32 {}
impl Leaf for f64 {}

/// One node of a tree: a row goes on to `right` where its code in `slot` is at least
/// `threshold` or is in `set`, and otherwise to the node after this one.
///
/// All tests have this form, so that no step needs to ask of which kind a node is: a test of
/// a number has the set without a member, a test of a category a threshold that no code
/// reaches. A leaf sends every row to itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) slot: u32,
    pub(crate) threshold: u32,
    /// Where the set begins.
    set: u32,
    /// Always after this node, or the node itself: no path is endless.
    pub(crate) right: u32,
}

/// What a node asks of a row's value in one column.
#[derive(Debug, Clone, Copy)]
pub enum Test {
    /// Numbers from `split` on go right; none does from NaN on. Where thresholds are of
    /// single precision, so must be this one.
    AtLeast {
        /// The threshold.
        split: f64,
        /// Which numbers are missing, and where they go.
        missing: Missing,
    },
    /// Numbers above `split` go right; none is above NaN. Not for
    /// [`Comparison::DoubleWithSingle`].
    Above {
        /// The threshold.
        split: f64,
        /// Which numbers are missing, and where they go.
        missing: Missing,
    },
    /// Missing values, which are [`Missing::Nan`], go right, all others left.
    IsMissing,
    /// Categories that the set sends right go right.
    InSet(SetId),
}

/// The nodes of one tree, the root first, and how many steps it takes at most to a leaf.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) nodes: Range<usize>,
    pub(crate) depth: u32,
    /// How many trees were added before it.
    pub(crate) number: usize,
}

/// The nodes of all trees in one array, and what they test.
#[derive(Debug)]
pub(crate) struct Compiled<L> {
    pub(crate) slots: Slots,
    pub(crate) nodes: Vec<Node>,
    /// By node, what its tree predicts if it is a leaf.
    pub(crate) leaves: Vec<L>,
    pub(crate) sets: Sets,
    /// Thresholds of double precision, which nodes hold the places of until all are known.
    splits: Vec<u64>,
}

impl<L: Leaf> Compiled<L> {
    /// Without trees.
    pub(crate) fn new(slots: Slots, sets: Sets) -> Self {
        Self { slots, nodes: vec![], leaves: vec![], sets, splits: vec![] }
    }

    /// The number of the node that is added next.
    pub(crate) fn next(&self) -> Result<u32, Error> {
        // Places of thresholds are fewer, and must not be taken for missing ones.
        u32::try_from(self.nodes.len()).ok().filter(|next| *next < MISSING).ok_or(Error::Numbers)
    }

    /// Adds a leaf, whose number is `number`.
    pub(crate) fn add_leaf(&mut self, number: u32, value: L) {
        self.nodes.push(Node { slot: 0, threshold: 0, set: NOTHING, right: number });
        self.leaves.push(value);
    }

    /// Adds a node that tests a column. Its left branch begins with the node that is added
    /// next; its right one, until [`begin_right`](Self::begin_right) says where, with itself.
    pub(crate) fn add_test(&mut self, number: u32, column: u32, test: Test) -> Result<(), Error> {
        let columns = self.slots.columns();
        if column as usize >= columns {
            return Err(Error::Column { column, columns });
        }
        let (reading, threshold, set) = match test {
            Test::AtLeast { split, missing } => {
                (Reading::Number(missing), self.threshold(split, false)?, NOTHING)
            }
            Test::Above { split, missing } => {
                (Reading::Number(missing), self.threshold(split, true)?, NOTHING)
            }
            Test::IsMissing => (Reading::Number(Missing::Nan { right: true }), MISSING, NOTHING),
            Test::InSet(set) => (Reading::Category, NEVER, set.begin()),
        };
        let slot = self.slots.slot(column, reading);
        self.nodes.push(Node { slot, threshold, set, right: number });
        self.leaves.push(L::default());
        Ok(())
    }

    /// The code from which on numbers go right, or the place of the threshold.
    fn threshold(&mut self, split: f64, above: bool) -> Result<u32, Error> {
        // No number is at least NaN, so only missing ones can go right.
        match (self.slots.comparison(), above) {
            (Comparison::DoubleWithSingle, true) => Err(Error::Above),
            _ if split.is_nan() => Ok(MISSING),
            (Comparison::DoubleWithSingle | Comparison::Single, _) => {
                Ok(ordered(split as f32) + u32::from(above))
            }
            (Comparison::Double, _) => {
                let place = u32::try_from(self.splits.len()).map_err(|_| Error::Numbers)?;
                self.splits.push(ordered_double(split) + u64::from(above));
                Ok(place)
            }
        }
    }

    /// The right branch of `parent` begins with the node that is added next, `number`.
    pub(crate) fn begin_right(&mut self, parent: u32, number: u32) {
        self.nodes[parent as usize].right = number;
    }

    /// Takes back all nodes from this one on.
    pub(crate) fn truncate(&mut self, nodes: usize) {
        self.nodes.truncate(nodes);
        self.leaves.truncate(nodes);
    }

    /// Replaces the places of thresholds by codes, once all trees are there.
    pub(crate) fn rank(&mut self) {
        if self.slots.comparison() != Comparison::Double {
            return;
        }
        let mut splits = vec![vec![]; self.slots.columns()];
        for node in 0..self.nodes.len() {
            if let Some((column, split)) = self.split(node) {
                splits[column as usize].push(split);
            }
        }
        self.slots.set_splits(splits);
        for node in 0..self.nodes.len() {
            if let Some((column, split)) = self.split(node) {
                self.nodes[node].threshold = self.slots.rank(column, split);
            }
        }
        self.splits = vec![];
    }

    /// The column that a node tests, and its threshold, if it holds the place of one.
    fn split(&self, node: usize) -> Option<(u32, u64)> {
        let Node { slot, threshold, .. } = self.nodes[node];
        let is_place = !self.is_leaf(node) && threshold < MISSING;
        let (column, _) = self.slots.read(slot);
        is_place.then(|| (column, self.splits[threshold as usize]))
    }

    /// Whether a code goes right at a node.
    #[inline(always)]
    pub(crate) fn goes_right(&self, node: &Node, code: u32) -> bool {
        let member = self.sets.has(node.set, code);
        (code >= node.threshold) | member
    }

    /// Whether a node is a leaf.
    pub(crate) fn is_leaf(&self, node: usize) -> bool {
        self.nodes[node].right as usize == node
    }

    /// The category behind the last one that a node's set covers.
    pub(crate) fn reach(&self, node: usize) -> u32 {
        self.sets.reach(self.nodes[node].set)
    }
}
