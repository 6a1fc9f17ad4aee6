//! The leaves of small trees by elimination, without walking.
//!
//! Number a tree's leaves from left to right and give each a bit. A test that goes right
//! rules out the leaves of its left branch, and the other way round; what all tests of a tree
//! leave over is the leaf that a walk would come to. All tests of one column depend on one
//! value, so for every range of values between two thresholds, and for every category, what
//! they rule out together is known beforehand, for all trees. Scoring a row is then one
//! look-up per column and the intersection of what was found.
//!
//! This is several times as fast as walking, as long as trees have at most 32 leaves (H2O's
//! default depth is 5), or 64 (XGBoost's is 6), and the tables fit into a cache; [`Masks::of`]
//! decides.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::{BitAndAssign, Range};

use crate::codes::{Comparison, Kind, MISSING, OUTSIDE, Reading, Slots};
use crate::compiled::{Compiled, Leaf, Tree};
use crate::sum::Sum;

/// Trees per vector.
const LANES: usize = 4;
/// How many trees there may be.
const TREES: usize = 2048;
/// How many bytes the tables may take together.
const BYTES: usize = 8 << 20;
/// How many rows are looked up in a table at a time.
const BLOCK: usize = 32;

/// A mask: a bit for each leaf that a tree may have.
pub(crate) trait Mask: Copy + Debug + BitAndAssign + Send + Sync {
    /// All leaves.
    const ALL: Self;

    /// The leaves from one on, up to another one; there is one at least.
    fn span(from: u32, to: u32) -> Self;

    /// All leaves but these.
    fn without(leaves: Self) -> Self;

    /// The first leaf.
    fn first(self) -> u32;
}

impl Mask for u32 {
    const ALL: Self = Self::MAX;

    fn span(from: u32, to: u32) -> Self {
        Self::MAX >> (Self::BITS - (to - from)) << from
    }

    fn without(leaves: Self) -> Self {
        !leaves
    }

    #[inline(always)]
    fn first(self) -> u32 {
        self.trailing_zeros()
    }
}

impl Mask for u64 {
    const ALL: Self = Self::MAX;

    fn span(from: u32, to: u32) -> Self {
        Self::MAX >> (Self::BITS - (to - from)) << from
    }

    fn without(leaves: Self) -> Self {
        !leaves
    }

    #[inline(always)]
    fn first(self) -> u32 {
        self.trailing_zeros()
    }
}

/// The tables of all columns, of trees that have up to `LEAVES` leaves, as many as a mask has
/// bits.
#[derive(Debug)]
pub(crate) struct Masks<L, M, const LEAVES: usize> {
    tables: Vec<Table>,
    /// By table, then by bin, then by tree: the leaves that the column's tests leave over.
    masks: Vec<[M; LANES]>,
    /// Vectors per bin.
    stride: usize,
    /// By tree, then by leaf.
    leaves: Vec<[L; LEAVES]>,
    /// For every group its trees.
    groups: Vec<Range<usize>>,
}

/// The bins of one column's values.
#[derive(Debug)]
struct Table {
    column: u32,
    kind: Kind,
    /// Where its masks begin.
    begin: usize,
    bins: Bins,
}

#[derive(Debug)]
enum Bins {
    /// Bin `n` is of codes that reach `n` of these ascending thresholds. One more is of
    /// missing values.
    Numbers(Vec<u32>),
    /// Bin `n` is of codes that are `n + 1`: so many of the column's thresholds they reach,
    /// and one. There are so many thresholds. One more bin is of missing values.
    Ranks(u32),
    /// A bin for each category below this one, one for the others, one for missing values.
    Categories(u32),
}

/// The memory for one block of rows.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// By row, then by table: where the masks of the row's bin begin.
    bins: Vec<usize>,
    /// By tree, the leaf that a row comes to.
    exits: Vec<u32>,
}

impl<L: Leaf, M: Mask, const LEAVES: usize> Masks<L, M, LEAVES> {
    /// The tables of a forest; `None` where its trees or the tables would be too large.
    pub(crate) fn of(compiled: &Compiled<L>, groups: &[Vec<Tree>]) -> Option<Self> {
        let trees: Vec<&Tree> = groups.iter().flatten().collect();
        if trees.len() > TREES {
            return None;
        }
        let mut first = 0;
        let groups = groups.iter().map(|group| {
            first += group.len();
            first - group.len()..first
        });
        let mut masks = Self {
            tables: vec![],
            masks: vec![],
            stride: trees.len().div_ceil(LANES),
            leaves: vec![],
            groups: groups.collect(),
        };
        let mut tests: BTreeMap<(u32, Kind), Vec<Test<M>>> = BTreeMap::new();
        for (index, tree) in trees.iter().enumerate() {
            let branches = Branches::<L, LEAVES>::of(compiled, tree)?;
            for node in tree.nodes.clone().filter(|node| !compiled.is_leaf(*node)) {
                let (column, reading) = compiled.slots.read(compiled.nodes[node].slot);
                let (left, right) = branches.below(compiled, node);
                let test = Test { node, reading, tree: index, left, right };
                tests.entry((column, reading.kind())).or_default().push(test);
            }
            masks.leaves.push(branches.leaves);
        }
        for ((column, kind), tests) in tests {
            masks.add(compiled, column, kind, &tests)?;
        }
        Some(masks)
    }

    /// Adds the table of one column; `None` if it is too large.
    fn add(
        &mut self,
        compiled: &Compiled<L>,
        column: u32,
        kind: Kind,
        tests: &[Test<M>],
    ) -> Option<()> {
        let bins = if kind == Kind::Category {
            let reach = tests.iter().map(|test| compiled.reach(test.node)).max().unwrap_or(0);
            let end = compiled.slots.end(column);
            Bins::Categories(u32::try_from(i64::from(reach).min(end)).ok()?)
        } else if compiled.slots.comparison() == Comparison::Double {
            Bins::Ranks(u32::try_from(compiled.slots.splits(column).len()).ok()?)
        } else {
            let thresholds = tests.iter().map(|test| compiled.nodes[test.node].threshold);
            let mut thresholds: Vec<u32> = thresholds.collect();
            thresholds.sort_unstable();
            thresholds.dedup();
            Bins::Numbers(thresholds)
        };
        let begin = self.masks.len();
        let size = bins.count().checked_mul(self.stride)?;
        let whole = begin.checked_add(size).filter(|whole| {
            whole.checked_mul(size_of::<[M; LANES]>()).is_some_and(|bytes| bytes <= BYTES)
        })?;
        self.masks.resize(whole, [M::ALL; LANES]);
        for bin in 0..bins.count() {
            let masks = self.masks[begin + bin * self.stride..][..self.stride].as_flattened_mut();
            for test in tests {
                let code = bins.code(bin, test.reading);
                let over = if compiled.goes_right(&compiled.nodes[test.node], code) {
                    test.left
                } else {
                    test.right
                };
                masks[test.tree] &= M::without(over);
            }
        }
        self.tables.push(Table { column, kind, begin, bins });
        Some(())
    }

    /// Adds the leaves that each of `rows` comes to to `sums`, which has `width` numbers for
    /// every row, one per group first.
    pub(crate) fn sum<S: Sum<L>>(
        &self,
        slots: &Slots,
        rows: &[f64],
        scratch: &mut Scratch,
        sums: &mut [S],
        width: usize,
    ) {
        let Scratch { bins, exits } = scratch;
        let tables = self.tables.len();
        bins.resize(BLOCK * tables, 0);
        exits.resize(self.stride * LANES, 0);
        let blocks = rows.chunks(BLOCK * slots.columns()).zip(sums.chunks_mut(BLOCK * width));
        for (rows, sums) in blocks {
            for (index, table) in self.tables.iter().enumerate() {
                let bins = bins[index..].iter_mut().step_by(tables);
                table.look_up(slots, rows, self.stride, bins);
            }
            for (row, sums) in sums.chunks_exact_mut(width).enumerate() {
                self.exits(&bins[row * tables..][..tables], exits);
                for (sum, trees) in sums.iter_mut().zip(&self.groups) {
                    let trees = self.leaves[trees.clone()].iter().zip(&exits[trees.clone()]);
                    for (leaves, exit) in trees {
                        *sum += S::of(leaves[*exit as usize % LEAVES]);
                    }
                }
            }
        }
    }

    /// Intersects what a row's bins leave over: by tree, the number of the leaf.
    #[inline(always)]
    fn exits(&self, bins: &[usize], exits: &mut [u32]) {
        for (vector, exits) in exits.chunks_exact_mut(LANES).enumerate() {
            let mut left = [M::ALL; LANES];
            for bin in bins {
                let masks = &self.masks[bin + vector];
                for (left, mask) in left.iter_mut().zip(masks) {
                    *left &= *mask;
                }
            }
            for (exit, left) in exits.iter_mut().zip(left) {
                *exit = left.first();
            }
        }
    }
}

impl Table {
    /// Finds where the masks of each row's bin begin.
    fn look_up<'a>(
        &self,
        slots: &Slots,
        rows: &[f64],
        stride: usize,
        mut places: impl Iterator<Item = &'a mut usize>,
    ) {
        let last = self.bins.count() - 1;
        let mut put = |code: u32, bin: usize| {
            let found = if code == MISSING { last } else { bin };
            if let Some(place) = places.next() {
                *place = self.begin + found * stride;
            }
        };
        match &self.bins {
            Bins::Numbers(thresholds) => {
                slots.each_code(self.column, self.kind, rows, MISSING, |code| {
                    put(code, thresholds.partition_point(|threshold| *threshold <= code));
                });
            }
            Bins::Ranks(_) => {
                slots.each_code(self.column, self.kind, rows, MISSING, |code| {
                    put(code, code as usize - 1);
                });
            }
            Bins::Categories(count) => {
                slots.each_code(self.column, self.kind, rows, MISSING, |code| {
                    put(code, code.min(*count) as usize);
                });
            }
        }
    }
}

impl Bins {
    /// How many bins there are.
    fn count(&self) -> usize {
        match self {
            Self::Numbers(thresholds) => thresholds.len() + 2,
            Self::Ranks(count) | Self::Categories(count) => *count as usize + 2,
        }
    }

    /// A code that is in a bin, as a test wants it.
    fn code(&self, bin: usize, reading: Reading) -> u32 {
        match self {
            _ if bin + 1 == self.count() => reading.missing(),
            Self::Numbers(_) if bin == 0 => 0,
            Self::Numbers(thresholds) => thresholds[bin - 1],
            Self::Ranks(_) => bin as u32 + 1,
            Self::Categories(count) if bin == *count as usize => OUTSIDE,
            Self::Categories(_) => bin as u32,
        }
    }
}

/// One node that tests.
struct Test<M> {
    node: usize,
    reading: Reading,
    tree: usize,
    /// The leaves of its branches.
    left: M,
    right: M,
}

/// What is below the nodes of one tree.
struct Branches<L, const LEAVES: usize> {
    /// The first node of the tree.
    root: usize,
    /// By node: how many leaves are before it, and where its branch ends.
    places: Vec<(u32, usize)>,
    leaves: [L; LEAVES],
}

impl<L: Leaf, const LEAVES: usize> Branches<L, LEAVES> {
    /// Numbers the leaves of a tree; `None` where it has too many.
    fn of(compiled: &Compiled<L>, tree: &Tree) -> Option<Self> {
        let root = tree.nodes.start;
        let mut leaves = [L::default(); LEAVES];
        let mut places = Vec::with_capacity(tree.nodes.len());
        let mut count = 0;
        for node in tree.nodes.clone() {
            places.push((count, node + 1));
            if compiled.is_leaf(node) {
                *leaves.get_mut(count as usize)? = compiled.leaves[node];
                count += 1;
            }
        }
        // A branch ends where its right branch does, which stands behind it.
        for node in tree.nodes.clone().rev().filter(|node| !compiled.is_leaf(*node)) {
            places[node - root].1 = places[compiled.nodes[node].right as usize - root].1;
        }
        Some(Self { root, places, leaves })
    }

    /// The leaves of a node's left and of its right branch.
    fn below<M: Mask>(&self, compiled: &Compiled<L>, node: usize) -> (M, M) {
        let right = compiled.nodes[node].right as usize;
        let end = self.places[node - self.root].1;
        let before = |node: usize| match self.places.get(node - self.root) {
            Some((leaves, _)) => *leaves,
            None => self.places.last().map_or(0, |(leaves, _)| leaves + 1),
        };
        (M::span(before(node + 1), before(right)), M::span(before(right), before(end)))
    }
}
