//! What a module declares and defines, and what it names.

use std::collections::{BTreeMap, BTreeSet};

/// A module: a file, or a `mod { ... }` in one.
#[derive(Debug, Default)]
pub struct Module {
    /// The module whose file it is in.
    pub owner: String,
    /// The modules that it declares, those in its own file included.
    pub children: BTreeSet<String>,
    /// Those of them that have a file of their own.
    pub files: Vec<String>,
    /// The items that it defines, with their lines.
    pub defined: BTreeMap<String, usize>,
    /// What it imports.
    pub imports: Vec<Import>,
    /// Paths in its code.
    pub paths: Vec<Named>,
    /// Words in its code that stand alone.
    pub words: BTreeMap<String, usize>,
    /// Its `impl Type { ... }`, those of traits left out.
    pub impls: Vec<Impl>,
    /// All functions and methods that it defines.
    pub functions: BTreeSet<String>,
    /// The methods that it calls, with a line of each.
    pub calls: BTreeMap<String, usize>,
}

/// Methods of a type, which may be that of another module.
#[derive(Debug)]
pub struct Impl {
    /// The type.
    pub of: Vec<String>,
    /// The names of the methods.
    pub methods: Vec<String>,
}

/// A leaf of a `use`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// What it is called here; `*`: everything.
    pub name: String,
    /// What it is.
    pub path: Named,
    /// Whether it can be named from elsewhere: `pub use`, `pub(crate) use`.
    pub exported: bool,
}

/// A path and its line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// From 1.
    pub line: usize,
    /// `["super", "state", "Fleet"]`.
    pub segments: Vec<String>,
}

/// The path of a child.
pub fn child(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}::{name}") }
}
