//! `cargo xtask deny`: licences, advisories, bans and sources of what is compiled in.
//!
//! cargo-deny checks all of them for every system, by `deny.toml`. It takes minutes to
//! build, and advisories need a database from the network, so a test run does without: it
//! reads licences, bans and sources off `cargo tree`, for this machine, by the same file.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{cargo, process, toolchain};

/// What `cargo xtask deny` takes.
#[derive(Args)]
pub struct DenyArguments {
    /// Leave out the advisories, whose database comes from the network.
    #[arg(long)]
    offline: bool,
}

/// Checks both workspaces with cargo-deny.
///
/// # Errors
/// When it is not installed, or finds something.
pub fn run(arguments: &DenyArguments) -> Result<()> {
    let checks = ["licenses", "bans", "sources"];
    for workspace in [cargo::root().to_owned(), cargo::operators()] {
        process::run(
            Command::new("cargo")
                .arg("deny")
                .arg("--manifest-path")
                .arg(workspace.join("Cargo.toml"))
                .arg("--config")
                .arg(cargo::root().join("deny.toml"))
                .arg("check")
                .args(checks.iter().filter(|_| arguments.offline)),
        )
        .context(
            "cargo-deny is not installed (`cargo install --locked cargo-deny`), or it has found \
             something",
        )?;
    }
    Ok(())
}

/// What `deny.toml` says that is checked without cargo-deny.
#[derive(Debug, Default)]
struct Rules {
    licences: Vec<String>,
    /// A crate and a licence that it alone may have.
    exceptions: Vec<(String, String)>,
    banned: Vec<String>,
}

impl Rules {
    /// Reads the lists, which have one item a line.
    fn read(text: &str) -> Result<Self> {
        let mut rules = Rules::default();
        let mut list = "";
        for line in text.lines().map(str::trim) {
            let code = line.split('#').next().unwrap_or_default();
            match (list, code.split_once(" = [")) {
                ("", Some((key, rest))) if !rest.contains(']') => list = key,
                (_, None) if code.starts_with(']') => list = "",
                _ => {
                    let quoted: Vec<&str> = code.split('"').skip(1).step_by(2).collect();
                    match (list, &quoted[..]) {
                        ("allow", [licence, ..]) => rules.licences.push((*licence).to_owned()),
                        ("exceptions", [name, licence, ..]) => {
                            rules.exceptions.push(((*name).to_owned(), (*licence).to_owned()));
                        }
                        // Two versions of such a crate are for cargo-deny to find.
                        ("deny", [name, ..]) if !code.contains("deny-multiple-versions") => {
                            rules.banned.push((*name).to_owned());
                        }
                        _ => {}
                    }
                }
            }
        }
        if rules.licences.is_empty() || rules.banned.is_empty() {
            bail!("deny.toml: expected lists `allow` and `deny` with one item a line");
        }
        Ok(rules)
    }

    /// What is wrong with a crate.
    fn problem(&self, it: &Crate) -> Option<String> {
        let allowed = |licence: &str| {
            let excepted = |(name, of): &(String, String)| *name == it.name && of == licence;
            self.licences.iter().any(|allowed| allowed == licence)
                || self.exceptions.iter().any(excepted)
        };
        if self.banned.contains(&it.name) {
            return Some("banned".to_owned());
        }
        if let Some(source) = &it.source {
            return Some(format!("comes from {source}, not from crates.io"));
        }
        let spdx = Spdx { tokens: tokens(&it.licence), at: 0, allowed: &allowed };
        (!spdx.allows()).then(|| format!("its licence {:?} is not allowed", it.licence))
    }
}

/// A crate that is compiled.
#[derive(Debug, PartialEq)]
struct Crate {
    name: String,
    licence: String,
    /// Where it comes from, if neither from crates.io nor from here.
    source: Option<String>,
}

/// The crates of a workspace, for a target.
fn crates(mut command: Command, target: Option<&str>) -> Result<Vec<Crate>> {
    command.args(["tree", "--locked", "--workspace", "--all-features", "--prefix", "none"]);
    command.args(["--format", "{p}\t{l}"]);
    command.args(target.iter().flat_map(|target| ["--target", target]));
    let tree = process::output_of(&mut command)?;
    let mut crates = Vec::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let (package, licence) = line.split_once('\t').context("cargo tree: no licence")?;
        let (name, rest) = package.split_once(' ').context("cargo tree: no version")?;
        let origin = rest.split_once('(').map(|(_, origin)| origin.trim_end_matches(')'));
        let ours = |origin: &&str| {
            *origin == "proc-macro" || PathBuf::from(origin).starts_with(cargo::root())
        };
        crates.push(Crate {
            name: name.to_owned(),
            licence: licence.trim_end_matches(" (*)").to_owned(),
            source: origin
                .and_then(|origin| origin.split(") (").find(|origin| !ours(origin)))
                .map(str::to_owned),
        });
    }
    crates.dedup();
    Ok(crates)
}

/// What is wrong with what is compiled on this machine, a line for each crate.
///
/// # Errors
/// When `deny.toml` or cargo's answer cannot be read.
pub fn problems() -> Result<Vec<String>> {
    let file: &Path = &cargo::root().join("deny.toml");
    let rules = Rules::read(&std::fs::read_to_string(file).context("deny.toml")?)?;
    let mut problems = Vec::new();
    for all in [
        crates(cargo::host(), None)?,
        crates(cargo::operators_natively(), None)?,
        crates(cargo::operators_natively(), Some(toolchain::WASM_TARGET))?,
    ] {
        for it in all {
            problems.extend(rules.problem(&it).map(|problem| format!("{}: {problem}", it.name)));
        }
    }
    problems.sort();
    problems.dedup();
    Ok(problems)
}

/// A licence expression: `(MIT OR Apache-2.0) AND Unicode-3.0`.
struct Spdx<'a> {
    tokens: Vec<String>,
    at: usize,
    allowed: &'a dyn Fn(&str) -> bool,
}

/// The parts of an expression. An old form has `/` for `OR`.
fn tokens(expression: &str) -> Vec<String> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

impl Spdx<'_> {
    /// Whether one may choose licences that are all allowed.
    fn allows(mut self) -> bool {
        let allows = self.any();
        allows && self.at == self.tokens.len()
    }

    fn take(&mut self, token: &str) -> bool {
        let taken = self.tokens.get(self.at).is_some_and(|next| next == token);
        self.at += usize::from(taken);
        taken
    }

    fn any(&mut self) -> bool {
        let mut allows = self.all();
        while self.take("OR") {
            allows |= self.all();
        }
        allows
    }

    fn all(&mut self) -> bool {
        let mut allows = self.one();
        while self.take("AND") {
            allows &= self.one();
        }
        allows
    }

    fn one(&mut self) -> bool {
        if self.take("(") {
            let allows = self.any();
            return self.take(")") && allows;
        }
        let next = self.tokens.get(self.at).cloned();
        // Past the end where there is none: then `allows` refuses the whole.
        self.at += 1;
        let Some(mut licence) = next else { return false };
        if self.take("WITH") {
            licence += " WITH ";
            licence += self.tokens.get(self.at).map_or("", String::as_str);
            self.at += 1;
        }
        (self.allowed)(&licence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        allow = [
            "MIT", # of most
            "Apache-2.0 WITH LLVM-exception",
        ]
        exceptions = [
            { crate = "notify", allow = ["CC0-1.0"] }, # as it is
        ]
        ignore = []
        deny = [
            { crate = "ring", reason = "a second one" },
            { crate = "openssl-sys", deny-multiple-versions = true, reason = "two" },
        ]
    "#;

    fn problem(name: &str, licence: &str) -> Result<Option<String>> {
        let it = Crate { name: name.into(), licence: licence.into(), source: None };
        Ok(Rules::read(RULES)?.problem(&it))
    }

    #[test]
    fn licences_are_chosen_among() -> Result<()> {
        for allowed in [
            "MIT",
            "GPL-3.0 OR MIT",
            "Apache-2.0/MIT",
            "(GPL-3.0 OR MIT) AND MIT",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        ] {
            assert_eq!(problem("a", allowed)?, None, "{allowed}");
        }
        for refused in
            ["", "GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0", "MIT OR", "(MIT", "MIT MIT", "CC0-1.0"]
        {
            assert!(problem("a", refused)?.is_some(), "{refused}");
        }
        assert_eq!(problem("notify", "CC0-1.0")?, None);
        assert!(problem("ring", "MIT")?.is_some());
        assert_eq!(problem("openssl-sys", "MIT")?, None);
        Ok(())
    }

    #[test]
    fn rules_that_cannot_be_read_are_an_error() {
        assert!(Rules::read("allow = [\"MIT\"]").is_err());
        assert!(Rules::read("").is_err());
    }

    #[test]
    fn what_is_compiled_is_allowed() -> Result<()> {
        let problems = problems()?;
        assert!(problems.is_empty(), "deny.toml does not allow:\n{}", problems.join("\n"));
        Ok(())
    }
}
