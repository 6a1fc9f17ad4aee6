//! The page of the documentation that says what was compared with its maker's own scorer.
//!
//! Each crate that reads models writes a part of it, from its golden tests' own counts, between
//! two lines: `<!-- begin CRATE -->` and `<!-- end CRATE -->`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::Result;

/// The page, from a crate's folder.
const PAGE: &str = "../../docs/reference/compared-models.md";
/// Set it, and the page is written instead of compared.
const WRITE: &str = "SANDBAR_WRITE_DOCS";

/// Compares a crate's part of the page with what it should be.
///
/// # Errors
/// Where it is another, or the page has no such part.
pub fn check(crate_name: &str, expected: &str) -> Result {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = fs::read_to_string(&path)?;
    let (begin, end) =
        (format!("<!-- begin {crate_name} -->\n\n"), format!("\n\n<!-- end {crate_name} -->"));
    let (before, rest) = page.split_once(&begin).ok_or(format!("{PAGE}: no {begin:?}"))?;
    let (part, after) = rest.split_once(&end).ok_or(format!("{PAGE}: no {end:?}"))?;
    if part == expected {
        return Ok(());
    }
    if std::env::var_os(WRITE).is_some() {
        return Ok(fs::write(path, format!("{before}{begin}{expected}{end}{after}"))?);
    }
    let message = format!("{PAGE} is not what was compared: run this test with {WRITE}=1");
    Err(format!("{message}\n{expected}").into())
}

/// One line of a table: what was compared of models of one kind.
#[derive(Debug, Default)]
pub struct Compared {
    pub models: usize,
    pub rows: usize,
    /// Whether they have labels, all of which are equal then.
    pub has_labels: bool,
    pub difference: f64,
}

/// The table of a maker's models, by their kind.
pub fn table(maker: &str, kinds: &BTreeMap<String, Compared>) -> String {
    let mut lines = vec![
        "| maker | algorithm | models | rows | labels equal | largest difference |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    for (kind, Compared { models, rows, has_labels, difference }) in kinds {
        let labels = if *has_labels { "all" } else { "none to compare" };
        let difference = bound(*difference);
        lines.push(format!("| {maker} | {kind} | {models} | {rows} | {labels} | {difference} |"));
    }
    lines.join("\n")
}

/// A difference as the page says it: none, or rounded up to one digit.
pub fn bound(difference: f64) -> String {
    if difference == 0.0 {
        return "0".into();
    }
    let exponent = difference.log10().floor();
    let digit = (difference / 10_f64.powf(exponent)).ceil();
    format!("{digit}e{exponent}")
}
