//! H2O's bytes of a tree, decoded into a forest's.
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

use decision_trees::{Builder, Missing, Set, SetId, Test, TreeWriter};

use crate::archive::Stream;
use crate::error::Error;

/// What differs between the versions of the tree format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
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
    pub(crate) fn of(version: f64) -> Self {
        match version {
            1.0 => Self::First,
            1.1 => Self::Second,
            _ => Self::Third,
        }
    }

    /// From which number on a value counts as missing, in a column of so many categories, or
    /// of numbers.
    pub(crate) fn end(self, categories: Option<usize>) -> i64 {
        let bound = categories.filter(|_| self == Self::Third);
        bound.map_or(i64::MAX, |count| count as i64)
    }
}

/// A right branch that is still to be read. There may be millions of them.
struct Branch {
    /// Where its first byte must be.
    at: u32,
    next: Next,
}

/// The branch that is read next.
#[derive(Clone, Copy)]
struct Next {
    leaf: bool,
    /// The last set on the way here.
    set: Option<SetId>,
}

/// The bits of a node's kind that say how its left branch is written, and their value where
/// that is the value of a leaf; the bit that says so of the right one.
const LEFT_BRANCH: u8 = 0x33;
const LEFT_LEAF: u8 = 0x30;
const RIGHT_LEAF: u8 = 0x40;

const NA_VS_REST: u8 = 1;
const NA_LEFT: u8 = 2;
const LEFT: u8 = 4;

/// Adds the tree in `bytes` to a group. `entry` is where the bytes are from.
pub(crate) fn decode(
    bytes: &[u8],
    format: Format,
    entry: &str,
    forest: &mut Builder<f32>,
    group: usize,
) -> Result<(), Error> {
    let mut tree = forest.tree(group).map_err(|error| refused(entry, 0, error))?;
    let input = Input { bytes, at: 0, node: 0, entry };
    Decoder { input, format, tree: &mut tree, branches: vec![] }.decode()?;
    tree.finish().map_err(|error| refused(entry, 0, error))
}

/// How many nodes the tree in `bytes` has, as far as they can be told apart; more than
/// `limit` where it has more. Takes a bit of memory for each branch that is still to come.
pub(crate) fn count(bytes: &mut Stream<'_>, format: Format, limit: u64) -> Result<u64, Error> {
    let mut counter = Counter { bytes, format, branches: Bits::default() };
    let mut nodes = 0;
    let mut leaf = false;
    loop {
        nodes += 1;
        if nodes + counter.branches.len > limit {
            return Ok(nodes + counter.branches.len);
        }
        leaf = match counter.pass(leaf)? {
            Pass::Left(leaf) => leaf,
            Pass::Leaf => match counter.branches.pop() {
                Some(leaf) => leaf,
                None => return Ok(nodes),
            },
            // What is wrong with the tree is for the decoder to say.
            Pass::End => return Ok(nodes),
        };
    }
}

/// The error where the node that begins at a byte is not taken.
fn refused(entry: &str, offset: usize, error: decision_trees::Error) -> Error {
    use decision_trees::Error::{Column, NodeLimit, Numbers, SetLimit};
    let reason = match error {
        NodeLimit { nodes, limit } => return too_many_nodes(entry, nodes, limit),
        Column { .. } => "tested column is not in the model",
        Numbers | SetLimit { .. } => "more nodes or sets than 32 bits can count",
        _ => "nodes do not form a tree",
    };
    Error::Tree { entry: entry.into(), offset, reason }
}

/// The error where there are more nodes than [`Limits`](crate::Limits) allow.
pub(crate) fn too_many_nodes(entry: &str, nodes: u64, limit: u64) -> Error {
    Error::Limit { what: format!("{entry}: nodes so far"), value: nodes, limit, name: "nodes" }
}

struct Decoder<'d, 't> {
    input: Input<'d>,
    format: Format,
    tree: &'d mut TreeWriter<'t, f32>,
    /// The right branches that are still to be read, the next one last.
    branches: Vec<Branch>,
}

impl Decoder<'_, '_> {
    fn decode(&mut self) -> Result<(), Error> {
        let mut next = Some(Next { leaf: false, set: None });
        loop {
            let this = match next.take() {
                Some(next) => next,
                None => match self.branches.pop() {
                    Some(branch) => self.begin_right(branch)?,
                    None => break,
                },
            };
            self.input.node = self.input.at;
            if this.leaf {
                self.leaf()?;
            } else {
                next = self.node(this)?;
            }
        }
        if self.input.at != self.input.bytes.len() {
            return Err(self.input.fault("unexpected bytes after the last node"));
        }
        Ok(())
    }

    /// Goes on with a right branch.
    fn begin_right(&self, branch: Branch) -> Result<Next, Error> {
        // Branches follow each other without gap or overlap, so a tree has no more nodes than
        // its bytes have room for, and no node is reached twice.
        if self.input.at != branch.at as usize {
            return Err(self.input.fault("branches overlap or leave a gap"));
        }
        Ok(branch.next)
    }

    /// Reads a leaf.
    fn leaf(&mut self) -> Result<(), Error> {
        let value = f32::from_bits(self.input.u32()?);
        self.tree.leaf(value).map_err(|error| self.input.refused(error))
    }

    /// Reads what a node says of itself and answers its left branch; the right one is put
    /// onto the list.
    fn node(&mut self, this: Next) -> Result<Option<Next>, Error> {
        let kind = self.input.u8()?;
        let column = self.input.u16()?;
        if column == u16::MAX {
            self.leaf()?;
            return Ok(None);
        }
        let direction = self.input.u8()?;
        let (test, set) = self.test(kind, direction, this.set)?;
        self.tree.test(column.into(), test).map_err(|error| self.input.refused(error))?;

        let input = &mut self.input;
        let size = match kind & LEFT_BRANCH {
            0 => input.u8()?.into(),
            1 => input.u16()?.into(),
            2 => input.u24()?,
            3 => input.u32()?,
            LEFT_LEAF => 4,
            _ => return Err(input.fault("unknown kind of left branch")),
        };
        let at = input
            .at
            .checked_add(size as usize)
            .filter(|right| *right < input.bytes.len())
            .and_then(|right| u32::try_from(right).ok())
            .ok_or_else(|| input.fault("branch is outside the tree"))?;
        let right = Next { leaf: kind & RIGHT_LEAF != 0, set };
        self.branches.push(Branch { at, next: right });
        Ok(Some(Next { leaf: kind & LEFT_BRANCH == LEFT_LEAF, set }))
    }

    /// Reads what a node tests; `last` is the last set on the way to it. Answers the last
    /// set on the way to the node's branches, too.
    fn test(
        &mut self,
        kind: u8,
        direction: u8,
        last: Option<SetId>,
    ) -> Result<(Test, Option<SetId>), Error> {
        let missing_right = direction != NA_LEFT && direction != LEFT;
        match (kind & 0x0C, direction == NA_VS_REST, last) {
            (0, false, _) => {
                let split = f32::from_bits(self.input.u32()?);
                let missing = Missing::Nan { right: missing_right };
                Ok((Test::AtLeast { split: split.into(), missing }, last))
            }
            (8 | 12, false, _) => {
                let set = self.set(kind & 0x0C == 12, missing_right)?;
                Ok((Test::InSet(set), Some(set)))
            }
            // H2O's scorer holds on to the last set that it has met, and takes a category
            // that it does not cover for missing even where only missing values part.
            (8 | 12, true, Some(set)) if self.format != Format::First => {
                let empty = self.tree.sets().without_members(set);
                let empty = empty.map_err(|error| self.input.refused(error))?;
                Ok((Test::InSet(empty), last))
            }
            (0 | 8 | 12, true, _) => Ok((Test::IsMissing, last)),
            _ => Err(self.input.fault("unknown kind of test")),
        }
    }

    /// Reads a set of categories.
    fn set(&mut self, large: bool, missing_right: bool) -> Result<SetId, Error> {
        let input = &mut self.input;
        let (first, count) = match (large, self.format) {
            (false, _) => (0, 32),
            (true, Format::Third) => (input.u16()?, input.u32()?),
            (true, _) => (input.u16()?, u32::from(input.u16()?) * 8),
        };
        if i32::try_from(count).is_err() {
            return Err(input.fault("negative size of a category set"));
        }
        let members = input.take(count.div_ceil(8) as usize)?;
        let outside_right = missing_right && self.format != Format::First;
        let set = Set { first: first.into(), count, members, outside_right, missing_right };
        self.tree.sets().add(set).map_err(|error| self.input.refused(error))
    }
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

    /// The error where the node that is being read is not taken.
    fn refused(&self, error: decision_trees::Error) -> Error {
        refused(self.entry, self.node, error)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| self.fault("truncated"))?;
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

/// Passes over nodes without keeping them.
struct Counter<'a, 'b> {
    bytes: &'a mut Stream<'b>,
    format: Format,
    /// For every right branch that is still to come, whether it is a leaf's value alone.
    branches: Bits,
}

/// What was passed.
enum Pass {
    /// A leaf.
    Leaf,
    /// A node, whose left branch comes next; whether that is a leaf's value alone.
    Left(bool),
    /// The end of the bytes, or what is no node.
    End,
}

impl Counter<'_, '_> {
    fn pass(&mut self, leaf: bool) -> Result<Pass, Error> {
        if leaf {
            return Ok(if self.bytes.skip(4)? { Pass::Leaf } else { Pass::End });
        }
        let Some([kind, low, high]) = self.bytes.take()? else { return Ok(Pass::End) };
        if u16::from_le_bytes([low, high]) == u16::MAX {
            return Ok(if self.bytes.skip(4)? { Pass::Leaf } else { Pass::End });
        }
        let Some([direction]) = self.bytes.take()? else { return Ok(Pass::End) };
        let test = match (direction == NA_VS_REST, kind & 0x0C, self.format) {
            (true, ..) => 0,
            (false, 12, Format::Third) => match self.bytes.take()? {
                Some([_, _, a, b, c, d]) => u32::from_le_bytes([a, b, c, d]).div_ceil(8),
                None => return Ok(Pass::End),
            },
            (false, 12, _) => match self.bytes.take()? {
                Some([_, _, a, b]) => u16::from_le_bytes([a, b]).into(),
                None => return Ok(Pass::End),
            },
            _ => 4,
        };
        let size = if kind & LEFT_LEAF == 0 { u64::from(kind & 3) + 1 } else { 0 };
        if !self.bytes.skip(u64::from(test) + size)? {
            return Ok(Pass::End);
        }
        self.branches.push(kind & RIGHT_LEAF != 0);
        Ok(Pass::Left(kind & LEFT_BRANCH == LEFT_LEAF))
    }
}

/// A stack of bits.
#[derive(Default)]
struct Bits {
    words: Vec<u64>,
    len: u64,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        let (word, place) = ((self.len / 64) as usize, self.len % 64);
        if word == self.words.len() {
            self.words.push(0);
        }
        self.words[word] = self.words[word] & !(1 << place) | u64::from(bit) << place;
        self.len += 1;
    }

    fn pop(&mut self) -> Option<bool> {
        self.len = self.len.checked_sub(1)?;
        Some(self.words[(self.len / 64) as usize] >> (self.len % 64) & 1 != 0)
    }
}
