//! All trees of a model, and which way their leaves are found.

use super::compiled::{Compiled, Tree};
use super::masks::{self, Masks};
use super::walk;
use crate::error::Error;
use crate::limits;

/// A forest that trees are still added to.
#[derive(Debug)]
pub(crate) struct Builder {
    trees: Compiled,
    groups: Vec<Vec<Tree>>,
}

/// All trees of a model.
#[derive(Debug)]
pub(crate) struct Forest {
    trees: Compiled,
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
    /// A forest without trees, whose sums come in `groups`. `ends` has, for every column of
    /// a row, from which number on a value counts as missing.
    pub(crate) fn new(ends: Vec<i64>, groups: usize, node_limit: u64) -> Self {
        Self { trees: Compiled::new(ends, node_limit), groups: vec![vec![]; groups] }
    }

    /// Fails where a tree, not decoded yet, has more nodes than there is room for. `count`
    /// answers how many it has, or more than its argument where it has more.
    pub(crate) fn check(
        &self,
        entry: &str,
        count: impl FnOnce(u64) -> Result<u64, Error>,
    ) -> Result<(), Error> {
        let before = self.trees.nodes.len() as u64;
        let nodes = before.saturating_add(count(self.trees.node_limit.saturating_sub(before))?);
        limits::check(|| nodes_of(entry), nodes, self.trees.node_limit, "nodes")
    }

    /// Adds the tree that `decode` appends to a group; `decode` answers the tree's depth.
    pub(crate) fn add(
        &mut self,
        group: usize,
        decode: impl FnOnce(&mut Compiled) -> Result<u32, Error>,
    ) -> Result<(), Error> {
        let begin = self.trees.nodes.len();
        let depth = decode(&mut self.trees)?;
        self.groups[group].push(Tree { nodes: begin..self.trees.nodes.len(), depth });
        Ok(())
    }

    /// The forest of the trees that were added.
    pub(crate) fn build(self) -> Forest {
        let masks = Masks::of(&self.trees, &self.groups);
        Forest { trees: self.trees, groups: self.groups, masks }
    }
}

impl Forest {
    /// The memory that [`sum`](Self::sum) needs.
    pub(crate) fn scratch(&self) -> Scratch {
        let codes = if self.masks.is_some() { 0 } else { walk::codes(&self.trees) };
        Scratch { codes: vec![0; codes], masks: masks::Scratch::default() }
    }

    /// Adds the leaves that each of `rows` comes to to `sums`, which has `width` numbers for
    /// every row, one per group first.
    pub(crate) fn sum(&self, rows: &[f64], scratch: &mut Scratch, sums: &mut [f64], width: usize) {
        match &self.masks {
            Some(masks) => masks.sum(rows, &mut scratch.masks, sums, width),
            None => walk::sum(&self.trees, &self.groups, rows, &mut scratch.codes, sums, width),
        }
    }
}

/// What there may be too much of.
pub(super) fn nodes_of(entry: &str) -> String {
    format!("{entry}: nodes so far")
}

#[cfg(test)]
impl Forest {
    /// The sums of both ways, where both can be taken.
    pub(crate) fn both(&self, rows: &[f64], width: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let masks = self.masks.as_ref()?;
        let count = rows.len() / self.trees.columns() * width;
        let (mut walked, mut masked) = (vec![0.0; count], vec![0.0; count]);
        let mut codes = vec![0; walk::codes(&self.trees)];
        walk::sum(&self.trees, &self.groups, rows, &mut codes, &mut walked, width);
        masks.sum(rows, &mut masks::Scratch::default(), &mut masked, width);
        Some((walked, masked))
    }
}
