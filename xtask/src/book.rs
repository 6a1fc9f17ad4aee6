//! `cargo xtask book`: the documents as a site, by mdBook.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::markdown::{self, Page};
use crate::{cargo, process};

/// What `cargo xtask book` takes.
#[derive(Args)]
pub struct BookArguments {
    /// Where the repository can be read, `https://HOST/OWNER/NAME`. Links out of `docs/`, to
    /// code, lead there; without it they are text.
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
}

/// Checks the links and builds the site in `target/book/html`.
///
/// # Errors
/// When a link is broken, or mdBook is not installed or fails.
pub fn run(arguments: &BookArguments) -> Result<()> {
    let pages = markdown::pages()?;
    let broken = markdown::broken_links(&pages);
    if !broken.is_empty() {
        bail!("broken links:\n{}", broken.join("\n"));
    }
    // mdBook sees a copy, since a link out of the book would lead nowhere on the site.
    let target = cargo::root().join("target/book");
    let source = target.join("docs");
    if source.exists() {
        fs::remove_dir_all(&source).context(source.display().to_string())?;
    }
    for page in pages.iter().filter(|page| page.path.starts_with("docs")) {
        write(&target.join(&page.path), &inside(page, arguments.repository.as_deref()))?;
    }
    write(&target.join("book.toml"), &fs::read_to_string(cargo::root().join("book.toml"))?)?;
    // A relative one would be seen from the current folder.
    let html = target.join("html");
    process::run(Command::new("mdbook").arg("build").arg("--dest-dir").arg(html).arg(&target))
        .context("mdBook makes the site; `cargo install mdbook` installs it")?;
    println!("{}", target.join("html/index.html").display());
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).context(folder.display().to_string())?;
    fs::write(path, text).context(path.display().to_string())
}

/// A page whose links lead to pages of the book, or to the repository.
fn inside(page: &Page, repository: Option<&str>) -> String {
    let mut text = page.text.clone();
    let outside = page.links().into_iter().filter_map(|link| {
        let (path, _) = link.file(&page.path)?;
        (!path.starts_with("docs")).then_some((link.target, path))
    });
    let mut outside: Vec<(String, PathBuf)> = outside.collect();
    outside.sort();
    outside.dedup();
    for (target, path) in outside {
        let written = format!("]({target})");
        match repository {
            Some(url) => {
                let url = format!("{}/blob/HEAD/{}", url.trim_end_matches('/'), path.display());
                text = text.replace(&written, &format!("]({url})"));
            }
            None => text = without_link(&text, &written),
        }
    }
    text
}

/// Leaves the text of each link that is written so.
fn without_link(text: &str, written: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(written) {
        let before = &rest[..at];
        match before.rfind('[') {
            Some(open) => {
                kept.push_str(&before[..open]);
                kept.push_str(&before[open + 1..]);
            }
            None => kept.push_str(before),
        }
        rest = &rest[at + written.len()..];
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_out_of_the_book_are_led_away() {
        let page = Page {
            path: "docs/guide/a.md".into(),
            text: "[`b`](../../host/b.rs), [c](../c.md) and [d\n e](../../host/b.rs).".into(),
        };
        assert_eq!(inside(&page, None), "`b`, [c](../c.md) and d\n e.");
        assert_eq!(
            inside(&page, Some("https://example.com/o/n/")),
            "[`b`](https://example.com/o/n/blob/HEAD/host/b.rs), [c](../c.md) and \
             [d\n e](https://example.com/o/n/blob/HEAD/host/b.rs)."
        );
    }
}
