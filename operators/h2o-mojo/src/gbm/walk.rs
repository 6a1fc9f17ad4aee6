//! Rows that walk through trees of any size.
//!
//! Rows are taken in blocks, so that a block's codes stay in the nearest cache while tree
//! after tree is walked. Within a block several rows walk the same tree in step, without a
//! branch that depends on them: each step waits for memory, but the steps of different rows
//! do not wait for each other.

use std::ops::Range;

use super::codes::{MISSING, Slots};
use super::tree::{Node, Pool, SET_HEADER};

/// How many rows walk in step.
const LANES: usize = 8;
/// How many codes a block holds, about: they and the nodes should fit into 32 KiB.
const BLOCK_CODES: usize = 1024;
/// How many steps are taken before looking whether all rows have come to a leaf.
const STRIDE: u32 = 6;

/// The nodes of all trees in one array, and what they test.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) slots: Slots,
    pub(super) nodes: Vec<Node>,
    /// By node, what its tree predicts if it is a leaf.
    pub(super) leaves: Vec<f32>,
    pub(super) pool: Pool,
}

/// The nodes of a tree, the root first, and how many steps it takes at most to a leaf.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) nodes: Range<usize>,
    pub(super) depth: u32,
}

impl Walk {
    /// How many codes a block of rows has.
    pub(super) fn codes(&self) -> usize {
        let rows = (BLOCK_CODES / self.slots.len()).next_multiple_of(LANES).max(LANES);
        rows * self.slots.len()
    }

    /// Adds the leaves that each of `rows` comes to to `sums`, which has `width` numbers for
    /// every row, one per group first. `codes` is the memory for a block.
    pub(super) fn sum(
        &self,
        groups: &[Vec<Tree>],
        rows: &[f64],
        codes: &mut [u32],
        sums: &mut [f64],
        width: usize,
    ) {
        let slots = self.slots.len();
        let block = codes.len() / slots;
        let blocks = rows.chunks(block * self.slots.columns()).zip(sums.chunks_mut(block * width));
        for (rows, sums) in blocks {
            // Rows of an earlier block may stand behind these. They walk along in the last
            // lanes, and nobody takes their leaves.
            self.slots.encode(rows, codes);
            for (group, trees) in groups.iter().enumerate() {
                for tree in trees {
                    let lanes = codes.chunks_exact(LANES * slots);
                    for (codes, sums) in lanes.zip(sums.chunks_mut(LANES * width)) {
                        let leaves = self.walk(tree, codes);
                        for (sums, leaf) in sums.chunks_exact_mut(width).zip(leaves) {
                            sums[group] += f64::from(leaf);
                        }
                    }
                }
            }
        }
    }

    /// The leaves that `LANES` rows come to in a tree.
    fn walk(&self, tree: &Tree, codes: &[u32]) -> [f32; LANES] {
        let slots = self.slots.len();
        // Nodes are counted in 32 bits: the decoder makes sure of it.
        let mut at = [tree.nodes.start as u32; LANES];
        let mut left = tree.depth;
        while left > 0 {
            let before = at;
            let steps = left.min(STRIDE);
            for _ in 0..steps {
                for (at, codes) in at.iter_mut().zip(codes.chunks_exact(slots)) {
                    *at = self.step(*at, codes);
                }
            }
            left -= steps;
            if at == before {
                break;
            }
        }
        at.map(|at| self.leaves[at as usize])
    }

    /// The node after the one at `at`, for the row with these codes.
    #[inline(always)]
    fn step(&self, at: u32, codes: &[u32]) -> u32 {
        let node = &self.nodes[at as usize];
        let right = self.right(node, codes[node.slot as usize]);
        // Chosen by arithmetic: which way a row goes is hard to predict.
        let right = u32::from(right).wrapping_neg();
        (node.right & right) | ((at + 1) & !right)
    }

    /// Whether a code goes right.
    #[inline(always)]
    fn right(&self, node: &Node, code: u32) -> bool {
        let set = node.set as usize;
        let (first, count) = (self.pool.words[set], self.pool.words[set + 1]);
        let missing = u32::from(code == MISSING);
        let place = code.wrapping_sub(first).min(count) + missing;
        let word = self.pool.words[set + SET_HEADER + (place >> 5) as usize];
        let member = word >> (place & 31) & 1 != 0;
        (code >= node.threshold) | member
    }

    /// Whether a code goes right at a node.
    pub(super) fn goes_right(&self, node: usize, code: u32) -> bool {
        self.right(&self.nodes[node], code)
    }

    /// Whether a node is a leaf.
    pub(super) fn is_leaf(&self, node: usize) -> bool {
        self.nodes[node].right as usize == node
    }

    /// The category behind the last one that a node's set covers.
    pub(super) fn reach(&self, node: usize) -> u32 {
        let set = self.nodes[node].set as usize;
        self.pool.words[set].saturating_add(self.pool.words[set + 1])
    }
}
