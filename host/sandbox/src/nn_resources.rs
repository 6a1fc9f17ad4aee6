//! What a guest holds of `wasi:nn`, besides tensors and errors.

use std::sync::Arc;

use sandbar_inference::Graph;

/// A graph, as a guest holds it.
pub struct Handle {
    pub(crate) graph: Arc<Graph>,
    /// What it counts for, if the guest brought it.
    pub(crate) charged: usize,
}

/// A graph with which a guest computes. It keeps the graph alive.
pub struct Context(pub(crate) Arc<Graph>);
