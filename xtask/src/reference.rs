//! `cargo xtask reference`: docs/reference/contract.md, from the comments of wit/.
//!
//! The WIT is the authority, and the page must not differ from it: it is
//! generated here, committed, and compared by a test.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use wit_parser::{
    Docs, Function, Interface, Package, Resolve, Type, TypeDef, TypeDefKind, World, WorldItem,
    WorldKey,
};

use crate::cargo;

/// Writes the page.
///
/// # Errors
/// If wit/ cannot be parsed, or the page not be written.
pub fn run() -> Result<()> {
    std::fs::write(page(), text()?).with_context(|| format!("{}", page().display()))?;
    println!("{}", page().display());
    Ok(())
}

fn page() -> PathBuf {
    cargo::root().join("docs/reference/contract.md")
}

fn text() -> Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(cargo::root().join("wit"))?;
    let package = &resolve.packages[package];
    Ok(Page { resolve: &resolve, text: String::new() }.write(package)?)
}

struct Page<'a> {
    resolve: &'a Resolve,
    text: String,
}

impl Page<'_> {
    fn write(mut self, package: &Package) -> Result<String, std::fmt::Error> {
        let Package { name, docs, worlds, interfaces } = package;
        writeln!(self.text, "# The contract: `{name}`\n")?;
        writeln!(
            self.text,
            "Written by `cargo xtask reference` from the comments of [`wit/`](../../wit). Change \
             those, not this page. What may change in which version: \
             [compatibility.md](compatibility.md).\n"
        )?;
        self.docs(docs)?;
        for world in worlds.values() {
            self.world(&self.resolve.worlds[*world])?;
        }
        for interface in interfaces.values() {
            self.interface(&self.resolve.interfaces[*interface])?;
        }
        Ok(format!("{}\n", self.text.trim_end()))
    }

    fn docs(&mut self, docs: &Docs) -> std::fmt::Result {
        match &docs.contents {
            Some(text) => writeln!(self.text, "{}\n", text.trim_end()),
            None => Ok(()),
        }
    }

    fn world(&mut self, world: &World) -> std::fmt::Result {
        writeln!(self.text, "## World `{}`\n", world.name)?;
        self.docs(&world.docs)?;
        for (what, items) in [("exports", &world.exports), ("imports", &world.imports)] {
            for (key, item) in items {
                // Interfaces that only define types need not be named.
                let WorldItem::Interface { id, .. } = item else { continue };
                if self.resolve.interfaces[*id].functions.is_empty() {
                    continue;
                }
                let name = match key {
                    WorldKey::Name(name) => name.clone(),
                    WorldKey::Interface(id) => self.resolve.id_of(*id).unwrap_or_default(),
                };
                writeln!(self.text, "- {what} `{name}`")?;
            }
        }
        writeln!(self.text)
    }

    fn interface(&mut self, interface: &Interface) -> std::fmt::Result {
        let name = interface.name.as_deref().unwrap_or_default();
        writeln!(self.text, "## Interface `{name}`\n")?;
        self.docs(&interface.docs)?;
        for ty in interface.types.values().map(|id| &self.resolve.types[*id]) {
            self.definition(ty)?;
        }
        for function in interface.functions.values() {
            self.function(function)?;
        }
        Ok(())
    }

    fn definition(&mut self, ty: &TypeDef) -> std::fmt::Result {
        let name = ty.name.as_deref().unwrap_or_default();
        let rows: Vec<(String, String, &Docs)> = match &ty.kind {
            TypeDefKind::Record(record) => {
                let field = |it: &wit_parser::Field| (it.name.clone(), self.ty(&it.ty));
                record.fields.iter().map(|it| (field(it), &it.docs)).map(flat).collect()
            }
            TypeDefKind::Variant(variant) => {
                let case = |it: &wit_parser::Case| {
                    (it.name.clone(), it.ty.as_ref().map(|ty| self.ty(ty)).unwrap_or_default())
                };
                variant.cases.iter().map(|it| (case(it), &it.docs)).map(flat).collect()
            }
            TypeDefKind::Enum(list) => {
                list.cases.iter().map(|it| (it.name.clone(), String::new(), &it.docs)).collect()
            }
            // `use` of another interface's types.
            _ => return Ok(()),
        };
        writeln!(self.text, "### {} `{name}`\n", ty.kind.as_str())?;
        self.docs(&ty.docs)?;
        if rows.iter().all(|(_, ty, docs)| ty.is_empty() && docs.is_empty()) {
            let names: Vec<String> = rows.iter().map(|(name, ..)| format!("`{name}`")).collect();
            return writeln!(self.text, "{}\n", names.join(", "));
        }
        let typed = rows.iter().any(|(_, ty, _)| !ty.is_empty());
        let kind = if matches!(ty.kind, TypeDefKind::Record(_)) { "field" } else { "case" };
        match typed {
            true => writeln!(self.text, "| {kind} | type | |\n|---|---|---|")?,
            false => writeln!(self.text, "| {kind} | |\n|---|---|")?,
        }
        for (name, ty, docs) in rows {
            let ty = if ty.is_empty() { ty } else { format!("`{ty}`") };
            let docs = cell(docs);
            match typed {
                true => writeln!(self.text, "| `{name}` | {ty} | {docs} |")?,
                false => writeln!(self.text, "| `{name}` | {docs} |")?,
            }
        }
        writeln!(self.text)
    }

    fn function(&mut self, function: &Function) -> std::fmt::Result {
        let parameters: Vec<String> = function
            .params
            .iter()
            .map(|parameter| format!("{}: {}", parameter.name, self.ty(&parameter.ty)))
            .collect();
        let result = function.result.as_ref().map(|ty| format!(" -> {}", self.ty(ty)));
        writeln!(
            self.text,
            "### function `{}`\n\n```wit\n{}: func({}){};\n```\n",
            function.name,
            function.name,
            parameters.join(", "),
            result.unwrap_or_default()
        )?;
        self.docs(&function.docs)
    }

    /// A type as WIT writes it.
    fn ty(&self, ty: &Type) -> String {
        let Type::Id(id) = ty else {
            return match ty {
                Type::ErrorContext => "error-context".into(),
                primitive => format!("{primitive:?}").to_lowercase(),
            };
        };
        let ty = &self.resolve.types[*id];
        if let Some(name) = &ty.name {
            return name.clone();
        }
        let or_nothing = |ty: &Option<Type>| ty.as_ref().map_or("_".into(), |ty| self.ty(ty));
        match &ty.kind {
            TypeDefKind::List(item) => format!("list<{}>", self.ty(item)),
            TypeDefKind::Option(item) => format!("option<{}>", self.ty(item)),
            TypeDefKind::Result(result) => {
                format!("result<{}, {}>", or_nothing(&result.ok), or_nothing(&result.err))
            }
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<String> = tuple.types.iter().map(|ty| self.ty(ty)).collect();
                format!("tuple<{}>", types.join(", "))
            }
            other => other.as_str().to_owned(),
        }
    }
}

fn flat(((name, ty), docs): ((String, String), &Docs)) -> (String, String, &Docs) {
    (name, ty, docs)
}

/// Documentation in one line of a table.
fn cell(docs: &Docs) -> String {
    let text = docs.contents.as_deref().unwrap_or_default();
    let paragraphs = text.trim().split("\n\n").map(|lines| lines.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("<br>").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_that_of_the_wit() -> Result<()> {
        let committed = std::fs::read_to_string(page())?;
        assert!(
            committed == text()?,
            "docs/reference/contract.md is not what wit/ says: run `cargo xtask reference`"
        );
        Ok(())
    }

    /// A change of the contract must be deliberate: docs/reference/compatibility.md
    /// says which version it needs. Comments may change.
    #[test]
    fn the_contract_is_that_of_its_version() -> Result<()> {
        let mut found = String::new();
        for file in ["worlds.wit", "types.wit", "deps/wasi-nn/wasi-nn.wit"] {
            let text = std::fs::read_to_string(cargo::root().join("wit").join(file))?;
            let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
            lines.filter(|line| !line.is_empty()).for_each(|line| found += &format!("{line}\n"));
        }
        let kept = cargo::root().join("tests/golden/contract-0.1.0.wit");
        let kept = std::fs::read_to_string(kept)?;
        let differs = found.lines().zip(kept.lines()).find(|(found, kept)| found != kept);
        assert!(
            found == kept,
            "wit/ is no longer sandbar:operator@0.1.0, of which tests/golden/contract-0.1.0.wit \
             is a copy; docs/reference/compatibility.md says what to do. First: {differs:?}"
        );
        Ok(())
    }
}
