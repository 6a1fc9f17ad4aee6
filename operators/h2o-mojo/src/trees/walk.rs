//! Rows that walk through trees of any size.
//!
//! Rows are taken in blocks, so that a block's codes stay in the nearest cache while tree
//! after tree is walked. Within a block several rows walk the same tree in step, without a
//! branch that depends on them: each step waits for memory, but the steps of different rows
//! do not wait for each other.

use super::compiled::{Compiled, Tree};

/// How many rows walk in step.
const LANES: usize = 8;
/// How many codes a block holds, about: they and the nodes should fit into 32 KiB.
const BLOCK_CODES: usize = 1024;
/// How many steps are taken before looking whether all rows have come to a leaf.
const STRIDE: u32 = 6;

/// How many codes a block of rows has.
pub(super) fn codes(trees: &Compiled) -> usize {
    let slots = trees.slots.len();
    (BLOCK_CODES / slots).next_multiple_of(LANES).max(LANES) * slots
}

/// Adds the leaves that each of `rows` comes to to `sums`, which has `width` numbers for
/// every row, one per group first. `codes` is the memory for a block.
pub(super) fn sum(
    trees: &Compiled,
    groups: &[Vec<Tree>],
    rows: &[f64],
    codes: &mut [u32],
    sums: &mut [f64],
    width: usize,
) {
    let slots = trees.slots.len();
    let block = codes.len() / slots;
    let blocks = rows.chunks(block * trees.columns()).zip(sums.chunks_mut(block * width));
    for (rows, sums) in blocks {
        // Rows of an earlier block may stand behind these. They walk along in the last
        // lanes, and nobody takes their leaves.
        trees.slots.encode(rows, codes);
        for (group, members) in groups.iter().enumerate() {
            for tree in members {
                let lanes = codes.chunks_exact(LANES * slots);
                for (codes, sums) in lanes.zip(sums.chunks_mut(LANES * width)) {
                    let leaves = walk(trees, tree, codes);
                    for (sums, leaf) in sums.chunks_exact_mut(width).zip(leaves) {
                        sums[group] += f64::from(leaf);
                    }
                }
            }
        }
    }
}

/// The leaves that `LANES` rows come to in a tree.
fn walk(trees: &Compiled, tree: &Tree, codes: &[u32]) -> [f32; LANES] {
    let slots = trees.slots.len();
    // Nodes are counted in 32 bits: their decoders make sure of it.
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
    at.map(|at| trees.leaves[at as usize])
}

/// The node after the one at `at`, for the row with these codes.
#[inline(always)]
fn step(trees: &Compiled, at: u32, codes: &[u32]) -> u32 {
    let node = &trees.nodes[at as usize];
    let right = trees.goes_right(node, codes[node.slot as usize]);
    // Chosen by arithmetic: which way a row goes is hard to predict.
    let right = u32::from(right).wrapping_neg();
    (node.right & right) | ((at + 1) & !right)
}
