//! Trees whose nodes name one another by number, as most makers store them.

use crate::compiled::{Leaf, Test};
use crate::error::Error;
use crate::sets::Sets;
use crate::writer::TreeWriter;

/// A node as its maker has it.
#[derive(Debug, Clone, Copy)]
pub enum LinkedNode<L> {
    /// A leaf, and what it holds.
    Leaf(L),
    /// A test, and the numbers of its branches.
    Test {
        /// The column that is tested.
        column: u32,
        /// What is asked of it.
        test: Test,
        /// The branch of rows that go left.
        left: u32,
        /// The branch of rows that go right.
        right: u32,
    },
}

/// Writes the tree that begins with node `root` of `count`; `node` reads one, given its
/// number and the sets that its test may need. It is called once for every node that can be
/// reached, in the order in which they are written.
///
/// # Errors
///
/// [`Error::NodeMissing`] and [`Error::NodeTwice`], for what is no tree, and as
/// [`TreeWriter`]; whatever `node` fails with.
pub fn write_linked<L: Leaf, E: From<Error>>(
    tree: &mut TreeWriter<'_, L>,
    count: u32,
    root: u32,
    mut node: impl FnMut(u32, &mut Sets) -> Result<LinkedNode<L>, E>,
) -> Result<(), E> {
    // A bit per node: whether it has been reached.
    let mut reached = vec![0_u64; (count as usize).div_ceil(64)];
    let mut rights = vec![];
    let mut next = Some(root);
    while let Some(number) = next.or_else(|| rights.pop()) {
        let bit = 1_u64 << (number % 64);
        let word = reached.get_mut(number as usize / 64).filter(|_| number < count);
        let word = word.ok_or(Error::NodeMissing { node: number, count })?;
        if *word & bit != 0 {
            return Err(Error::NodeTwice { node: number }.into());
        }
        *word |= bit;
        next = match node(number, tree.sets())? {
            LinkedNode::Leaf(value) => {
                tree.leaf(value)?;
                None
            }
            LinkedNode::Test { column, test, left, right } => {
                tree.test(column, test)?;
                rights.push(right);
                Some(left)
            }
        };
    }
    Ok(())
}
