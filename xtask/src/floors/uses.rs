//! Which module uses which.

use std::collections::{BTreeMap, BTreeSet};

use super::module::{Module, Named};
use super::tree::{Found, Tree, is_within};

/// From a module to those that it uses, each with the places that do it.
pub type Uses = BTreeMap<String, BTreeMap<String, BTreeSet<Use>>>;

/// A place in the code that names an item of another module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The module whose file it is in.
    pub module: String,
    /// What is written there.
    pub named: Named,
}

/// The uses between the files of a crate. To declare a module or to export what is in it is
/// no use of it, to name the module itself neither: what counts is its items.
pub fn between_files(tree: &Tree) -> Uses {
    let mut uses = Uses::new();
    for (path, module) in &tree.modules {
        let mut add = |to: Found, by: &Named| {
            if let Found::Item(to) = to
                && to != module.owner
            {
                let from = uses.entry(module.owner.clone()).or_default();
                let by = Use { module: module.owner.clone(), named: by.clone() };
                from.entry(to).or_default().insert(by);
            }
        };
        for import in &module.imports {
            let to = tree.find(path, &import.path.segments);
            let is_below = matches!(&to, Found::Item(to) if is_within(to, &module.owner));
            if !(import.exported && is_below) {
                add(to, &import.path);
            }
        }
        for named in &module.paths {
            add(tree.find(path, &named.segments), named);
        }
        for (word, line) in &module.words {
            let named = Named { segments: vec![word.clone()], line: *line };
            add(tree.find_word(path, word), &named);
        }
    }
    add_methods(tree, &mut uses);
    uses
}

/// A file that calls methods of a type of its own which another one defines uses that one.
fn add_methods(tree: &Tree, uses: &mut Uses) {
    for (path, module) in &tree.modules {
        for part in &module.impls {
            let Found::Item(of) = tree.find(path, &part.of) else { continue };
            let home: Vec<&Module> = tree.modules.values().filter(|it| it.owner == of).collect();
            let elsewhere = |name: &&String| !home.iter().any(|it| it.functions.contains(*name));
            for name in part.methods.iter().filter(elsewhere).filter(|_| of != module.owner) {
                let Some(line) = home.iter().find_map(|it| it.calls.get(name)) else { continue };
                let named = Named { line: *line, segments: vec![format!(".{name}()")] };
                let to = uses.entry(of.clone()).or_default().entry(module.owner.clone());
                to.or_default().insert(Use { module: of.clone(), named });
            }
        }
    }
}

/// The uses between the children of a module, each with all that is in it; what they use of
/// the module's own file, and it of them, left out.
pub fn between_children(uses: &Uses, parent: &str) -> Uses {
    let mut folded = Uses::new();
    for (from, targets) in uses {
        for (to, by) in targets {
            if let (Some(from), Some(to)) = (child_of(parent, from), child_of(parent, to))
                && from != to
            {
                let targets = folded.entry(from.to_owned()).or_default();
                targets.entry(to.to_owned()).or_default().extend(by.iter().cloned());
            }
        }
    }
    folded
}

/// The child of `parent` that `path` is, or is in.
fn child_of<'a>(parent: &str, path: &'a str) -> Option<&'a str> {
    if path.is_empty() || path == parent || !is_within(path, parent) {
        return None;
    }
    let start = if parent.is_empty() { 0 } else { parent.len() + 2 };
    let end = path[start..].find("::").map_or(path.len(), |end| start + end);
    Some(&path[..end])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn uses(files: &[(&str, &str)]) -> anyhow::Result<Vec<String>> {
        let text_of = |path: &Path| {
            let file = files.iter().find(|(name, _)| Path::new("src").join(name) == path);
            file.map(|(_, text)| (*text).to_owned())
        };
        let tree = Tree::read(Path::new("src/lib.rs"), &text_of)?;
        let mut all = Vec::new();
        for (from, targets) in between_files(&tree) {
            for to in targets.keys() {
                all.push(format!("{from}>{to}"));
            }
        }
        Ok(all)
    }

    #[test]
    fn a_path_through_a_parent_is_a_use_of_the_child() -> anyhow::Result<()> {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A; #[cfg(test)] mod tests;"),
            ("a.rs", "pub struct A;"),
            ("b.rs", "use crate::A; fn f() { super::a::A; }"),
        ];
        assert_eq!(uses(&files)?, ["b>a"]);
        Ok(())
    }

    #[test]
    fn what_a_parent_defines_or_uses_itself_is_a_use() -> anyhow::Result<()> {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; pub use c::C; pub struct Root; fn f(c: C) {}"),
            ("a/mod.rs", "pub mod inner; pub(crate) use inner::I; fn g() { inner::J; }"),
            ("a/inner.rs", "use super::super::Root; pub struct I; pub struct J;"),
            ("b.rs", "use crate::a; fn f() { a::I; }"),
            ("c.rs", "pub struct C;"),
        ];
        assert_eq!(uses(&files)?, [">c", "a>a::inner", "a::inner>", "b>a::inner"]);
        Ok(())
    }

    #[test]
    fn an_item_may_be_called_like_its_module() -> anyhow::Result<()> {
        let files = [
            ("lib.rs", "mod time; mod b; mod c; pub use time::time;"),
            ("time.rs", "pub fn time() {}"),
            ("b.rs", "fn f() { crate::time(); }"),
            ("c.rs", "use super::*; use std::time::Instant; fn f() { time(); }"),
        ];
        assert_eq!(uses(&files)?, ["b>time", "c>time"]);
        Ok(())
    }

    #[test]
    fn a_module_that_re_exports_its_sibling_uses_it() -> anyhow::Result<()> {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub use crate::b::B; mod inline { use super::B; }"),
            ("b.rs", "pub struct B; use crate::a::made_by_a_macro;"),
        ];
        assert_eq!(uses(&files)?, ["a>b", "b>a"]);
        Ok(())
    }

    #[test]
    fn methods_of_a_type_may_be_in_another_file() -> anyhow::Result<()> {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "pub struct A; impl A { fn f(&self) { self.g(); self.h() } fn h(&self) {} }"),
            ("b.rs", "use super::a::A; impl A { fn g(&self) {} }"),
            ("c.rs", "use super::a::A; impl A { fn i(&self) { self.h() } }"),
        ];
        assert_eq!(uses(&files)?, ["a>b", "b>a", "c>a"]);
        Ok(())
    }

    #[test]
    fn folders_are_seen_as_one() {
        let mut uses = Uses::new();
        for (from, to) in [("a::x", "b::y"), ("a::x", "a::z"), ("", "a"), ("a", "")] {
            uses.entry(from.to_owned()).or_default().insert(to.to_owned(), BTreeSet::new());
        }
        let folded = between_children(&uses, "");
        assert_eq!(folded.len(), 1);
        assert_eq!(folded["a"].keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(between_children(&uses, "a").len(), 1);
    }
}
