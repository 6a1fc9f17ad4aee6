//! Keeps docs/security.md true: each threat names tests that show what stands against it, and
//! each of these is there. The code is read as text.

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use anyhow::{Context, Result, ensure};

    use crate::{cargo, fuzz};

    const PAGE: &str = "docs/security.md";
    /// The heading of the tables of threats.
    const HEADING: &str = "\n## Threats\n";

    /// Something that shows what a row says.
    struct Shown {
        name: String,
        file: PathBuf,
    }

    impl Shown {
        /// Whether it is in its file: a test, or a row of the table of fuzz targets.
        fn is_there(&self) -> Result<bool> {
            let text = std::fs::read_to_string(cargo::root().join(&self.file))
                .context(self.file.display().to_string())?;
            let target = self.file.iter().any(|folder| folder == "fuzz");
            let wanted = match target {
                true => format!("name: \"{}\"", self.name),
                false => format!("fn {}(", self.name),
            };
            Ok(text.contains(&wanted))
        }
    }

    /// What the last column of a row names.
    fn shown(row: &str) -> Result<Vec<Shown>> {
        let last = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        let links = last.split("[`").skip(1).map(|rest| {
            let (name, rest) = rest.split_once("`](").context("not a link")?;
            let (target, _) = rest.split_once(')').context("a link without an end")?;
            let target = target.strip_prefix("../").context("a link that is not to code")?;
            Ok(Shown { name: name.to_owned(), file: Path::new(target).to_owned() })
        });
        links.collect()
    }

    #[test]
    fn every_threat_has_a_test_that_is_there() -> Result<()> {
        let page = std::fs::read_to_string(cargo::root().join(PAGE)).context(PAGE)?;
        let (_, threats) = page.split_once(HEADING).context("no threats")?;
        let (threats, _) = threats.split_once("\n## ").context("threats without an end")?;
        let rows = threats.lines().filter(|line| line.starts_with("| "));
        let mut named = BTreeSet::new();
        for row in rows.filter(|row| !row.starts_with("| threat |")) {
            let shown = shown(row).with_context(|| row.to_owned())?;
            ensure!(!shown.is_empty(), "{PAGE}: no test in the last column of: {row}");
            for shown in shown {
                let there = shown.is_there()?;
                ensure!(there, "{PAGE}: {} is not in {}", shown.name, shown.file.display());
                named.insert(shown.name);
            }
        }
        for target in fuzz::targets()? {
            ensure!(named.contains(&target), "{PAGE}: no threat names the fuzz target {target}");
        }
        Ok(())
    }
}
