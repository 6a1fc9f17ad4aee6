//! Decision trees in the form that scores fast, whoever trained them.
//!
//! A reader of a maker's format makes a [`Builder`], adds tree after tree, node after node
//! ([`TreeWriter`], or [`write_linked`] where nodes name one another by number), and gets a
//! [`Forest`]. That sums up, for rows of doubles, the leaves that the rows come to. What makers
//! do differently is said by the reader:
//!
//! - leaves of single or double precision, and sums of either: [`Leaf`], [`Sum`];
//! - sums begin with what the caller has put there, and add trees in the order in which these
//!   were added;
//! - thresholds of single or double precision, numbers rounded or not: [`Comparison`];
//! - rows go right from a threshold on or above it: [`Test`];
//! - which values are missing, and where they go: [`Missing`];
//! - categories that go right, and where those go that a set does not know: [`Set`].
//!
//! ```
//! use decision_trees::{Builder, Comparison, Missing, Settings, Test};
//!
//! # fn main() -> Result<(), decision_trees::Error> {
//! let mut builder = Builder::<f64>::new(Settings {
//!     columns: 2,
//!     groups: 1,
//!     comparison: Comparison::Double,
//!     missing_from: vec![],
//!     node_limit: 1_000_000,
//!     set_limit: 1 << 20,
//! });
//! let mut tree = builder.tree(0)?;
//! tree.test(1, Test::Above { split: 0.5, missing: Missing::Nan { right: false } })?;
//! tree.leaf(10.0)?;
//! tree.leaf(20.0)?;
//! tree.finish()?;
//! let forest = builder.build();
//!
//! let rows = [0.0, 0.5, 0.0, 0.6, 0.0, f64::NAN];
//! let mut sums = [1.0_f64; 3];
//! forest.sum(&rows, &mut forest.scratch(), &mut sums, 1);
//! assert_eq!(sums, [11.0, 21.0, 11.0]);
//! # Ok(())
//! # }
//! ```
//!
//! The trees need not be trusted: whatever is written, the answer is a forest or an [`Error`],
//! within the limits of [`Settings`]; every path ends at a leaf, whatever a row holds.
//!
//! Where things are; each of these uses only those before it in this list:
//! - `error`, `sum`.
//! - `codes`: values of rows as integers that every test can work with.
//! - `sets`: sets of categories.
//! - `compiled`: nodes in flat arrays.
//! - `writer`, `linked`: how trees get there.
//! - `walk`: rows that walk through trees of any size.
//! - `masks`: the leaves of small trees by elimination, which is faster.
//! - `forest`: all trees of a model, and which of the two ways is taken.

mod codes;
mod compiled;
mod error;
mod forest;
mod linked;
mod masks;
mod sets;
mod sum;
mod walk;
mod writer;

pub use codes::{Comparison, Missing};
pub use compiled::{Leaf, Test};
pub use error::Error;
pub use forest::{Builder, Forest, Scratch, Settings};
pub use linked::{LinkedNode, write_linked};
pub use sets::{Set, SetId, Sets};
pub use sum::Sum;
pub use writer::TreeWriter;
