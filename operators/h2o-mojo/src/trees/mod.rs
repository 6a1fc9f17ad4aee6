//! Decision trees in the form that scores fast, whoever trained them.
//!
//! Each module uses only those before it in this list:
//!
//! - `codes`: values of rows as integers that every test can work with.
//! - `compiled`: nodes and sets of categories in flat arrays; what every decoder writes.
//! - `walk`: rows that walk through trees of any size.
//! - `masks`: the leaves of small trees by elimination, which is faster.
//! - `forest`: all trees of a model, and which of the two ways is taken.
//! - `h2o`: the decoder of H2O's tree bytes.
//!
//! A decoder of another maker's trees is a file beside `h2o`: a function that appends the
//! nodes of one tree to a [`Compiled`] and answers its depth, handed to [`Builder::add`].
//! Algorithms know the builder and the forest, and nothing of nodes.

mod codes;
mod compiled;
mod forest;
pub(crate) mod h2o;
mod masks;
mod walk;

pub(crate) use forest::{Builder, Forest, Scratch};
