//! What can be wrong with a tree.

/// Why a tree is not one that rows can walk through.
///
/// A message says nothing of where the tree is from: that is for the reader to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More nodes than [`Settings::node_limit`](crate::Settings::node_limit) allows.
    #[error("{nodes} nodes so far exceed the limit of {limit}")]
    NodeLimit {
        /// How many there are, those that are known to follow included.
        nodes: u64,
        /// How many there may be.
        limit: u64,
    },

    /// More memory for sets of categories than
    /// [`Settings::set_limit`](crate::Settings::set_limit) allows.
    #[error("{bytes} bytes of category sets so far exceed the limit of {limit}")]
    SetLimit {
        /// How many there are.
        bytes: u64,
        /// How many there may be.
        limit: u64,
    },

    /// Nodes and sets are numbered in 32 bits.
    #[error("more nodes or sets than 32 bits can count")]
    Numbers,

    /// A node tests a column that a row does not have.
    #[error("tested column {column} is not among the {columns} of a row")]
    Column {
        /// The column, from 0.
        column: u32,
        /// How many a row has.
        columns: usize,
    },

    /// A set says that it covers more categories than it has bits for.
    #[error("a category set of {count} has only {bits} bits")]
    SetBits {
        /// How many categories it covers.
        count: u32,
        /// How many bits there are.
        bits: usize,
    },

    /// Doubles that are compared with thresholds of single precision, see
    /// [`Comparison::DoubleWithSingle`](crate::Comparison::DoubleWithSingle).
    #[error("'above' cannot be told of doubles and thresholds of single precision")]
    Above,

    /// A tree has ended although tests have branches that are still to come.
    #[error("{branches} branches are missing at the end of the tree")]
    Incomplete {
        /// How many.
        branches: usize,
    },

    /// A tree goes on although every branch has its leaf.
    #[error("a node follows where the tree is complete")]
    Complete,

    /// A node's branch is a node that the tree does not have.
    #[error("node {node} is not among the {count} of the tree")]
    NodeMissing {
        /// The branch.
        node: u32,
        /// How many nodes the tree has.
        count: u32,
    },

    /// A node is a branch of two nodes, or of one below it: a path may be endless.
    #[error("node {node} is reached twice")]
    NodeTwice {
        /// The node.
        node: u32,
    },

    /// A tree is for a sum that there is none of.
    #[error("group {group} is not among the {groups} of the forest")]
    Group {
        /// The group, from 0.
        group: usize,
        /// How many there are.
        groups: usize,
    },
}
