//! The order of the house: each crate of `host/` uses only those below it, and no two
//! modules of a crate use each other. `docs/architecture.md` has the floors.
//!
//! [`crates`] looks at what each `Cargo.toml` names. For the modules, [`lexer`] and [`file`]
//! read the sources into [`module`]s as far as that goes without a compiler, [`tree`] finds
//! what a path names, [`uses`] makes edges of that, and [`circles`] finds those that go in a
//! circle. What a compiler knows and this does not: the types of values. So a method counts
//! only if it is of a type of the file that calls it.

mod circles;
mod crates;
mod file;
mod lexer;
mod module;
mod tree;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use self::tree::Tree;
use self::uses::Uses;
use crate::cargo;
use crate::metadata::{self, Package};

/// Circles that are still there, as [`problems`] calls them. One that is gone is a problem.
const KNOWN: &[&str] = &[];

/// All that is out of order, each with the edges that do it.
///
/// # Errors
/// When cargo does not know the packages, or a source file cannot be read.
pub fn problems() -> Result<Vec<String>> {
    let packages = metadata::all_packages()?;
    let mut problems = crates::problems(&packages)?;
    let mut circles = BTreeMap::new();
    for package in packages.iter().filter(|package| is_ours(package)) {
        for root in ["src/lib.rs", "src/main.rs"] {
            let root = Path::new(&package.folder).join(root);
            if cargo::root().join(&root).is_file() {
                let text_of = |path: &Path| std::fs::read_to_string(cargo::root().join(path)).ok();
                circles.extend(in_crate(&package.folder, &Tree::read(&root, &text_of)?));
            }
        }
    }
    problems.extend(compared(circles, KNOWN));
    Ok(problems)
}

/// What tests offer to the runner is written for the sake of one case each.
fn is_ours(package: &Package) -> bool {
    !package.folder.starts_with("tests/guests")
}

/// The circles of a crate, and what to say of each.
fn in_crate(name: &str, tree: &Tree) -> BTreeMap<String, String> {
    let files = uses::between_files(tree);
    let mut found = BTreeMap::new();
    describe(name, tree, &files, &mut found);
    // Folders, as long as they are not seen in their files already.
    for parent in tree.files.keys() {
        describe(name, tree, &uses::between_children(&files, parent), &mut found);
    }
    found
}

fn describe(name: &str, tree: &Tree, uses: &Uses, into: &mut BTreeMap<String, String>) {
    for circle in circles::circles(uses) {
        let all: Vec<&str> = circle.iter().map(|module| label(module)).collect();
        let title = format!("{name}: {}", all.join(" > "));
        let mut text = format!("{title}: these use each other in a circle");
        for (index, from) in circle.iter().enumerate() {
            let to = &circle[(index + 1) % circle.len()];
            text += &format!("\n    {} uses {}:", label(from), label(to));
            for by in &uses[from][to] {
                let file = tree.files.get(&by.module).map(|file| file.display().to_string());
                let file = file.unwrap_or_default();
                text += &format!("\n        {file}:{}: ", by.named.line);
                text += &by.named.segments.join("::");
            }
        }
        into.entry(title).or_insert(text);
    }
}

fn label(module: &str) -> &str {
    if module.is_empty() { "(root)" } else { module }
}

/// What is new, and what is known and no longer there.
fn compared(circles: BTreeMap<String, String>, known: &[&str]) -> Vec<String> {
    let gone: BTreeSet<&str> =
        known.iter().copied().filter(|title| !circles.contains_key(*title)).collect();
    let mut problems: Vec<String> = gone
        .iter()
        .map(|title| format!("{title}: is no circle any more; remove it from KNOWN"))
        .collect();
    let new = circles.into_iter().filter(|(title, _)| !known.contains(&title.as_str()));
    problems.extend(new.map(|(_, text)| text));
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_in_order() -> Result<()> {
        let problems = problems()?;
        assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
        Ok(())
    }

    #[test]
    fn what_is_known_must_be_there() {
        let circles = || BTreeMap::from([("a".to_owned(), "a does".to_owned())]);
        assert_eq!(compared(circles(), &["a"]), [""; 0]);
        assert_eq!(compared(circles(), &[]), ["a does"]);
        assert_eq!(compared(BTreeMap::new(), &["a"]).len(), 1);
    }
}
