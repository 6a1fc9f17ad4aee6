//! All trees of a model, and which way their leaves are found.

use crate::codes::{Comparison, Slots};
use crate::compiled::{Compiled, Leaf, Tree};
use crate::error::Error;
use crate::masks::{self, Masks};
use crate::sets::Sets;
use crate::sum::Sum;
use crate::walk;
use crate::writer::TreeWriter;

/// What a forest is of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many columns a row has, at least one.
    pub columns: usize,
    /// How many sums a row has: one, or one per class.
    pub groups: usize,
    /// How numbers are compared with thresholds.
    pub comparison: Comparison,
    /// By column, from which number on a value, without its fraction, counts as missing at
    /// tests that ask for [`Missing::Nan`](crate::Missing::Nan) or for a set; empty where none
    /// does.
    pub missing_from: Vec<i64>,
    /// How many nodes there may be, leaves included. Each takes 16 bytes and its leaf's, and
    /// 8 more while trees are added if thresholds are doubles.
    pub node_limit: u64,
    /// How many bytes sets of categories may take together.
    pub set_limit: u64,
}

/// A forest that trees are still added to.
#[derive(Debug)]
pub struct Builder<L> {
    trees: Compiled<L>,
    groups: Vec<Vec<Tree>>,
    count: usize,
    node_limit: u64,
}

/// All trees of a model, whose leaves hold `L`: `f32` or `f64`.
#[derive(Debug)]
pub struct Forest<L> {
    trees: Compiled<L>,
    /// For every group its trees, in the order in which they are summed up.
    groups: Vec<Vec<Tree>>,
    count: usize,
    way: Way<L>,
}

/// How leaves are found.
#[derive(Debug)]
enum Way<L> {
    Walk,
    /// The faster ways, where they can be taken: by masks of so many leaves.
    Masks32(Masks<L, u32, 32>),
    Masks64(Masks<L, u64, 64>),
}

/// The memory for one block of rows; of one forest.
#[derive(Debug)]
pub struct Scratch {
    /// The codes of rows that walk.
    codes: Vec<u32>,
    masks: masks::Scratch,
}

impl<L: Leaf> Builder<L> {
    /// A forest without trees.
    pub fn new(settings: Settings) -> Self {
        let Settings { columns, groups, comparison, missing_from, node_limit, set_limit } =
            settings;
        let slots = Slots::new(comparison, columns.max(1), missing_from);
        let trees = Compiled::new(slots, Sets::new(set_limit));
        Self { trees, groups: vec![vec![]; groups], count: 0, node_limit }
    }

    /// How many nodes all trees have so far.
    pub fn nodes(&self) -> u64 {
        self.trees.nodes.len() as u64
    }

    /// How many trees there are so far.
    pub fn trees(&self) -> usize {
        self.count
    }

    /// Begins a tree of a group. Trees are summed up in the order in which they are added to a
    /// group.
    ///
    /// # Errors
    ///
    /// [`Error::Group`].
    pub fn tree(&mut self, group: usize) -> Result<TreeWriter<'_, L>, Error> {
        let groups = self.groups.len();
        let members = self.groups.get_mut(group).ok_or(Error::Group { group, groups })?;
        Ok(TreeWriter::new(&mut self.trees, members, &mut self.count, self.node_limit))
    }

    /// The forest of the trees that were added.
    pub fn build(mut self) -> Forest<L> {
        self.trees.rank();
        let small = Masks::of(&self.trees, &self.groups).map(Way::Masks32);
        let large = || Masks::of(&self.trees, &self.groups).map(Way::Masks64);
        let way = small.or_else(large).unwrap_or(Way::Walk);
        Forest { trees: self.trees, groups: self.groups, count: self.count, way }
    }
}

impl<L: Leaf> Forest<L> {
    /// How many columns a row has.
    pub fn columns(&self) -> usize {
        self.trees.slots.columns()
    }

    /// How many sums a row has.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// How many trees there are.
    pub fn trees(&self) -> usize {
        self.count
    }

    /// Whether leaves are found by elimination, which is faster than walking.
    pub fn has_masks(&self) -> bool {
        !matches!(self.way, Way::Walk)
    }

    /// The memory that [`sum`](Self::sum) and [`leaves`](Self::leaves) need.
    pub fn scratch(&self) -> Scratch {
        Scratch { codes: vec![], masks: masks::Scratch::default() }
    }

    /// Adds the leaves that each of `rows`, row-major, comes to to `sums`, which has `width`
    /// numbers for every row, one per group first. What `sums` holds before is what is added
    /// to: tree after tree, in the order in which they were added to the group.
    ///
    /// # Panics
    ///
    /// Where `width` is smaller than the number of groups.
    #[inline]
    pub fn sum<S: Sum<L>>(
        &self,
        rows: &[f64],
        scratch: &mut Scratch,
        sums: &mut [S],
        width: usize,
    ) {
        let (slots, memory) = (&self.trees.slots, &mut scratch.masks);
        match &self.way {
            Way::Masks32(masks) => masks.sum(slots, rows, memory, sums, width),
            Way::Masks64(masks) => masks.sum(slots, rows, memory, sums, width),
            Way::Walk => self.sum_by_walking(rows, scratch, sums, width),
        }
    }

    /// As [`sum`](Self::sum), without the tables that may make that faster: what they find is
    /// to be the same.
    ///
    /// # Panics
    ///
    /// As [`sum`](Self::sum).
    pub fn sum_by_walking<S: Sum<L>>(
        &self,
        rows: &[f64],
        scratch: &mut Scratch,
        sums: &mut [S],
        width: usize,
    ) {
        let codes = scratch.codes(walk::codes(&self.trees));
        walk::sum(&self.trees, &self.groups, rows, codes, sums, width);
    }

    /// Puts into `leaves` which leaf each of `rows` comes to: for every row one number per
    /// tree, in the order in which they were added to the forest. It is the leaf's number
    /// among the nodes of its tree, from 0, in the order in which they were written.
    pub fn leaves(&self, rows: &[f64], scratch: &mut Scratch, leaves: &mut [u32]) {
        if self.count > 0 {
            let codes = scratch.codes(walk::codes(&self.trees));
            walk::leaves(&self.trees, &self.groups, rows, codes, leaves, self.count);
        }
    }
}

impl Scratch {
    /// The codes of a block of rows.
    fn codes(&mut self, count: usize) -> &mut [u32] {
        self.codes.resize(count, 0);
        &mut self.codes
    }
}
