//! What a capability is.

use wasmtime::component::Linker;

use crate::offer::Offer;
use crate::state::State;

/// Something of the host that a guest may import, in three phases. A manifest declares it, in
/// a stage's keys; it is configured once, when the engine starts (`link`); and it is prepared
/// for each instance, by what [`State`] holds for it.
pub(crate) struct Capability {
    /// What it is: what `inspect` shows, and what `check` finds missing.
    pub(crate) offer: Offer,
    /// Adds its interfaces to the linker.
    pub(crate) link: fn(&mut Linker<State>) -> wasmtime::Result<()>,
}
