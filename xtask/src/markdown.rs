//! The pages of the repository: their headings and links.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{cargo, process};

/// A Markdown file of the repository.
pub struct Page {
    /// Its path, seen from the repository's root.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

/// A link of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The line, from 1.
    pub line: usize,
    /// Where it leads, as it is written.
    pub target: String,
}

/// All pages, those included that are not committed yet.
///
/// # Errors
/// When git cannot list them, or one cannot be read.
pub fn pages() -> Result<Vec<Page>> {
    let listed = process::output_of(
        Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"])
            .current_dir(cargo::root()),
    )?;
    let paths: BTreeSet<PathBuf> = listed.lines().map(PathBuf::from).collect();
    let mut pages = Vec::new();
    for path in paths {
        let file = cargo::root().join(&path);
        // Removed, and not committed yet.
        if file.is_file() {
            let text = std::fs::read_to_string(&file).context(path.display().to_string())?;
            pages.push(Page { path, text });
        }
    }
    Ok(pages)
}

impl Page {
    /// The links, those to other sites included.
    pub fn links(&self) -> Vec<Link> {
        let text = without_code(&self.text);
        let mut links = Vec::new();
        let mut rest = text.as_str();
        // A link's text may be broken over two lines, its target is not.
        while let Some(at) = rest.find("](") {
            rest = &rest[at + 2..];
            let Some(end) = rest.find([')', '\n']) else { break };
            let target = rest[..end].split_whitespace().next().unwrap_or_default();
            let line = 1 + text[..text.len() - rest.len()].matches('\n').count();
            links.push(Link { line, target: target.to_owned() });
        }
        for (index, line) in text.lines().enumerate() {
            let reference = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
            if let Some((_, target)) = reference {
                links.push(Link { line: index + 1, target: target.trim().to_owned() });
            }
        }
        links
    }

    /// The names of headings in links, as GitHub and mdBook make them.
    pub fn anchors(&self) -> BTreeSet<String> {
        let mut anchors = BTreeSet::new();
        for line in without_fences(&self.text).lines() {
            let Some(heading) = line.strip_prefix('#').map(|rest| rest.trim_start_matches('#'))
            else {
                continue;
            };
            let Some(heading) = heading.strip_prefix(' ') else { continue };
            let name = slug(heading);
            let mut unique = name.clone();
            let mut count = 0;
            while !anchors.insert(unique.clone()) {
                count += 1;
                unique = format!("{name}-{count}");
            }
        }
        anchors
    }

    /// The first heading.
    pub fn title(&self) -> &str {
        let mut headings = self.text.lines().filter_map(|line| line.strip_prefix("# "));
        headings.next().unwrap_or_default().trim()
    }
}

impl Link {
    /// The file that it leads to, seen from the root, and the heading there. `None` where it
    /// leads to another site.
    pub fn file(&self, from: &Path) -> Option<(PathBuf, Option<&str>)> {
        if self.target.contains("://") || self.target.starts_with("mailto:") {
            return None;
        }
        let (path, anchor) = match self.target.split_once('#') {
            Some((path, anchor)) => (path, Some(anchor)),
            None => (self.target.as_str(), None),
        };
        let folder = from.parent().unwrap_or(Path::new(""));
        let path = if path.is_empty() { from.to_owned() } else { folder.join(path) };
        let mut plain = PathBuf::new();
        for part in path.components() {
            match part {
                // Beyond the root nothing is found.
                Component::ParentDir if plain.pop() => {}
                Component::CurDir => {}
                part => plain.push(part),
            }
        }
        Some((plain, anchor))
    }
}

/// What is wrong with the links of pages, a line each.
pub fn broken_links(pages: &[Page]) -> Vec<String> {
    let mut broken = Vec::new();
    for page in pages {
        for link in page.links() {
            let Some((path, anchor)) = link.file(&page.path) else { continue };
            let at = format!("{}:{}: {}", page.path.display(), link.line, link.target);
            if !cargo::root().join(&path).exists() {
                broken.push(format!("{at}: no such file"));
                continue;
            }
            let linked = pages.iter().find(|page| page.path == path);
            if let (Some(anchor), Some(linked)) = (anchor, linked)
                && !linked.anchors().contains(anchor)
            {
                broken.push(format!("{at}: {} has no such heading", path.display()));
            }
        }
    }
    broken
}

/// A heading's name in links: letters, digits, `-` and `_`; the case does not count.
fn slug(heading: &str) -> String {
    let mut name = String::new();
    // Of a link only the text is left.
    let mut rest = heading;
    let mut shown = String::new();
    while let Some((before, after)) = rest.split_once("](") {
        shown += before;
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    shown += rest;
    for letter in shown.trim().chars().flat_map(char::to_lowercase) {
        match letter {
            ' ' => name.push('-'),
            '-' | '_' => name.push(letter),
            letter if letter.is_alphanumeric() => name.push(letter),
            _ => {}
        }
    }
    name
}

/// Blank lines in place of what is fenced.
fn without_fences(text: &str) -> String {
    let mut fence: Option<&str> = None;
    let mut kept = String::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => kept.push_str(line),
            _ => {}
        }
        kept.push('\n');
    }
    kept
}

/// The same without what is in backticks, which may go over the end of a line.
fn without_code(text: &str) -> String {
    let text = without_fences(text);
    let mut kept = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('`') {
        kept.push_str(&rest[..at]);
        let marks = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let (mark, after) = rest[at..].split_at(marks);
        // A mark that is not closed within its paragraph is a mark.
        let paragraph = after.find("\n\n").unwrap_or(after.len());
        rest = match after[..paragraph].find(mark) {
            Some(end) => {
                kept.extend(after[..end].chars().filter(|letter| *letter == '\n'));
                &after[end + marks..]
            }
            None => after,
        };
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &str, text: &str) -> Page {
        Page { path: path.into(), text: text.to_owned() }
    }

    #[test]
    fn links_are_found_and_code_is_not() {
        let page = page(
            "docs/a.md",
            "# A\n[one](b.md) and [two\nlines](../README.md#run \"title\")\n`[no](c.md)`\n\
             ```\n[no](d.md)\n```\n[three]: e.md\n[`four`](f.md), a ` mark\n\n[five](#a)\n",
        );
        let found: Vec<(usize, String)> =
            page.links().into_iter().map(|link| (link.line, link.target)).collect();
        let expected = [(2, "b.md"), (3, "../README.md#run"), (9, "f.md"), (11, "#a"), (8, "e.md")];
        assert_eq!(found, expected.map(|(line, target)| (line, target.to_owned())));
    }

    #[test]
    fn a_link_leads_from_its_page() {
        let file = |target: &str| {
            let link = Link { line: 1, target: target.to_owned() };
            link.file(Path::new("docs/guide/a.md"))
                .map(|(path, anchor)| (path, anchor.map(str::to_owned)))
        };
        assert_eq!(file("../b.md#c"), Some(("docs/b.md".into(), Some("c".into()))));
        assert_eq!(file("#c"), Some(("docs/guide/a.md".into(), Some("c".into()))));
        assert_eq!(file("../../wit"), Some(("wit".into(), None)));
        assert_eq!(file("https://example.com/a"), None);
    }

    #[test]
    fn headings_have_the_names_of_github() {
        let page = page(
            "a.md",
            "# What `x` is: [a link](b.md)?\n## Twice\n## Twice\n```\n# no\n```\n#no\n",
        );
        let anchors: Vec<String> = page.anchors().into_iter().collect();
        assert_eq!(anchors, ["twice", "twice-1", "what-x-is-a-link"]);
    }

    #[test]
    fn every_link_leads_somewhere() -> Result<()> {
        let broken = broken_links(&pages()?);
        assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
        Ok(())
    }

    /// The book has every page, and each once.
    #[test]
    fn the_summary_names_every_page() -> Result<()> {
        let pages = pages()?;
        let summary = Path::new("docs/SUMMARY.md");
        let page = pages.iter().find(|page| page.path == summary).context("no docs/SUMMARY.md")?;
        let mut named: Vec<PathBuf> = page
            .links()
            .iter()
            .filter_map(|link| link.file(summary).map(|(path, _)| path))
            .collect();
        named.sort();
        let mut expected: Vec<PathBuf> = pages
            .iter()
            .map(|page| page.path.clone())
            .filter(|path| path.starts_with("docs") && path != summary)
            .collect();
        expected.sort();
        assert_eq!(named, expected, "docs/SUMMARY.md is not a list of all pages of docs/");
        Ok(())
    }

    /// The index of the decisions has each with its title.
    #[test]
    fn the_index_names_every_decision() -> Result<()> {
        let folder = Path::new("docs/decisions");
        let pages = pages()?;
        let index = folder.join("README.md");
        let index = pages.iter().find(|page| page.path == index).context("no index")?;
        let mut rows = index.text.lines().filter(|line| line.starts_with("| ["));
        for page in pages
            .iter()
            .filter(|page| page.path.parent() == Some(folder) && !page.path.ends_with("README.md"))
        {
            let name = page.path.file_name().unwrap_or_default().to_string_lossy();
            let (number, _) = name.split_once('-').context("a decision without a number")?;
            // `# 0009: Title`, or `# 9. Title`.
            let title = page.title().trim_start_matches(|c: char| c.is_ascii_digit());
            let title = title.trim_start_matches([':', '.']).trim();
            let expected = format!("| [{number}]({name}) | {title} | ");
            let row = rows.next().unwrap_or_default();
            assert!(
                row.starts_with(&expected) && row.len() > expected.len() + 10,
                "docs/decisions/README.md: expected the row\n{expected}... |\ngot\n{row}"
            );
        }
        assert_eq!(rows.next(), None, "a row of no decision");
        Ok(())
    }
}
