//! All trees of a model, and which way their leaves are found.

use super::codes::Slots;
use super::masks::{self, Masks};
use super::tree::{Decoder, Format, Pool};
use super::walk::{Tree, Walk};
use crate::Error;
use crate::columns::Feature;
use crate::limits;

/// A forest that trees are still added to.
#[derive(Debug)]
pub(super) struct Builder {
    walk: Walk,
    groups: Vec<Vec<Tree>>,
    format: Format,
    node_limit: u64,
}

/// All trees of a model.
#[derive(Debug)]
pub(super) struct Forest {
    walk: Walk,
    /// For every group its trees, in the order in which they are summed up.
    groups: Vec<Vec<Tree>>,
    /// The faster way, where it can be taken.
    masks: Option<Masks>,
}

/// The memory for one block of rows.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// The codes of rows that walk.
    codes: Vec<u32>,
    masks: masks::Scratch,
}

impl Builder {
    /// A forest without trees, whose sums come in `groups`.
    pub(super) fn new(features: &[Feature], format: Format, groups: usize, nodes: u64) -> Self {
        let slots = Slots::new(features, format == Format::Third);
        Self {
            walk: Walk { slots, nodes: vec![], leaves: vec![], pool: Pool::new() },
            groups: vec![vec![]; groups],
            format,
            node_limit: nodes,
        }
    }

    /// Adds the tree in `bytes` to a group.
    pub(super) fn add(&mut self, group: usize, bytes: &[u8], entry: &str) -> Result<(), Error> {
        let begin = self.walk.nodes.len();
        let mut decoder = Decoder {
            format: self.format,
            slots: &mut self.walk.slots,
            nodes: &mut self.walk.nodes,
            leaves: &mut self.walk.leaves,
            pool: &mut self.walk.pool,
        };
        let depth = decoder.decode(bytes, entry)?;
        let end = self.walk.nodes.len();
        limits::check(|| format!("{entry}: nodes so far"), end as u64, self.node_limit, "nodes")?;
        self.groups[group].push(Tree { nodes: begin..end, depth });
        Ok(())
    }

    /// The forest of the trees that were added.
    pub(super) fn build(self) -> Forest {
        let masks = Masks::of(&self.walk, &self.groups);
        Forest { walk: self.walk, groups: self.groups, masks }
    }
}

impl Forest {
    /// The memory that [`sum`](Self::sum) needs.
    pub(super) fn scratch(&self) -> Scratch {
        let codes = if self.masks.is_some() { 0 } else { self.walk.codes() };
        Scratch { codes: vec![0; codes], masks: masks::Scratch::default() }
    }

    /// Adds the leaves that each of `rows` comes to to `sums`, which has `width` numbers for
    /// every row, one per group first.
    pub(super) fn sum(&self, rows: &[f64], scratch: &mut Scratch, sums: &mut [f64], width: usize) {
        match &self.masks {
            Some(masks) => masks.sum(rows, &mut scratch.masks, sums, width),
            None => self.walk.sum(&self.groups, rows, &mut scratch.codes, sums, width),
        }
    }
}

#[cfg(test)]
impl Forest {
    /// The sums of both ways, where both can be taken.
    pub(super) fn both(&self, rows: &[f64], width: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let masks = self.masks.as_ref()?;
        let count = rows.len() / self.walk.slots.columns() * width;
        let (mut walked, mut masked) = (vec![0.0; count], vec![0.0; count]);
        let mut codes = vec![0; self.walk.codes()];
        self.walk.sum(&self.groups, rows, &mut codes, &mut walked, width);
        masks.sum(rows, &mut masks::Scratch::default(), &mut masked, width);
        Some((walked, masked))
    }
}
