//! The nodes of all trees in one array, and how rows walk through them.
//!
//! Rows are taken in blocks, so that a block's values stay in the nearest cache while tree
//! after tree is walked. Within a block several rows walk the same tree in step: each step
//! waits for memory, and the steps of different rows do not wait for each other.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::tree::{
    CATEGORIES, Decoder, Format, LEAF, MISSING_RIGHT, Node, OUTSIDE_RIGHT, SET_HEADER,
};
use crate::Error;
use crate::columns::Feature;
use crate::limits;

/// How many rows walk in step.
const LANES: usize = 8;
/// How many values a block holds, about: they and the nodes should fit into 32 KiB.
const BLOCK_VALUES: usize = 512;
/// The category number of a missing value. No set reaches as far.
const MISSING: u32 = u32::MAX;

/// All trees of a model.
#[derive(Debug)]
pub(super) struct Forest {
    nodes: Vec<Node>,
    /// The sets of categories: a header, then bits.
    pool: Vec<u32>,
    empties: HashMap<u32, u32, RandomState>,
    /// For every group the roots of its trees, in the order in which they are summed up.
    roots: Vec<Vec<u32>>,
    format: Format,
    /// From which number on a value of a categorical column counts as missing.
    ends: Vec<Option<u32>>,
    /// The columns that some set is tested against.
    coded: Vec<u16>,
    node_limit: u64,
}

/// The memory for one block of rows.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// The values, row-major.
    values: Vec<f64>,
    /// The same as numbers of categories, where a column is `coded`.
    codes: Vec<u32>,
}

impl Forest {
    /// A forest without trees, whose sums come in `groups`.
    pub(super) fn new(features: &[Feature], format: Format, groups: usize, nodes: u64) -> Self {
        let end = |feature: &Feature| {
            feature.domain().filter(|_| format == Format::Third).map(|d| d.levels().len() as u32)
        };
        Self {
            nodes: vec![],
            pool: vec![],
            empties: HashMap::default(),
            roots: vec![vec![]; groups],
            format,
            ends: features.iter().map(end).collect(),
            coded: vec![],
            node_limit: nodes,
        }
    }

    /// Adds the tree in `bytes` to a group.
    pub(super) fn add(&mut self, group: usize, bytes: &[u8], entry: &str) -> Result<(), Error> {
        let root = self.nodes.len();
        let mut decoder = Decoder {
            format: self.format,
            features: self.ends.len(),
            nodes: &mut self.nodes,
            pool: &mut self.pool,
            empties: &mut self.empties,
        };
        decoder.decode(bytes, entry)?;
        let count = self.nodes.len() as u64;
        limits::check(|| format!("{entry}: nodes so far"), count, self.node_limit, "nodes")?;
        for node in &self.nodes[root..] {
            if node.flags & CATEGORIES != 0
                && let Err(place) = self.coded.binary_search(&node.column)
            {
                self.coded.insert(place, node.column);
            }
        }
        // The decoder counts nodes in 32 bits.
        self.roots[group].push(root as u32);
        Ok(())
    }

    /// The memory that [`sum`](Self::sum) needs.
    pub(super) fn scratch(&self) -> Scratch {
        let features = self.ends.len();
        let rows = (BLOCK_VALUES / features).next_multiple_of(LANES).max(LANES);
        Scratch { values: vec![0.0; rows * features], codes: vec![0; rows * features] }
    }

    /// Adds the leaves that each of `rows` reaches to `sums`, which has `width` numbers for
    /// every row, one per group first.
    pub(super) fn sum(&self, rows: &[f64], scratch: &mut Scratch, sums: &mut [f64], width: usize) {
        let features = self.ends.len();
        let block = scratch.values.len() / features;
        for (rows, sums) in rows.chunks(block * features).zip(sums.chunks_mut(block * width)) {
            self.load(rows, scratch);
            let Scratch { values, codes } = &*scratch;
            for (group, roots) in self.roots.iter().enumerate() {
                for root in roots {
                    let lanes = LANES * features;
                    let values = values.chunks_exact(lanes).zip(codes.chunks_exact(lanes));
                    for ((values, codes), sums) in values.zip(sums.chunks_mut(LANES * width)) {
                        let leaves = self.walk(*root, values, codes, features);
                        let sums = sums.chunks_exact_mut(width);
                        for (sums, leaf) in sums.zip(leaves) {
                            sums[group] += f64::from(leaf);
                        }
                    }
                }
            }
        }
    }

    /// Copies a block of rows and numbers its categories.
    fn load(&self, rows: &[f64], scratch: &mut Scratch) {
        let features = self.ends.len();
        let Scratch { values, codes } = scratch;
        // Rows of an earlier block may stand behind these: they walk along in the last lanes,
        // and nobody takes their leaves.
        values[..rows.len()].copy_from_slice(rows);
        let values = &mut values[..rows.len()];
        for (column, end) in self.ends.iter().enumerate() {
            let Some(end) = end else { continue };
            for value in values[column..].iter_mut().step_by(features) {
                if *value as i32 >= 0 && *value as i32 as u32 >= *end {
                    *value = f64::NAN;
                }
            }
        }
        for column in &self.coded {
            let column = usize::from(*column);
            let values = values[column..].iter().step_by(features);
            for (code, value) in codes[column..].iter_mut().step_by(features).zip(values) {
                // Negative numbers become ones beyond every set.
                *code = if value.is_nan() { MISSING } else { *value as i32 as u32 };
            }
        }
    }

    /// The leaves that `LANES` rows reach from `root`.
    fn walk(&self, root: u32, values: &[f64], codes: &[u32], features: usize) -> [f32; LANES] {
        let mut at = [root; LANES];
        loop {
            // A step leads to a later node or, from a leaf, nowhere: this ends.
            let mut moved = 0;
            for (lane, at) in at.iter_mut().enumerate() {
                let next = self.step(*at, &values[lane * features..], &codes[lane * features..]);
                moved |= next ^ *at;
                *at = next;
            }
            if moved == 0 {
                return at.map(|at| f32::from_bits(self.nodes[at as usize].value));
            }
        }
    }

    /// The node after the one at `at`, for one row.
    #[inline(always)]
    fn step(&self, at: u32, values: &[f64], codes: &[u32]) -> u32 {
        let node = self.nodes[at as usize];
        let column = usize::from(node.column);
        let right = if node.flags & CATEGORIES == 0 {
            let value = values[column];
            let beyond = value >= f64::from(f32::from_bits(node.value));
            beyond | (value.is_nan() & (node.flags & MISSING_RIGHT != 0))
        } else {
            self.in_set(node, codes[column])
        };
        if right { node.right } else { at + u32::from(node.flags & LEAF == 0) }
    }

    /// Whether `code` goes right at a node that tests for a set.
    #[inline(always)]
    fn in_set(&self, node: Node, code: u32) -> bool {
        let begin = node.value as usize;
        let place = code.wrapping_sub(self.pool[begin]);
        if place < self.pool[begin + 1] {
            let word = self.pool[begin + SET_HEADER + (place >> 5) as usize];
            word >> (place & 31) & 1 != 0
        } else if code == MISSING {
            node.flags & MISSING_RIGHT != 0
        } else {
            node.flags & OUTSIDE_RIGHT != 0
        }
    }
}
