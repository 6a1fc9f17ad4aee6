//! The class names of a model: one label per line of a file in its folder.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::digest::Sha256;

/// Labels that are accepted at most: as many classes as a scorer may declare.
const LIMIT: usize = 1 << 16;

/// `[labels]` of a `model.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClassNames {
    /// The file's name, in the model's folder.
    pub file: String,
    /// How many words at the start of each line are not part of the label, as in
    /// `n02690373 airliner`. Default: none.
    #[serde(default)]
    pub skip_words: usize,
    /// Whether there may be fewer labels than classes, as some published lists have it;
    /// the others are named by their line, as in `#1001`. Default: no.
    #[serde(default)]
    pub incomplete: bool,
    /// The file's URL. Unknown by default.
    #[serde(default)]
    pub url: Option<String>,
    /// The file's digest. Unchecked by default.
    #[serde(default)]
    pub sha256: Option<Sha256>,
}

/// The text of the file, without the byte order mark that some editors put before UTF-8. Old
/// lists are not all UTF-8; labels are for people, so a lossy conversion is fine.
///
/// # Errors
/// Of UTF-16 and UTF-32 a lossy conversion would leave no name that anyone knows.
pub(super) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let marked = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    if marked || bytes.contains(&0) {
        return Err("the file is UTF-16 or UTF-32, or no text; save it as UTF-8".into());
    }
    Ok(String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)))
}

impl ClassNames {
    /// Whether so many labels may belong to so many classes.
    pub(super) fn fits(&self, labels: usize, classes: usize) -> bool {
        labels == classes || self.incomplete && labels < classes
    }

    /// Fits the labels to a number of classes.
    ///
    /// # Errors
    /// If there are more, or fewer and the list is not marked as incomplete.
    pub(super) fn fit(&self, labels: &mut Vec<String>, classes: usize) -> Result<(), String> {
        if self.incomplete && labels.len() < classes {
            labels.extend((labels.len() + 1..=classes).map(|line| format!("#{line}")));
        }
        if labels.len() == classes {
            return Ok(());
        }
        let (count, way_out) = (labels.len(), "use the list that belongs to it");
        Err(format!(
            "expected {classes} labels, one for each class of the model, got {count}; {way_out}"
        ))
    }

    /// The labels in the text of the file, one per line. A repeated label
    /// gets its line appended, as in `crane #518`: two classes need two names.
    ///
    /// # Errors
    /// If a line has no label, or there are none or too many.
    pub(super) fn read(&self, text: &str) -> Result<Vec<String>, String> {
        let mut labels: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let mut label = line.trim();
            for _ in 0..self.skip_words {
                label = label.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim());
            }
            if label.is_empty() {
                return Err(format!(
                    "line {number} has no label; write one, or correct [labels] skip-words"
                ));
            }
            if labels.len() == LIMIT {
                return Err(format!("more than {LIMIT} labels"));
            }
            let mut label = label.to_owned();
            if seen.contains(&label) {
                label = format!("{label} #{number}");
            }
            if !seen.insert(label.clone()) {
                return Err(format!("line {number}: duplicate label '{label}'"));
            }
            labels.push(label);
        }
        if labels.is_empty() { Err("the file has no labels".into()) } else { Ok(labels) }
    }
}
