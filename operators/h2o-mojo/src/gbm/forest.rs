//! The nodes of all trees in one array, and how rows walk through them.
//!
//! Rows are taken in blocks, so that a block's codes stay in the nearest cache while tree
//! after tree is walked. Within a block several rows walk the same tree in step, without a
//! branch that depends on them: each step waits for memory, but the steps of different rows
//! do not wait for each other.

use super::codes::{MISSING, Slots};
use super::tree::{Decoder, Format, Node, Pool, SET_HEADER};
use crate::Error;
use crate::columns::Feature;
use crate::limits;

/// How many rows walk in step.
const LANES: usize = 8;
/// How many codes a block holds, about: they and the nodes should fit into 32 KiB.
const BLOCK_CODES: usize = 1024;
/// How many steps are taken before looking whether all rows have come to a leaf.
const STRIDE: u32 = 6;

/// All trees of a model.
#[derive(Debug)]
pub(super) struct Forest {
    slots: Slots,
    nodes: Vec<Node>,
    /// By node, what its tree predicts if it is a leaf.
    leaves: Vec<f32>,
    pool: Pool,
    /// For every group its trees, in the order in which they are summed up.
    groups: Vec<Vec<Tree>>,
    format: Format,
    node_limit: u64,
}

/// Where a tree begins and how many steps it takes at most to get to a leaf.
#[derive(Debug, Clone, Copy)]
struct Tree {
    root: u32,
    depth: u32,
}

/// The memory for one block of rows.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// The codes of the rows, row-major.
    codes: Vec<u32>,
}

impl Forest {
    /// A forest without trees, whose sums come in `groups`.
    pub(super) fn new(features: &[Feature], format: Format, groups: usize, nodes: u64) -> Self {
        Self {
            slots: Slots::new(features, format == Format::Third),
            nodes: vec![],
            leaves: vec![],
            pool: Pool::new(),
            groups: vec![vec![]; groups],
            format,
            node_limit: nodes,
        }
    }

    /// Adds the tree in `bytes` to a group.
    pub(super) fn add(&mut self, group: usize, bytes: &[u8], entry: &str) -> Result<(), Error> {
        // The decoder has made sure that nodes are counted in 32 bits.
        let root = self.nodes.len() as u32;
        let mut decoder = Decoder {
            format: self.format,
            slots: &mut self.slots,
            nodes: &mut self.nodes,
            leaves: &mut self.leaves,
            pool: &mut self.pool,
        };
        let depth = decoder.decode(bytes, entry)?;
        let count = self.nodes.len() as u64;
        limits::check(|| format!("{entry}: nodes so far"), count, self.node_limit, "nodes")?;
        self.groups[group].push(Tree { root, depth });
        Ok(())
    }

    /// The memory that [`sum`](Self::sum) needs.
    pub(super) fn scratch(&self) -> Scratch {
        let rows = (BLOCK_CODES / self.slots.len()).next_multiple_of(LANES).max(LANES);
        Scratch { codes: vec![0; rows * self.slots.len()] }
    }

    /// Adds the leaves that each of `rows` reaches to `sums`, which has `width` numbers for
    /// every row, one per group first.
    pub(super) fn sum(&self, rows: &[f64], scratch: &mut Scratch, sums: &mut [f64], width: usize) {
        let slots = self.slots.len();
        let codes = &mut scratch.codes;
        let block = codes.len() / slots;
        let blocks = rows.chunks(block * self.slots.columns()).zip(sums.chunks_mut(block * width));
        for (rows, sums) in blocks {
            // Rows of an earlier block may stand behind these. They walk along in the last
            // lanes, and nobody takes their leaves.
            self.slots.encode(rows, codes);
            for (group, trees) in self.groups.iter().enumerate() {
                for tree in trees {
                    let lanes = codes.chunks_exact(LANES * slots);
                    for (codes, sums) in lanes.zip(sums.chunks_mut(LANES * width)) {
                        let leaves = self.walk(*tree, codes);
                        for (sums, leaf) in sums.chunks_exact_mut(width).zip(leaves) {
                            sums[group] += f64::from(leaf);
                        }
                    }
                }
            }
        }
    }

    /// The leaves that `LANES` rows come to in a tree.
    fn walk(&self, tree: Tree, codes: &[u32]) -> [f32; LANES] {
        let slots = self.slots.len();
        let mut at = [tree.root; LANES];
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
        let node = self.nodes[at as usize];
        let code = codes[node.slot as usize];
        let set = node.set as usize;
        let (first, count) = (self.pool.words[set], self.pool.words[set + 1]);
        let missing = u32::from(code == MISSING);
        let place = code.wrapping_sub(first).min(count) + missing;
        let word = self.pool.words[set + SET_HEADER + (place >> 5) as usize];
        let member = word >> (place & 31) & 1 != 0;
        // Chosen by arithmetic: which way a row goes is hard to predict.
        let right = u32::from((code >= node.threshold) | member).wrapping_neg();
        (node.right & right) | ((at + 1) & !right)
    }
}
