//! What a component does when it is instantiated, as far as it matters here, and what that takes.

use std::rc::Rc;

use wasmparser::ComponentExternalKind as Kind;

/// Instances of modules, memories and tables that a component may have together.
pub(crate) const ENTITIES: usize = 100;
/// Bytes that an instance takes besides what its module declares.
pub(super) const INSTANCE: u64 = 4 << 10;

/// What an instance of a component takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Footprint {
    /// Instances of modules, memories and tables.
    pub(super) entities: usize,
    /// Bytes of wasmtime's own state for them.
    pub(crate) bytes: u64,
}

/// What happens when a component is instantiated, as far as it matters here, in order.
pub(super) enum Item {
    Module(Rc<Footprint>),
    Component(Rc<Definition>),
    MakeModule(u32),
    MakeComponent(u32, Vec<Named>),
    Bundle(Vec<Named>),
    FromInstance(Kind, u32, Rc<str>),
    FromOuter(Kind, u32, u32),
    Import(Rc<str>, Kind),
    Export(Rc<str>, Kind, u32),
}

pub(super) type Definition = Vec<Item>;

/// A name, and the item that it is of.
pub(super) type Named = (Rc<str>, Kind, u32);

/// The index space of a kind, if it matters here.
pub(super) fn space(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Module => Some(0),
        Kind::Component => Some(1),
        Kind::Instance => Some(2),
        _ => None,
    }
}
