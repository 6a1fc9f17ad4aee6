//! Trees node after node: what a reader of a maker's bytes writes.

use crate::compiled::{Compiled, Leaf, Test, Tree};
use crate::error::Error;
use crate::sets::Sets;

/// One tree that is being written, in depth-first order: after a test its left branch, then
/// its right one, each a leaf or a test with its branches. [`finish`](Self::finish) adds the
/// tree to its forest; one that is dropped before leaves nothing behind.
#[derive(Debug)]
pub struct TreeWriter<'a, L: Leaf> {
    trees: &'a mut Compiled<L>,
    /// The trees of its group.
    group: &'a mut Vec<Tree>,
    /// How many trees the forest has.
    count: &'a mut usize,
    /// The number of its first node.
    begin: usize,
    /// How many nodes there may be.
    limit: u64,
    /// The tests whose right branches are still to come, the next one last.
    open: Vec<Open>,
    next: Next,
    /// How many tests are above the deepest node.
    deepest: u32,
}

/// A right branch that is still to come. There may be millions of them.
#[derive(Debug)]
struct Open {
    parent: u32,
    /// How many tests are above it.
    depth: u32,
}

/// What the next node is.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// The root, or the left branch of the node before.
    Left { depth: u32 },
    /// The right branch of the last test that lacks one.
    Right,
}

impl<'a, L: Leaf> TreeWriter<'a, L> {
    pub(crate) fn new(
        trees: &'a mut Compiled<L>,
        group: &'a mut Vec<Tree>,
        count: &'a mut usize,
        limit: u64,
    ) -> Self {
        let begin = trees.nodes.len();
        let next = Next::Left { depth: 0 };
        Self { trees, group, count, begin, limit, open: vec![], next, deepest: 0 }
    }

    /// Writes a node that tests a column.
    ///
    /// # Errors
    ///
    /// [`Error::NodeLimit`], [`Error::Complete`], [`Error::Column`], [`Error::Above`] and
    /// [`Error::Numbers`].
    #[inline]
    pub fn test(&mut self, column: u32, test: Test) -> Result<(), Error> {
        let (number, depth) = self.begin(2)?;
        self.trees.add_test(number, column, test)?;
        self.open.push(Open { parent: number, depth: depth + 1 });
        self.next = Next::Left { depth: depth + 1 };
        Ok(())
    }

    /// Writes a leaf.
    ///
    /// # Errors
    ///
    /// [`Error::NodeLimit`], [`Error::Complete`] and [`Error::Numbers`].
    #[inline]
    pub fn leaf(&mut self, value: L) -> Result<(), Error> {
        let (number, _) = self.begin(0)?;
        self.trees.add_leaf(number, value);
        self.next = Next::Right;
        Ok(())
    }

    /// The sets of the forest, for those that tests ask for.
    pub fn sets(&mut self) -> &mut Sets {
        &mut self.trees.sets
    }

    /// Whether every branch has come to its leaf.
    pub fn is_complete(&self) -> bool {
        matches!(self.next, Next::Right) && self.open.is_empty()
    }

    /// The number of the next node, which has this many branches, and how many tests are
    /// above it.
    fn begin(&mut self, branches: u64) -> Result<(u32, u32), Error> {
        // Before there is memory for it; a branch that is still to come is a node, too.
        let nodes = (self.trees.nodes.len() + self.open.len()) as u64;
        let nodes = match self.next {
            Next::Left { .. } => nodes + 1 + branches,
            Next::Right => nodes + branches,
        };
        if nodes > self.limit {
            return Err(Error::NodeLimit { nodes, limit: self.limit });
        }
        let number = self.trees.next()?;
        let depth = match self.next {
            Next::Left { depth } => depth,
            Next::Right => {
                let Open { parent, depth } = self.open.pop().ok_or(Error::Complete)?;
                self.trees.begin_right(parent, number);
                depth
            }
        };
        self.deepest = self.deepest.max(depth);
        Ok((number, depth))
    }

    /// Adds the tree to its forest.
    ///
    /// # Errors
    ///
    /// [`Error::Incomplete`]. Then there is no such tree.
    pub fn finish(mut self) -> Result<(), Error> {
        if !self.is_complete() {
            let left = usize::from(matches!(self.next, Next::Left { .. }));
            return Err(Error::Incomplete { branches: self.open.len() + left });
        }
        let nodes = self.begin..self.trees.nodes.len();
        self.begin = nodes.end;
        self.group.push(Tree { nodes, depth: self.deepest, number: *self.count });
        *self.count += 1;
        Ok(())
    }
}

impl<L: Leaf> Drop for TreeWriter<'_, L> {
    fn drop(&mut self) {
        self.trees.truncate(self.begin);
    }
}
