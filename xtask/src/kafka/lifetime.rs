//! When a cluster ends.

/// How long a cluster lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lifetime {
    /// As long as the [`Cluster`](super::Cluster): it ends with this process, however that ends.
    Ours,
    /// Until `cargo xtask kafka stop`, once [`Cluster::detach`](super::Cluster::detach) is called.
    Detached,
}
