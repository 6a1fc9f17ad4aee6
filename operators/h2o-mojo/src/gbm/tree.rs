//! From the bytes of a tree to nodes.
//!
//! A tree is written depth first. Little-endian, a node is
//!
//! | bytes | what |
//! |---|---|
//! | 1 | kind: bits 2 and 3 the test, bits 0, 1, 4, 5 the left branch, 6 and 7 the right one |
//! | 2 | column, or 65535 where the node is a leaf: then only its value follows |
//! | 1 | where missing values go |
//! | 4, or more | the number to compare with, or a set of categories; none if only missing values part |
//! | 0 to 4 | size of the left branch, unless that is a leaf |
//!
//! and then the left branch and the right one, each a node or, where the kind says so, the
//! value of a leaf alone.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::codes::{MISSING, NEVER, Reading, Slots, threshold};
use crate::Error;

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
    pub(super) set: u32,
    /// Always after this node, or the node itself: no path is endless.
    pub(super) right: u32,
}

/// Sets of categories, one after the other: the first category that a set covers, how many
/// it covers, then bits. Behind the bits of the categories is one for those that the set
/// does not cover and one for missing values, which have directions of their own.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) words: Vec<u32>,
    /// For a set, the one of the same range without a member, where that was needed.
    empties: HashMap<u32, u32, RandomState>,
}

/// The words that a set has before its bits.
pub(super) const SET_HEADER: usize = 2;
/// Where the set that covers nothing and has no member begins.
const NOTHING: u32 = 0;

impl Pool {
    pub(super) fn new() -> Self {
        Self { words: vec![0; SET_HEADER + 1], empties: HashMap::default() }
    }
}

/// What differs between the versions of the tree format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// 1.00: the size of a set is in bytes; a category that a set does not cover is not in it.
    First,
    /// 1.10: such a category counts as missing.
    Second,
    /// 1.20 and later: the size of a set is in bits; a number from which on the column's
    /// domain has no category counts as missing, too.
    Third,
}

impl Format {
    /// The format of a MOJO version.
    pub(super) fn of(version: f64) -> Self {
        match version {
            1.0 => Self::First,
            1.1 => Self::Second,
            _ => Self::Third,
        }
    }
}

/// The arrays that trees are decoded into.
pub(super) struct Decoder<'a> {
    pub(super) format: Format,
    pub(super) slots: &'a mut Slots,
    pub(super) nodes: &'a mut Vec<Node>,
    /// By node, what its tree predicts if it is a leaf.
    pub(super) leaves: &'a mut Vec<f32>,
    pub(super) pool: &'a mut Pool,
}

/// A branch that is still to be read.
struct Branch {
    /// Where its first byte must be.
    at: usize,
    leaf: bool,
    /// The node whose right branch it is; `None` for a left one or the root.
    right_of: Option<usize>,
    /// How many nodes are above it.
    depth: u32,
    /// Where the last set on the way here begins.
    set: Option<u32>,
}

const NA_VS_REST: u8 = 1;
const NA_LEFT: u8 = 2;
const LEFT: u8 = 4;

impl Decoder<'_> {
    /// Appends the nodes of the tree in `bytes`, the root first. Answers how many steps it
    /// takes at most to get to a leaf.
    pub(super) fn decode(&mut self, bytes: &[u8], entry: &str) -> Result<u32, Error> {
        let mut input = Input { bytes, at: 0, node: 0, entry };
        let mut depth = 0;
        let root = Branch { at: 0, leaf: false, right_of: None, depth: 0, set: None };
        let mut branches = vec![root];
        while let Some(branch) = branches.pop() {
            depth = depth.max(branch.depth);
            let number = input.count(self.nodes.len())?;
            if let Some(parent) = branch.right_of {
                // Branches follow each other without gap or overlap, so a tree has no more
                // nodes than its bytes have room for, and no node is reached twice.
                if input.at != branch.at {
                    return Err(input.fault("has branches that overlap or leave a gap"));
                }
                self.nodes[parent].right = number;
            }
            input.node = input.at;
            if branch.leaf {
                self.leaf(&mut input, number)?;
            } else {
                self.node(&mut input, branch, number, &mut branches)?;
            }
        }
        if input.at != bytes.len() {
            return Err(input.fault("is the last, but bytes follow it"));
        }
        Ok(depth)
    }

    /// Reads a leaf.
    fn leaf(&mut self, input: &mut Input<'_>, number: u32) -> Result<(), Error> {
        let value = f32::from_bits(input.u32()?);
        self.nodes.push(Node { slot: 0, threshold: 0, set: NOTHING, right: number });
        self.leaves.push(value);
        Ok(())
    }

    /// Reads what a node says of itself and puts its branches onto the list.
    fn node(
        &mut self,
        input: &mut Input<'_>,
        branch: Branch,
        number: u32,
        branches: &mut Vec<Branch>,
    ) -> Result<(), Error> {
        let kind = input.u8()?;
        let column = input.u16()?;
        if column == u16::MAX {
            return self.leaf(input, number);
        }
        if usize::from(column) >= self.slots.columns() {
            return Err(input.fault("tests a column that the model does not have"));
        }
        let direction = input.u8()?;
        let test = self.test(input, kind, direction, branch.set)?;
        let reading = match (test.set, direction) {
            (NOTHING, NA_LEFT | LEFT) => Reading::MissingLow,
            (NOTHING, _) => Reading::MissingHigh,
            _ => Reading::Category,
        };
        let slot = self.slots.slot(column, reading);
        let Test { threshold, set, last } = test;
        self.nodes.push(Node { slot, threshold, set, right: number });
        self.leaves.push(0.0);

        let size = match kind & 0x33 {
            0 => input.u8()?.into(),
            1 => input.u16()?.into(),
            2 => input.u24()?,
            3 => input.u32()?,
            0x30 => 4,
            _ => return Err(input.fault("has a left branch of an unknown kind")),
        };
        let left = input.at;
        let right = left
            .checked_add(size as usize)
            .filter(|right| *right < input.bytes.len())
            .ok_or_else(|| input.fault("points outside the tree"))?;
        let parent = Some(self.nodes.len() - 1);
        let depth = branch.depth + 1;
        let (left_leaf, right_leaf) = (kind & 0x10 != 0, kind & 0x40 != 0);
        branches.push(Branch { at: right, leaf: right_leaf, right_of: parent, depth, set: last });
        branches.push(Branch { at: left, leaf: left_leaf, right_of: None, depth, set: last });
        Ok(())
    }

    /// Reads what a node tests; `last` is the last set on the way to it.
    fn test(
        &mut self,
        input: &mut Input<'_>,
        kind: u8,
        direction: u8,
        last: Option<u32>,
    ) -> Result<Test, Error> {
        let number = |threshold| Ok(Test { threshold, set: NOTHING, last });
        match (kind & 0x0C, direction == NA_VS_REST) {
            (0, false) => number(threshold(f32::from_bits(input.u32()?))),
            (8 | 12, false) => {
                let set = self.set(input, kind & 0x0C == 12, direction)?;
                Ok(Test { threshold: NEVER, set, last: Some(set) })
            }
            // H2O's scorer holds on to the last set that it has met, and takes a category
            // that it does not cover for missing even where only missing values part.
            (8 | 12, true) if self.format != Format::First && last.is_some() => {
                let set = self.empty(input, last.unwrap_or(NOTHING))?;
                Ok(Test { threshold: NEVER, set, last })
            }
            (0 | 8 | 12, true) => number(MISSING),
            _ => Err(input.fault("has a test of an unknown kind")),
        }
    }

    /// Reads a set of categories into the pool and says where it begins there.
    fn set(&mut self, input: &mut Input<'_>, large: bool, direction: u8) -> Result<u32, Error> {
        let (first, count) = match (large, self.format) {
            (false, _) => (0, 32),
            (true, Format::Third) => (input.u16()?, input.u32()?),
            (true, _) => (input.u16()?, u32::from(input.u16()?) * 8),
        };
        if i32::try_from(count).is_err() {
            return Err(input.fault("has a set of negative size"));
        }
        let bytes = input.take(count.div_ceil(8) as usize)?;
        let set = self.new_set(input, first.into(), count)?;
        let words = &mut self.pool.words[set as usize + SET_HEADER..];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks(4)) {
            let mut array = [0; 4];
            array[..chunk.len()].copy_from_slice(chunk);
            *word = u32::from_le_bytes(array);
        }
        let missing = direction != NA_LEFT && direction != LEFT;
        let outside = missing && self.format != Format::First;
        put(words, count, outside);
        put(words, count + 1, missing);
        Ok(set)
    }

    /// The set of the range of another one that has no member, for nodes where missing
    /// values go right.
    fn empty(&mut self, input: &Input<'_>, set: u32) -> Result<u32, Error> {
        if let Some(empty) = self.pool.empties.get(&set) {
            return Ok(*empty);
        }
        let (first, count) = (self.pool.words[set as usize], self.pool.words[set as usize + 1]);
        let empty = self.new_set(input, first, count)?;
        let words = &mut self.pool.words[empty as usize + SET_HEADER..];
        put(words, count, true);
        put(words, count + 1, true);
        self.pool.empties.insert(set, empty);
        Ok(empty)
    }

    /// Makes room for a set at the end of the pool. All its bits are zero.
    fn new_set(&mut self, input: &Input<'_>, first: u32, count: u32) -> Result<u32, Error> {
        let words = &mut self.pool.words;
        let begin = input.count(words.len())?;
        words.extend([first, count]);
        words.resize(words.len() + (count as usize + 2).div_ceil(32), 0);
        Ok(begin)
    }
}

/// What a node tests.
struct Test {
    threshold: u32,
    set: u32,
    /// The last set on the way to the node's branches.
    last: Option<u32>,
}

/// Sets or clears one bit of a set.
fn put(words: &mut [u32], bit: u32, value: bool) {
    let word = &mut words[(bit >> 5) as usize];
    *word = *word & !(1 << (bit & 31)) | u32::from(value) << (bit & 31);
}

/// The bytes of a tree, read from front to back.
struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the node that is being read begins.
    node: usize,
    entry: &'a str,
}

impl<'a> Input<'a> {
    fn fault(&self, reason: &'static str) -> Error {
        Error::Tree { entry: self.entry.into(), offset: self.node, reason }
    }

    fn count(&self, count: usize) -> Result<u32, Error> {
        u32::try_from(count).map_err(|_| self.fault("is more than 32 bits can count"))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| self.fault("is cut off"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_le_bytes)
    }

    fn u24(&mut self) -> Result<u32, Error> {
        self.array().map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_le_bytes)
    }
}
