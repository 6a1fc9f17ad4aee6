//! Keeps `docs/dependencies.md` true: every crate that a `Cargo.toml` names is there, with
//! its reason, in a section of its package.

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::process::Command;

    use anyhow::{Context, Result};
    use serde_json::Value;

    use crate::{cargo, process};

    /// A package of one of the workspaces.
    struct Package {
        name: String,
        /// Its folder, seen from the root.
        folder: String,
        /// The crates that it names, those of the repository left out.
        dependencies: BTreeSet<String>,
        /// Those of any version.
        wildcards: Vec<String>,
    }

    /// A part of the page.
    struct Section {
        /// What its heading has in backticks: folders or packages.
        names: Vec<String>,
        crates: BTreeSet<String>,
    }

    impl Section {
        fn is_of(&self, package: &Package) -> bool {
            self.names
                .iter()
                .any(|name| *name == package.name || Path::new(&package.folder).starts_with(name))
        }
    }

    fn packages(mut command: Command) -> Result<Vec<Package>> {
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: Value = serde_json::from_str(&process::output_of(&mut command)?)?;
        let packages = metadata["packages"].as_array().context("no packages")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut all = Vec::new();
        for package in packages {
            let manifest = text(&package["manifest_path"]);
            let folder = Path::new(&manifest).parent().context("no folder")?;
            let folder = folder.strip_prefix(cargo::root())?.to_string_lossy().into_owned();
            let foreign = || {
                let dependencies = package["dependencies"].as_array().into_iter().flatten();
                dependencies.filter(|dependency| dependency["source"].is_string())
            };
            all.push(Package {
                name: text(&package["name"]),
                folder,
                dependencies: foreign().map(|it| text(&it["name"])).collect(),
                wildcards: foreign()
                    .filter(|it| it["req"] == "*")
                    .map(|it| text(&it["name"]))
                    .collect(),
            });
        }
        Ok(all)
    }

    fn all_packages() -> Result<Vec<Package>> {
        let mut all = packages(cargo::host())?;
        all.extend(packages(cargo::operators_natively())?);
        Ok(all)
    }

    fn sections() -> Result<Vec<Section>> {
        let page = std::fs::read_to_string(cargo::root().join("docs/dependencies.md"))?;
        let mut sections = Vec::new();
        for part in page.split("\n## ").skip(1) {
            let (heading, body) = part.split_once('\n').unwrap_or((part, ""));
            let names = heading.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            let rows = body.lines().filter(|line| line.starts_with("| ") && !line.contains("---"));
            let mut crates = BTreeSet::new();
            for row in rows.skip(1) {
                // `serde (`habits`, both others), serde_json`
                let cell = row.split('|').nth(1).unwrap_or_default();
                let mut depth = 0;
                let plain: String = cell
                    .chars()
                    .filter(|letter| {
                        depth += i32::from(*letter == '(');
                        let kept = depth == 0;
                        depth -= i32::from(*letter == ')');
                        kept
                    })
                    .collect();
                crates.extend(plain.split(',').map(|name| name.trim().to_owned()));
            }
            sections.push(Section { names, crates });
        }
        Ok(sections)
    }

    #[test]
    fn every_dependency_has_its_reason() -> Result<()> {
        let sections = sections()?;
        let mut problems = Vec::new();
        for package in all_packages()? {
            for name in &package.dependencies {
                let named = |it: &Section| it.is_of(&package) && it.crates.contains(name);
                if !sections.iter().any(named) {
                    problems.push(format!("{}: {name} is in no section of it", package.name));
                }
            }
        }
        assert!(problems.is_empty(), "docs/dependencies.md:\n{}", problems.join("\n"));
        Ok(())
    }

    #[test]
    fn every_reason_has_its_dependency() -> Result<()> {
        let packages = all_packages()?;
        let mut problems = Vec::new();
        for section in sections()? {
            let of: Vec<&Package> = packages.iter().filter(|it| section.is_of(it)).collect();
            // What is not crates.
            if of.is_empty() {
                continue;
            }
            for name in &section.crates {
                if !of.iter().any(|package| package.dependencies.contains(name)) {
                    problems.push(format!("{}: {name} is not used", section.names.join(", ")));
                }
            }
        }
        assert!(problems.is_empty(), "docs/dependencies.md:\n{}", problems.join("\n"));
        Ok(())
    }

    #[test]
    fn no_dependency_is_of_any_version() -> Result<()> {
        for package in all_packages()? {
            assert_eq!(package.wildcards, [""; 0], "{}: give these a version", package.name);
        }
        Ok(())
    }
}
