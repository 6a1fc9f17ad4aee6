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

use crate::Error;

/// One node of a tree. The left branch of a node that tests is the next node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// A leaf's value, the number to compare with, or where the set begins in the pool.
    pub(super) value: u32,
    /// The node that the right branch begins with, always after this one; a leaf itself.
    pub(super) right: u32,
    /// Which feature is tested; 0 in a leaf.
    pub(super) column: u16,
    /// A combination of the constants below.
    pub(super) flags: u16,
}

/// The node is a leaf.
pub(super) const LEAF: u16 = 1;
/// The node tests for membership in a set of categories.
pub(super) const CATEGORIES: u16 = 2;
/// Missing values go right.
pub(super) const MISSING_RIGHT: u16 = 4;
/// Categories that the set does not cover go right.
pub(super) const OUTSIDE_RIGHT: u16 = 8;

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

/// The words that a set has in the pool before its bits: the first category that it covers,
/// and how many it covers.
pub(super) const SET_HEADER: usize = 2;

/// The arrays that trees are decoded into.
pub(super) struct Decoder<'a> {
    pub(super) format: Format,
    /// How many features the model has.
    pub(super) features: usize,
    pub(super) nodes: &'a mut Vec<Node>,
    pub(super) pool: &'a mut Vec<u32>,
    /// For a set, the set of the same range without a member, where one was needed.
    pub(super) empties: &'a mut HashMap<u32, u32, RandomState>,
}

/// A branch that is still to be read.
struct Branch {
    /// Where its first byte must be.
    at: usize,
    leaf: bool,
    /// The node whose right branch it is; `None` for a left one or the root.
    right_of: Option<usize>,
    /// Where the last set on the way here begins.
    set: Option<u32>,
}

const NA_VS_REST: u8 = 1;
const NA_LEFT: u8 = 2;
const LEFT: u8 = 4;

impl Decoder<'_> {
    /// Appends the nodes of the tree in `bytes`, the root first.
    pub(super) fn decode(&mut self, bytes: &[u8], entry: &str) -> Result<(), Error> {
        let mut input = Input { bytes, at: 0, node: 0, entry };
        let mut branches = vec![Branch { at: 0, leaf: false, right_of: None, set: None }];
        while let Some(branch) = branches.pop() {
            let index = self.nodes.len();
            let number = input.count(index)?;
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
                let value = input.u32()?;
                self.nodes.push(leaf(value, number));
                continue;
            }
            self.node(&mut input, branch, number, &mut branches)?;
        }
        if input.at != bytes.len() {
            return Err(input.fault("is the last, but bytes follow it"));
        }
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
            let value = input.u32()?;
            self.nodes.push(leaf(value, number));
            return Ok(());
        }
        if usize::from(column) >= self.features {
            return Err(input.fault("tests a column that the model does not have"));
        }
        let direction = input.u8()?;
        let missing_right = direction != NA_LEFT && direction != LEFT;
        let (value, mut flags, set) = self.test(input, kind, direction, branch.set)?;
        if missing_right {
            flags |= MISSING_RIGHT;
            if self.format != Format::First {
                flags |= OUTSIDE_RIGHT;
            }
        }
        self.nodes.push(Node { value, right: number, column, flags });

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
        branches.push(Branch { at: right, leaf: kind & 0x40 != 0, right_of: parent, set });
        branches.push(Branch { at: left, leaf: kind & 0x10 != 0, right_of: None, set });
        Ok(())
    }

    /// Reads the test: the node's value and flags, and the last set from here on.
    fn test(
        &mut self,
        input: &mut Input<'_>,
        kind: u8,
        direction: u8,
        last: Option<u32>,
    ) -> Result<(u32, u16, Option<u32>), Error> {
        // Nothing is at least NaN, so every value that is not missing goes left.
        const NEVER: u32 = f32::NAN.to_bits();
        match (kind & 0x0C, direction == NA_VS_REST) {
            (0, false) => Ok((input.u32()?, 0, last)),
            (8 | 12, false) => {
                let begin = self.set(input, kind & 0x0C == 12)?;
                Ok((begin, CATEGORIES, Some(begin)))
            }
            (0, true) => Ok((NEVER, 0, last)),
            // H2O's scorer holds on to the last set that it has met, and takes a category
            // that it does not cover for missing even where only missing values part.
            (8 | 12, true) => match last {
                Some(set) if self.format != Format::First => {
                    Ok((self.empty(input, set)?, CATEGORIES, last))
                }
                _ => Ok((NEVER, 0, last)),
            },
            _ => Err(input.fault("has a test of an unknown kind")),
        }
    }

    /// Reads a set of categories into the pool and says where it begins there.
    fn set(&mut self, input: &mut Input<'_>, large: bool) -> Result<u32, Error> {
        let (first, count) = match (large, self.format) {
            (false, _) => (0, 32),
            (true, Format::Third) => (input.u16()?, input.u32()?),
            (true, _) => (input.u16()?, u32::from(input.u16()?) * 8),
        };
        if i32::try_from(count).is_err() {
            return Err(input.fault("has a set of negative size"));
        }
        let bytes = input.take(count.div_ceil(8) as usize)?;
        let begin = input.count(self.pool.len())?;
        self.pool.extend([u32::from(first), count]);
        self.pool.extend(bytes.chunks(4).map(|chunk| {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            u32::from_le_bytes(word)
        }));
        Ok(begin)
    }

    /// A set of the range of the one at `set` that has no member.
    fn empty(&mut self, input: &Input<'_>, set: u32) -> Result<u32, Error> {
        if let Some(empty) = self.empties.get(&set) {
            return Ok(*empty);
        }
        let empty = input.count(self.pool.len())?;
        let header = set as usize..set as usize + SET_HEADER;
        let count = self.pool[set as usize + 1];
        self.pool.extend_from_within(header);
        self.pool.resize(self.pool.len() + count.div_ceil(32) as usize, 0);
        self.empties.insert(set, empty);
        Ok(empty)
    }
}

fn leaf(value: u32, number: u32) -> Node {
    Node { value, right: number, column: 0, flags: LEAF }
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
