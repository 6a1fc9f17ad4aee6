//! The header of a text model: what stands before its trees.

use crate::error::Error;
use crate::limits::{self, Limits};
use crate::text::{Entries, Line, Lines, Value, excerpt};

/// The line that a text model begins with.
const FIRST: &str = "tree";
/// The line behind the last tree.
pub(crate) const END_OF_TREES: &str = "end of trees";
/// What the line before a tree begins with.
pub(crate) const TREE: &str = "Tree=";
/// The key without a value.
const AVERAGE: &str = "average_output";
/// The part of the file, for messages.
pub(crate) const PART: &str = "header";

const KEYS: &[&str] = &[
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "objective",
    AVERAGE,
    "feature_names",
    "monotone_constraints",
    "feature_infos",
    "tree_sizes",
];

/// What the header says.
#[derive(Debug)]
pub(crate) struct Header<'a> {
    /// 3 or 4.
    pub(crate) version: u32,
    /// How many sums a row has: trees per iteration.
    pub(crate) groups: usize,
    /// As it stands in the file; `None` for an objective that is not LightGBM's own.
    pub(crate) objective: Option<Value<'a>>,
    /// Whether sums are divided by the number of iterations.
    pub(crate) average: bool,
    /// The names of columns, and what training knew of each.
    pub(crate) names: Vec<&'a str>,
    pub(crate) infos: Vec<&'a str>,
    /// The bytes of each tree, where the file says them.
    pub(crate) tree_sizes: Option<Vec<u64>>,
}

impl<'a> Header<'a> {
    /// Reads the lines before the first tree.
    pub(crate) fn read(lines: &mut Lines<'a>, limits: &Limits) -> Result<Self, Error> {
        first(lines)?;
        let mut entries = Entries::new(PART.into(), KEYS);
        while let Some(line) = lines.peek() {
            if line.text.starts_with(TREE) || line.text == END_OF_TREES {
                break;
            }
            lines.next();
            if line.text.ends_with('\r') {
                return Err(line.error(
                    "ends with CR LF, so that tree_sizes is wrong: copy the file as LightGBM wrote it",
                ));
            }
            match line.text {
                "" => {}
                AVERAGE => entries.insert(line, AVERAGE, "")?,
                _ => {
                    let (key, text) = line.entry()?;
                    entries.insert(line, key, text)?;
                }
            }
        }
        Self::of(&entries, limits)
    }

    fn of(entries: &Entries<'a>, limits: &Limits) -> Result<Self, Error> {
        let version = version(&entries.required("version")?)?;
        let classes: usize = entries.required("num_class")?.number()?;
        let groups: usize = entries.required("num_tree_per_iteration")?.number()?;
        if groups == 0 || groups != classes {
            return Err(Error::contradiction(
                PART,
                "num_tree_per_iteration",
                format!("{groups} does not fit num_class, which is {classes}"),
            ));
        }
        let _: i64 = entries.required("label_index")?.number()?;
        let last: u64 = entries.required("max_feature_idx")?.number()?;
        let columns = last.saturating_add(1);
        limits::check(|| "columns".into(), columns, limits.columns, "columns")?;
        let columns = columns as usize;
        let names = words(entries.required("feature_names")?, columns)?;
        let infos = words(entries.required("feature_infos")?, columns)?;
        if let Some(constraints) = entries.get("monotone_constraints") {
            let _: Vec<i8> = constraints.list(columns)?;
        }
        let tree_sizes = match entries.get("tree_sizes") {
            Some(sizes) => Some(sizes.list(sizes.words().count())?),
            None => None,
        };
        if let Some(value) = entries.get(AVERAGE).filter(|value| !value.text.is_empty()) {
            return Err(value.error("takes no value"));
        }
        Ok(Self {
            version,
            groups,
            objective: entries.get("objective"),
            average: entries.get(AVERAGE).is_some(),
            names,
            infos,
            tree_sizes,
        })
    }
}

/// Takes the first line.
fn first(lines: &mut Lines<'_>) -> Result<(), Error> {
    let reason = match lines.next().map(|line| line.text) {
        Some(FIRST) => return Ok(()),
        None => "it is empty".into(),
        Some("tree\r") => "its lines end with CR LF: copy the file as LightGBM wrote it".into(),
        Some(text) if text.starts_with('{') => {
            "it may be the JSON of dump_model: use save_model".into()
        }
        Some(text) => format!("its first line is {}, not '{FIRST}'", excerpt(text)),
    };
    Err(Error::NotModel { reason })
}

fn version(value: &Value<'_>) -> Result<u32, Error> {
    match value.text {
        "v3" => Ok(3),
        "v4" => Ok(4),
        other => Err(Error::Unsupported {
            what: format!("version {} of the text format", excerpt(other)),
            supported: "v3 and v4, which LightGBM 2.3 to 4.7 write".into(),
        }),
    }
}

/// As many words as there are columns.
fn words(value: Value<'_>, columns: usize) -> Result<Vec<&str>, Error> {
    let words: Vec<&str> = value.words().take(columns.saturating_add(1)).collect();
    if words.len() == columns {
        return Ok(words);
    }
    let found = if words.len() > columns { "more".into() } else { words.len().to_string() };
    Err(value.error(format!("expected {columns} as max_feature_idx says, got {found}")))
}

/// Whether a line begins a tree, or ends them all.
pub(crate) fn is_between_trees(line: &Line<'_>) -> bool {
    line.text.starts_with(TREE) || line.text == END_OF_TREES
}
