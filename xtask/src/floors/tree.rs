//! The modules of a crate, and what a path in one of them names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::file;
use super::module::{Import, Module, child};

/// All modules of a crate, as far as they are not only for tests. The root is `""`.
#[derive(Debug, Default)]
pub struct Tree {
    /// By their paths.
    pub modules: BTreeMap<String, Module>,
    /// The files, by the paths of their modules.
    pub files: BTreeMap<String, PathBuf>,
    /// The macros of the crate, and the modules that define them.
    macros: BTreeMap<String, String>,
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A module.
    Module(String),
    /// An item that this module defines.
    Item(String),
    /// Something of another crate, or a name that is local to a function.
    Elsewhere,
}

/// Imports lead to imports; a longer way than this goes in a circle.
const LONGEST_WAY: usize = 20;

impl Tree {
    /// Reads a crate from its root file on.
    ///
    /// # Errors
    /// When a file that a module declares cannot be read.
    pub fn read(root: &Path, text_of: &dyn Fn(&Path) -> Option<String>) -> Result<Self> {
        let mut tree = Self::default();
        let folder = root.parent().context("no folder")?;
        tree.add(String::new(), root.to_owned(), folder.to_owned(), text_of)?;
        for (path, module) in &tree.modules {
            for name in module.defined.keys() {
                if module.words.contains_key("macro_export") {
                    tree.macros.insert(name.clone(), path.clone());
                }
            }
        }
        Ok(tree)
    }

    fn add(
        &mut self,
        path: String,
        file: PathBuf,
        folder: PathBuf,
        text_of: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<()> {
        let text = text_of(&file).with_context(|| format!("cannot read {}", file.display()))?;
        for (path, module) in file::modules(&text, &path) {
            for name in &module.files {
                let lone = folder.join(name).with_extension("rs");
                let below = folder.join(name);
                let file = match text_of(&lone) {
                    Some(_) => lone,
                    None => below.join("mod.rs"),
                };
                self.add(child(&path, name), file, below, text_of)?;
            }
            self.modules.insert(path, module);
        }
        self.files.insert(path, file);
        Ok(())
    }

    /// What `segments` names in the module `from`.
    pub fn find(&self, from: &str, segments: &[String]) -> Found {
        self.find_within(from, segments, LONGEST_WAY)
    }

    fn find_within(&self, from: &str, segments: &[String], way: usize) -> Found {
        let Some(way) = way.checked_sub(1) else { return Found::Elsewhere };
        let mut current = from.to_owned();
        let mut rest = segments;
        while let Some(first) = rest.first() {
            match first.as_str() {
                "crate" => current.clear(),
                "self" => {}
                "super" => current = parent(&current).to_owned(),
                _ => break,
            }
            rest = &rest[1..];
        }
        // A path of these words is of this crate, whatever follows.
        let is_ours = rest.len() < segments.len();
        for (index, name) in rest.iter().enumerate() {
            let is_last = index + 1 == rest.len();
            match self.member(&current, name, is_last, way) {
                Some(Found::Module(module)) => current = module,
                Some(found) => return found,
                None if index > 0 || is_ours => {
                    let module = self.macros.get(name).unwrap_or(&current);
                    // What a macro makes there.
                    return Found::Item(module.clone());
                }
                None => return Found::Elsewhere,
            }
        }
        Found::Module(current)
    }

    /// What a name is in a module. A module and an item may have the same name: the last of
    /// a path is the item, the others are modules.
    fn member(&self, module: &str, name: &str, is_last: bool, way: usize) -> Option<Found> {
        let of = self.modules.get(module)?;
        let child = of.children.contains(name).then(|| Found::Module(child(module, name)));
        if child.is_some() && !is_last {
            return child;
        }
        if of.defined.contains_key(name) {
            return Some(Found::Item(of.owner.clone()));
        }
        let mut found = child;
        for import in of.imports.iter().filter(|it| it.name == name) {
            // `use time::time` of a child `time` leads to the child first.
            match self.find_import(module, import, way) {
                Found::Module(module) => found = Some(Found::Module(module)),
                other if found.is_none() || other != Found::Elsewhere => return Some(other),
                Found::Item(_) | Found::Elsewhere => {}
            }
        }
        found.or_else(|| self.member_by_globs(module, name, is_last, way))
    }

    fn member_by_globs(&self, module: &str, name: &str, last: bool, way: usize) -> Option<Found> {
        let way = way.checked_sub(1)?;
        let globs = self.modules.get(module)?.imports.iter().filter(|it| it.name == "*");
        let targets = globs.filter_map(|glob| match self.find_import(module, glob, way) {
            Found::Module(target) if target != module => Some(target),
            _ => None,
        });
        targets.into_iter().find_map(|target| self.member(&target, name, last, way))
    }

    fn find_import(&self, module: &str, import: &Import, way: usize) -> Found {
        let segments = &import.path.segments;
        // `use serde::de` in a module is not what that very `use` names `serde`.
        if segments.len() == 1 && segments[0] == import.name {
            return Found::Elsewhere;
        }
        self.find_within(module, segments, way)
    }

    /// What a word that stands alone names, by an import of everything or by one that is
    /// exported too; the other imports are uses by themselves.
    pub fn find_word(&self, module: &str, word: &str) -> Found {
        let Some(of) = self.modules.get(module) else { return Found::Elsewhere };
        if of.defined.contains_key(word) {
            return Found::Elsewhere;
        }
        if of.imports.iter().any(|it| it.exported && it.name == word) {
            return self.member(module, word, true, LONGEST_WAY).unwrap_or(Found::Elsewhere);
        }
        self.member_by_globs(module, word, true, LONGEST_WAY).unwrap_or(Found::Elsewhere)
    }
}

/// The module that declares another; the root's is the root.
pub fn parent(path: &str) -> &str {
    path.rsplit_once("::").map_or("", |(parent, _)| parent)
}

/// Whether `path` is `ancestor` or anywhere in it.
pub fn is_within(path: &str, ancestor: &str) -> bool {
    let rest = path.strip_prefix(ancestor);
    ancestor.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}
