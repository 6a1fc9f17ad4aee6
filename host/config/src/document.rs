//! A TOML file that people write, read so that every error has its place:
//! file, line, key and what to do. Manifests and model folders share it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Terms of serde and toml, and the words of a manifest for them.
const WORDS: &[(&str, &str)] = &[
    (
        "map, expected a sequence",
        "table, expected a list; write a list of tables in double brackets, as in [[stages]]",
    ),
    ("expected a sequence", "expected a list, as in [\"flights\"]"),
    ("expected a map", "expected a table"),
    ("expected a nonzero u32", "expected a whole number of at least 1"),
    ("expected a nonzero usize", "expected a whole number of at least 1"),
    ("expected u32", "expected a whole number"),
    ("expected u64", "expected a whole number"),
    ("path string", "path"),
];

/// What is wrong at one place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1; `None` if something is missing.
    pub line: Option<usize>,
    /// The table and the key, as in `[source] topics`; empty for the file itself.
    pub place: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// All that is wrong with a file; displayed as one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file.
    pub path: PathBuf,
    /// At least one, in the order of their lines.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:", self.path.display())?;
            if let Some(line) = problem.line {
                write!(f, "{line}:")?;
            }
            if !problem.place.is_empty() {
                write!(f, " {}:", problem.place)?;
            }
            write!(f, " {}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// One step from a value of the file to one inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// The path from the file's root to a value, which need not exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPath(Vec<Step>);

impl KeyPath {
    /// The place of a key of the root.
    pub fn of(key: &str) -> Self {
        KeyPath::default().key(key)
    }

    /// The place of `key` in the table at this place.
    pub fn key(mut self, key: &str) -> Self {
        self.0.push(Step::Key(key.to_owned()));
        self
    }

    /// The place of the element at `index` in the array at this place.
    pub fn index(mut self, index: usize) -> Self {
        self.0.push(Step::Index(index));
        self
    }
}

/// A file that is valid TOML, with the place of everything in it.
pub struct Document<'a> {
    path: &'a Path,
    text: &'a str,
    root: DeTable<'a>,
}

impl<'a> Document<'a> {
    /// Reads `text`; `path` is only for the errors.
    pub fn new(path: &'a Path, text: &'a str) -> Result<Self, Problems> {
        let root = DeTable::parse(text).map_err(|error| Problems {
            path: path.to_owned(),
            problems: vec![Problem {
                line: error.span().map(|span| line(text, span.start)),
                place: String::new(),
                message: format!("invalid TOML: {}", error.message()),
            }],
        })?;
        Ok(Document { path, text, root: root.into_inner() })
    }

    /// The file as a value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problems> {
        toml::from_str(self.text).map_err(|error| self.problems(vec![self.translate(&error)]))
    }

    /// All problems, in the order of their lines.
    pub fn problems(&self, mut problems: Vec<Problem>) -> Problems {
        problems.sort_by_key(|problem| problem.line);
        Problems { path: self.path.to_owned(), problems }
    }

    /// A problem at a place, with the line of the nearest part of it that exists.
    pub fn problem(&self, place: &KeyPath, message: String) -> Problem {
        Problem { line: self.line(place), place: self.render(&place.0), message }
    }

    /// The line of the nearest part of a place that exists.
    pub fn line(&self, place: &KeyPath) -> Option<usize> {
        self.span(place).map(|span| line(self.text, span.start))
    }

    /// Rewrites an error of serde in the words of a manifest.
    fn translate(&self, error: &toml::de::Error) -> Problem {
        let mut place = error.span().map(|span| self.place(&span)).unwrap_or_default();
        let message = error.message();
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let message = match quoted.split_first() {
            Some((key, known)) if message.starts_with("unknown field") => {
                if place.0.last() == Some(&Step::Key((*key).to_owned())) {
                    place.0.pop();
                }
                format!("unknown key '{key}'; {}", instead(key, known, "known keys are"))
            }
            Some((key, _)) if message.starts_with("missing field") => {
                // A key that is missing from the file itself has no line.
                if !self.is_table(&place) {
                    let message = format!("the key '{key}' is missing");
                    return Problem { line: None, place: String::new(), message };
                }
                format!("the key '{key}' is missing")
            }
            Some((value, known)) if message.starts_with("unknown variant") => {
                format!("unknown value '{value}'; {}", instead(value, known, "expected one of"))
            }
            _ => in_words(message),
        };
        let line = error.span().map(|span| line(self.text, span.start));
        Problem { line, place: self.render(&place.0), message }
    }

    /// The place whose key or value is written at `span`.
    fn place(&self, span: &Range<usize>) -> KeyPath {
        let mut best = (usize::MAX, KeyPath::default());
        for (key, value) in &self.root {
            search(span, key, value, &KeyPath::default(), &mut best);
        }
        best.1
    }

    /// Whether there is a table inside the file at `place`.
    fn is_table(&self, place: &KeyPath) -> bool {
        self.deepest(place).is_some_and(|(_, value)| value.is_table())
    }

    /// Where the deepest part of `place` that exists is written: its key, or for
    /// an element of an array the element.
    fn span(&self, place: &KeyPath) -> Option<Range<usize>> {
        self.deepest(place).map(|(span, _)| span)
    }

    fn deepest(&self, place: &KeyPath) -> Option<(Range<usize>, &DeValue<'a>)> {
        let Some(Step::Key(first)) = place.0.first() else { return None };
        let (key, mut value) = self.root.get_key_value(first.as_str())?;
        let mut span = key.span();
        for step in &place.0[1..] {
            let next = match (step, value.get_ref()) {
                (Step::Key(key), DeValue::Table(table)) => {
                    table.get_key_value(key.as_str()).map(|(key, value)| (key.span(), value))
                }
                (Step::Index(index), DeValue::Array(array)) => {
                    array.get(*index).map(|value| (value.span(), value))
                }
                _ => None,
            };
            let Some((at, inner)) = next else { break };
            (span, value) = (at, inner);
        }
        Some((span, value.get_ref()))
    }

    /// `[source] topics[1]`, `[[stages]] 'score' limits.memory`, or `name`.
    fn render(&self, steps: &[Step]) -> String {
        let Some((Step::Key(first), mut rest)) = steps.split_first() else { return String::new() };
        let mut text = match (self.root.get(first.as_str()).map(Spanned::get_ref), rest.first()) {
            (Some(DeValue::Array(array)), Some(Step::Index(index)))
                if array.get(*index).is_some_and(|element| element.get_ref().is_table()) =>
            {
                rest = &rest[1..];
                numbered(first, array, *index)
            }
            (Some(DeValue::Table(table)), _) => match rest {
                [Step::Key(key), Step::Index(index), after @ ..]
                    if let Some(DeValue::Array(array)) =
                        table.get(key.as_str()).map(Spanned::get_ref)
                        && array.get(*index).is_some_and(|it| it.get_ref().is_table()) =>
                {
                    rest = after;
                    numbered(&format!("{first}.{key}"), array, *index)
                }
                _ => format!("[{first}]"),
            },
            (None, Some(_)) => format!("[{first}]"),
            _ => first.clone(),
        };
        let mut separator = if text.ends_with([']', '\'']) || !rest.is_empty() { " " } else { "" };
        for step in rest {
            match step {
                Step::Key(key) => {
                    text.push_str(separator);
                    text.push_str(&bare_or_quoted(key));
                }
                Step::Index(index) => text.push_str(&format!("[{index}]")),
            }
            separator = ".";
        }
        text
    }
}

/// A table of an array of them, by its name if it has one.
fn numbered(array: &str, tables: &DeArray<'_>, index: usize) -> String {
    let name = tables.get(index).and_then(|table| table.get_ref().get("name"));
    match name.and_then(|name| name.get_ref().as_str()) {
        Some(name) => format!("[[{array}]] '{name}'"),
        None => format!("[[{array}]] number {}", index + 1),
    }
}

/// Finds the shortest key or value around `span` in the tree.
fn search(
    span: &Range<usize>,
    key: &Spanned<toml::de::DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    parent: &KeyPath,
    best: &mut (usize, KeyPath),
) {
    let here = parent.clone().key(key.get_ref());
    consider(span, key.span(), &here, best);
    search_value(span, value, &here, best);
}

fn search_value(
    span: &Range<usize>,
    value: &Spanned<DeValue<'_>>,
    here: &KeyPath,
    best: &mut (usize, KeyPath),
) {
    consider(span, value.span(), here, best);
    match value.get_ref() {
        // A table's own span is that of its header: its keys are outside of it.
        DeValue::Table(table) => {
            for (key, value) in table {
                search(span, key, value, here, best);
            }
        }
        DeValue::Array(array) => {
            for (index, value) in array.iter().enumerate() {
                search_value(span, value, &here.clone().index(index), best);
            }
        }
        _ => {}
    }
}

fn consider(
    wanted: &Range<usize>,
    span: Range<usize>,
    here: &KeyPath,
    best: &mut (usize, KeyPath),
) {
    let around = span.start <= wanted.start && wanted.end <= span.end;
    // The first table of an array has the span of the array: the inner one wins.
    if around && span.len() <= best.0 {
        *best = (span.len(), here.clone());
    }
}

/// A message of serde in the words of [`WORDS`].
fn in_words(message: &str) -> String {
    if let Some((found, _)) = message.split_once(", expected struct ") {
        return format!("{found}, expected a table");
    }
    WORDS.iter().fold(message.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The line of a byte, from 1.
fn line(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

fn bare_or_quoted(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { format!("{key:?}") }
}

/// What to write instead: the nearest known word, or else all of them.
fn instead(word: &str, known: &[&str], otherwise: &str) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None if known.is_empty() => "no keys are allowed here".to_owned(),
        None => format!("{otherwise} '{}'", known.join("', '")),
    }
}

/// The known word that `word` probably misspells.
pub fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .filter(|(distance, known)| *distance <= 1 + known.len().min(word.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
