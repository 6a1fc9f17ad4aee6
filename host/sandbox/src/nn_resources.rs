//! What a guest holds of `wasi:nn`, besides tensors and errors.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use sandbar_inference::Graph;

/// A graph, as a guest holds it.
#[derive(Clone)]
pub struct Handle {
    pub(crate) graph: Arc<Graph>,
    /// If the guest brought it: the bytes that it counts for, shared by all that keep it.
    pub(crate) brought: Option<Arc<AtomicUsize>>,
}

/// A graph with which a guest computes. It keeps the graph alive.
pub struct Context(pub(crate) Handle);
