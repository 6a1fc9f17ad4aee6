//! Keeps `docs/dependencies.md` true: every crate that a `Cargo.toml` names is there, with
//! its reason, in a section of its package.

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use anyhow::Result;

    use crate::cargo;
    use crate::metadata::{Dependency, Package, all_packages};

    /// The crates that a package names, those of the repository left out.
    fn foreign(package: &Package) -> impl Iterator<Item = &Dependency> {
        package.dependencies.iter().filter(|dependency| dependency.is_foreign)
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
            let names: BTreeSet<&String> = foreign(&package).map(|it| &it.name).collect();
            for name in names {
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
                let names = |package: &&Package| foreign(package).any(|it| it.name == *name);
                if !of.iter().any(names) {
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
            let wildcards = foreign(&package).filter(|it| it.versions == "*");
            let names: Vec<&String> = wildcards.map(|it| &it.name).collect();
            assert!(names.is_empty(), "{}: give these a version: {names:?}", package.name);
        }
        Ok(())
    }
}
