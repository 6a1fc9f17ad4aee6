//! Expected and actual results as a diff.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

use super::verdict::Difference;
use sandbar_telemetry::visible;

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// Characters of one line that are shown.
const LINE: usize = 2000;

/// Whether output is for a terminal with colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colours(pub bool);

impl Colours {
    const REMOVED: &'static str = "31";
    const ADDED: &'static str = "32";
    const PLACE: &'static str = "36";

    /// `text` in a colour, by its ANSI code.
    pub fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A table as lines, each with the way to one value: `outputs[0].topic = "flights"`.
pub(super) fn lines(table: &toml::Table) -> String {
    let mut text = String::new();
    for (key, value) in table {
        flatten(&mut text, key.clone(), value);
    }
    text
}

fn flatten(text: &mut String, path: String, value: &toml::Value) {
    match value {
        toml::Value::Table(members) if !members.is_empty() => {
            for (key, value) in members {
                let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                let key = match !key.is_empty() && key.chars().all(bare) {
                    true => key.clone(),
                    false => format!("{key:?}"),
                };
                flatten(text, format!("{path}.{key}"), value);
            }
        }
        toml::Value::Array(list) if !list.is_empty() => {
            for (index, value) in list.iter().enumerate() {
                flatten(text, format!("{path}[{index}]"), value);
            }
        }
        // A text of several lines, line by line.
        toml::Value::String(value) if value.contains('\n') => {
            for (index, line) in value.split('\n').enumerate() {
                let mark = if index == 0 { "=" } else { "|" };
                let _ = writeln!(text, "{path} {mark} {line:?}");
            }
        }
        value => {
            let _ = writeln!(text, "{path} = {value}");
        }
    }
}

impl Difference {
    /// The expectation and the actual result as a unified diff, each line after `indent`.
    pub fn render(&self, indent: &str, colours: Colours) -> String {
        let before = self.expected.as_ref().map(lines).unwrap_or_default();
        let after = self.actual.as_ref().map(lines).unwrap_or_default();
        let mut text = unified(&before, &after, indent, false, colours);
        let nothing = match (&self.expected, &self.actual, self.record) {
            (Some(_), None, None) => "it was not refused",
            (Some(_), None, Some(_)) => "there is no such input record",
            (None, Some(_), _) => "no expectation for this record yet; --bless writes one",
            _ => return text,
        };
        let _ = writeln!(text, "{indent}({nothing})");
        text
    }
}

/// Two texts as a unified diff. `places`: with the lines of each hunk.
pub(super) fn unified(
    before: &str,
    after: &str,
    indent: &str,
    places: bool,
    colours: Colours,
) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut text = String::new();
    for (index, hunk) in diff.unified_diff().context_radius(CONTEXT).iter_hunks().enumerate() {
        let header = hunk.header().to_string();
        let header = if places { header.trim_end() } else { "  ..." };
        if places || index > 0 {
            let _ = writeln!(text, "{indent}{}", colours.paint(Colours::PLACE, header));
        }
        for change in hunk.iter_changes() {
            let line = shortened(change.value().trim_end_matches('\n'));
            let line = visible::line(&line);
            let line = match change.tag() {
                ChangeTag::Equal => format!("  {line}"),
                ChangeTag::Delete => colours.paint(Colours::REMOVED, &format!("- {line}")),
                ChangeTag::Insert => colours.paint(Colours::ADDED, &format!("+ {line}")),
            };
            let _ = writeln!(text, "{indent}{line}");
        }
    }
    text
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}… ({} bytes)", &line[..end], line.len()),
        None => line.to_owned(),
    }
}
