//! What a guest holds of `wasi:nn`, besides tensors and errors.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sandbar_inference::Graph;

/// A graph, as a guest holds it.
#[derive(Clone)]
pub struct Handle {
    pub(crate) graph: Arc<Graph>,
    /// If the guest brought it: what it counts for, shared by all that keep it.
    pub(crate) brought: Option<Arc<Charge>>,
}

/// The bytes that a graph counts for which a guest brought.
pub(crate) struct Charge {
    /// What is charged now.
    charged: AtomicUsize,
    /// Bytes of its file.
    file: usize,
    /// By its own estimate, when it was loaded.
    estimated: usize,
    /// What it was then, if that was measured.
    measured: Option<usize>,
}

impl Charge {
    /// That of a graph with a file of so many bytes, of which nothing is charged yet.
    pub(crate) fn new(graph: &Graph, file: usize, measured: Option<usize>) -> Self {
        let estimated = graph.held();
        Charge { charged: AtomicUsize::new(0), file, estimated, measured }
    }

    /// The bytes that are to be charged for the graph now. What it has come to hold since it was
    /// measured is estimated, and wrong by as much as what was measured.
    pub(crate) fn due(&self, graph: &Graph) -> usize {
        let held = graph.held();
        let Some(measured) = self.measured else { return held };
        let more = held.saturating_sub(self.estimated);
        let (plans, estimate) =
            (measured.saturating_sub(self.file), self.estimated.saturating_sub(self.file));
        let more = match estimate {
            0 => more,
            _ => (more as u128 * plans as u128 / estimate as u128) as usize,
        };
        measured.saturating_add(more)
    }

    /// The bytes that are charged.
    pub(crate) fn charged(&self) -> usize {
        self.charged.load(Ordering::Relaxed)
    }

    /// Says that so many are.
    pub(crate) fn set(&self, charged: usize) {
        self.charged.store(charged, Ordering::Relaxed);
    }
}

/// A graph with which a guest computes. It keeps the graph alive.
pub struct Context(pub(crate) Handle);
