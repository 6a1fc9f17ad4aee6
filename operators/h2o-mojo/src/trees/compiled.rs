//! The compiled form of trees: nodes and sets of categories in flat arrays.
//!
//! Decoders append to it, node after node; nothing here knows whose bytes they come from.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use super::codes::{MISSING, NEVER, Reading, Slots, threshold};

/// One node of a tree: a row goes on to `right` where its code in `slot` is at least
/// `threshold` or is in `set`, and otherwise to the node after this one.
///
/// All tests have this form, so that no step needs to ask of which kind a node is: a test of
/// a number has the set without a member, a test of a category a threshold that no code
/// reaches. A leaf sends every row to itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) slot: u32,
    pub(super) threshold: u32,
    /// Where the set begins in the pool.
    set: u32,
    /// Always after this node, or the node itself: no path is endless.
    pub(super) right: u32,
}

/// What a node asks of a row's value in one column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Test {
    /// Numbers from this one on go right, and missing values where `missing_right`.
    AtLeast { split: f32, missing_right: bool },
    /// Missing values go right, all others left.
    IsMissing,
    /// Categories that the set sends right go right; it begins here.
    InSet(u32),
}

/// A set of categories, as a decoder finds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Set<'a> {
    /// The first category that the set covers, and how many it covers.
    pub(super) first: u32,
    pub(super) count: u32,
    /// A bit per category covered, the lowest first: whether it goes right.
    pub(super) members: &'a [u8],
    /// Whether a category that the set does not cover goes right.
    pub(super) outside_right: bool,
    /// Whether a missing value goes right.
    pub(super) missing_right: bool,
}

/// The nodes of one tree, the root first, and how many steps it takes at most to a leaf.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) nodes: Range<usize>,
    pub(super) depth: u32,
}

/// The nodes of all trees in one array, and what they test.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(super) slots: Slots,
    pub(super) nodes: Vec<Node>,
    /// By node, what its tree predicts if it is a leaf.
    pub(super) leaves: Vec<f32>,
    /// How many nodes there may be.
    pub(super) node_limit: u64,
    sets: Sets,
}

/// Sets of categories, one after the other: the first category that a set covers, how many
/// it covers, then bits. Behind the bits of the categories is one for those that the set
/// does not cover and one for missing values, which have directions of their own.
#[derive(Debug)]
struct Sets {
    words: Vec<u32>,
    /// For a set, the one of the same range without a member, where that was needed.
    empties: HashMap<u32, u32, RandomState>,
}

/// The words that a set has before its bits.
const SET_HEADER: usize = 2;
/// Where the set that covers nothing and has no member begins.
const NOTHING: u32 = 0;

impl Compiled {
    /// Without trees. `ends` has, for every column, from which number on a value counts as
    /// missing.
    pub(super) fn new(ends: Vec<i64>, node_limit: u64) -> Self {
        let sets = Sets { words: vec![0; SET_HEADER + 1], empties: HashMap::default() };
        Self { slots: Slots::new(ends), nodes: vec![], leaves: vec![], node_limit, sets }
    }

    /// How many columns a row has.
    pub(super) fn columns(&self) -> usize {
        self.slots.columns()
    }

    /// The number of the node that is added next; `None` beyond what 32 bits can count.
    pub(super) fn next(&self) -> Option<u32> {
        u32::try_from(self.nodes.len()).ok()
    }

    /// Adds a leaf, whose number is `number`.
    pub(super) fn add_leaf(&mut self, number: u32, value: f32) {
        self.nodes.push(Node { slot: 0, threshold: 0, set: NOTHING, right: number });
        self.leaves.push(value);
    }

    /// Adds a node that tests a column. Its left branch begins with the node that is added
    /// next; its right one, until [`begin_right`](Self::begin_right) says where, with itself.
    pub(super) fn add_test(&mut self, number: u32, column: u16, test: Test) {
        let reading = match test {
            Test::AtLeast { missing_right: true, .. } | Test::IsMissing => Reading::MissingHigh,
            Test::AtLeast { missing_right: false, .. } => Reading::MissingLow,
            Test::InSet(_) => Reading::Category,
        };
        let (threshold, set) = match test {
            Test::AtLeast { split, .. } => (threshold(split), NOTHING),
            Test::IsMissing => (MISSING, NOTHING),
            Test::InSet(set) => (NEVER, set),
        };
        let slot = self.slots.slot(column, reading);
        self.nodes.push(Node { slot, threshold, set, right: number });
        self.leaves.push(0.0);
    }

    /// The right branch of `parent` begins with the node that is added next, `number`.
    pub(super) fn begin_right(&mut self, parent: usize, number: u32) {
        self.nodes[parent].right = number;
    }

    /// Adds a set and says where it begins; `None` beyond what 32 bits can count.
    pub(super) fn add_set(&mut self, set: Set<'_>) -> Option<u32> {
        let begin = self.sets.reserve(set.first, set.count)?;
        let words = &mut self.sets.words[begin as usize + SET_HEADER..];
        for (word, chunk) in words.iter_mut().zip(set.members.chunks(4)) {
            let mut array = [0; 4];
            array[..chunk.len()].copy_from_slice(chunk);
            *word = u32::from_le_bytes(array);
        }
        put(words, set.count, set.outside_right);
        put(words, set.count + 1, set.missing_right);
        Some(begin)
    }

    /// The set that covers what `set` does but has no member: only missing values, and
    /// categories that it does not cover, go right. `None` beyond what 32 bits can count.
    pub(super) fn without_members(&mut self, set: u32) -> Option<u32> {
        if let Some(empty) = self.sets.empties.get(&set) {
            return Some(*empty);
        }
        let (first, count) = self.sets.range(set);
        let empty = self.sets.reserve(first, count)?;
        let words = &mut self.sets.words[empty as usize + SET_HEADER..];
        put(words, count, true);
        put(words, count + 1, true);
        self.sets.empties.insert(set, empty);
        Some(empty)
    }

    /// Whether a code goes right at a node.
    #[inline(always)]
    pub(super) fn goes_right(&self, node: &Node, code: u32) -> bool {
        let (first, count) = self.sets.range(node.set);
        let missing = u32::from(code == MISSING);
        let bit = code.wrapping_sub(first).min(count) + missing;
        let word = self.sets.words[node.set as usize + SET_HEADER + (bit >> 5) as usize];
        let member = word >> (bit & 31) & 1 != 0;
        (code >= node.threshold) | member
    }

    /// Whether a node is a leaf.
    pub(super) fn is_leaf(&self, node: usize) -> bool {
        self.nodes[node].right as usize == node
    }

    /// The category behind the last one that a node's set covers.
    pub(super) fn reach(&self, node: usize) -> u32 {
        let (first, count) = self.sets.range(self.nodes[node].set);
        first.saturating_add(count)
    }
}

impl Sets {
    /// The first category that a set covers, and how many it covers.
    #[inline(always)]
    fn range(&self, set: u32) -> (u32, u32) {
        (self.words[set as usize], self.words[set as usize + 1])
    }

    /// Makes room for a set at the end. All its bits are zero.
    fn reserve(&mut self, first: u32, count: u32) -> Option<u32> {
        let begin = u32::try_from(self.words.len()).ok()?;
        self.words.extend([first, count]);
        self.words.resize(self.words.len() + (count as usize + 2).div_ceil(32), 0);
        Some(begin)
    }
}

/// Sets or clears one bit of a set.
fn put(words: &mut [u32], bit: u32, value: bool) {
    let word = &mut words[(bit >> 5) as usize];
    *word = *word & !(1 << (bit & 31)) | u32::from(value) << (bit & 31);
}
