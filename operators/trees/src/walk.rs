//! Rows that walk through trees of any size.
//!
//! Rows are taken in blocks, so that a block's codes stay in the nearest cache while tree
//! after tree is walked. Within a block several rows walk the same tree in step, without a
//! branch that depends on them: each step waits for memory, but the steps of different rows
//! do not wait for each other.

use crate::compiled::{Compiled, Leaf, Tree};
use crate::sum::Sum;

/// How many rows walk in step.
const LANES: usize = 8;
/// How many codes a block holds, about: they and the nodes should fit into 32 KiB.
const BLOCK_CODES: usize = 1024;
/// How many steps are taken before looking whether all rows have come to a leaf.
const STRIDE: u32 = 6;

/// How many codes a block of rows has.
pub(crate) fn codes<L: Leaf>(trees: &Compiled<L>) -> usize {
    let slots = trees.slots.len();
    (BLOCK_CODES / slots).next_multiple_of(LANES).max(LANES) * slots
}

/// Adds the leaves that each of `rows` comes to to `sums`, which has `width` numbers for
/// every row, one per group first. `codes` is the memory for a block.
pub(crate) fn sum<L: Leaf, S: Sum<L>>(
    trees: &Compiled<L>,
    groups: &[Vec<Tree>],
    rows: &[f64],
    codes: &mut [u32],
    sums: &mut [S],
    width: usize,
) {
    let slots = trees.slots.len();
    let block = codes.len() / slots;
    let blocks = rows.chunks(block * trees.slots.columns()).zip(sums.chunks_mut(block * width));
    for (rows, sums) in blocks {
        // Rows of an earlier block may stand behind these. They walk along in the last
        // lanes, and nobody takes their leaves.
        trees.slots.encode(rows, codes);
        for (group, members) in groups.iter().enumerate() {
            for tree in members {
                let lanes = codes.chunks_exact(LANES * slots);
                for (codes, sums) in lanes.zip(sums.chunks_mut(LANES * width)) {
                    let leaves = walk(trees, tree, codes).map(|at| trees.leaves[at as usize]);
                    for (sums, leaf) in sums.chunks_exact_mut(width).zip(leaves) {
                        sums[group] += S::of(leaf);
                    }
                }
            }
        }
    }
}

/// Puts the leaves that each of `rows` comes to into `leaves`, which has `width` numbers for
/// every row, one per tree: the leaf's number in its tree. `codes` is the memory for a block.
pub(crate) fn leaves<L: Leaf>(
    trees: &Compiled<L>,
    groups: &[Vec<Tree>],
    rows: &[f64],
    codes: &mut [u32],
    leaves: &mut [u32],
    width: usize,
) {
    let slots = trees.slots.len();
    let block = codes.len() / slots;
    let blocks = rows.chunks(block * trees.slots.columns()).zip(leaves.chunks_mut(block * width));
    for (rows, leaves) in blocks {
        trees.slots.encode(rows, codes);
        for tree in groups.iter().flatten() {
            let lanes = codes.chunks_exact(LANES * slots);
            for (codes, leaves) in lanes.zip(leaves.chunks_mut(LANES * width)) {
                let found = walk(trees, tree, codes);
                for (leaves, found) in leaves.chunks_exact_mut(width).zip(found) {
                    leaves[tree.number] = found - tree.nodes.start as u32;
                }
            }
        }
    }
}

/// The nodes that `LANES` rows come to in a tree.
#[inline]
fn walk<L: Leaf>(trees: &Compiled<L>, tree: &Tree, codes: &[u32]) -> [u32; LANES] {
    let slots = trees.slots.len();
    // Nodes are counted in 32 bits: `Compiled::next` makes sure of it.
    let mut at = [tree.nodes.start as u32; LANES];
    let mut left = tree.depth;
    while left > 0 {
        let before = at;
        let steps = left.min(STRIDE);
        for _ in 0..steps {
            for (at, codes) in at.iter_mut().zip(codes.chunks_exact(slots)) {
                *at = step(trees, *at, codes);
            }
        }
        left -= steps;
        if at == before {
            break;
        }
    }
    at
}

/// The node after the one at `at`, for the row with these codes.
#[inline(always)]
fn step<L: Leaf>(trees: &Compiled<L>, at: u32, codes: &[u32]) -> u32 {
    let node = &trees.nodes[at as usize];
    let right = trees.goes_right(node, codes[node.slot as usize]);
    // Chosen by arithmetic: which way a row goes is hard to predict.
    let right = u32::from(right).wrapping_neg();
    (node.right & right) | ((at + 1) & !right)
}
