//! Writes actual results over the expectations in the file with the case: only
//! what differs is changed, so that comments and layout stay.

use std::io;
use std::path::Path;

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, TomlError, Value};

use super::diff::{Colours, unified};
use super::run::CaseReport;
use super::verdict::{Difference, Verdict};
use sandbar_files::{limits, read_text};

/// A file with expectations, before and after.
pub struct Blessing {
    before: String,
    after: Form,
}

enum Form {
    /// A case file.
    Toml(Box<DocumentMut>),
    /// The expectations of one case, one per line.
    Lines(Vec<String>),
}

impl Blessing {
    /// Starts with a case file.
    ///
    /// # Errors
    /// If it cannot be read, or is no longer valid TOML.
    pub fn of_cases(path: &Path) -> io::Result<Self> {
        let before = read_text(path, limits::CASES)?;
        let document = before.parse().map_err(|error: TomlError| io::Error::other(error))?;
        Ok(Blessing { before, after: Form::Toml(Box::new(document)) })
    }

    /// Starts with a file of expectations, which need not exist.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of_lines(path: &Path) -> io::Result<Self> {
        let before = if path.exists() { read_text(path, limits::CASES)? } else { String::new() };
        let lines = before.lines().map(str::to_owned).collect();
        Ok(Blessing { before, after: Form::Lines(lines) })
    }

    /// Adopts the actual results of the case at `index` of its file. Returns whether all could be
    /// adopted: a missing refusal, for example, must be changed by a person.
    pub fn take(&mut self, index: usize, report: &CaseReport) -> bool {
        let Verdict::Failed(differences) = &report.verdict else { return false };
        // From the end, so that removals do not move later changes.
        let removed = differences.iter().filter(|it| it.actual.is_none()).rev();
        let changed = differences.iter().filter(|it| it.actual.is_some());
        let mut done = true;
        for difference in removed.chain(changed) {
            done &= match &mut self.after {
                Form::Toml(document) => {
                    let test = document.get_mut("tests").and_then(|tests| tests.get_mut(index));
                    test.is_some_and(|test| apply(test, difference))
                }
                Form::Lines(lines) => apply_line(lines, difference),
            };
        }
        done
    }

    fn after(&self) -> String {
        match &self.after {
            Form::Toml(document) => document.to_string(),
            Form::Lines(lines) => lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect(),
        }
    }

    /// The changes as a unified diff.
    pub fn diff(&self, indent: &str, colours: Colours) -> String {
        unified(&self.before, &self.after(), indent, true, colours)
    }

    /// Writes the file, if anything changed.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let after = self.after();
        if after == self.before { Ok(()) } else { std::fs::write(path, after) }
    }
}

fn apply_line(lines: &mut Vec<String>, difference: &Difference) -> bool {
    let Difference { record: Some(index), actual, .. } = difference else { return false };
    match actual.as_ref().map(serde_json::to_string) {
        None if *index < lines.len() => drop(lines.remove(*index)),
        Some(Ok(actual)) if *index < lines.len() => lines[*index] = actual,
        Some(Ok(actual)) => lines.push(actual),
        _ => return false,
    }
    true
}

fn apply(test: &mut Item, difference: &Difference) -> bool {
    let Difference { record, expected, actual, .. } = difference;
    match (record, expected, actual) {
        (None, Some(expected), Some(actual)) => update(test, expected, actual),
        (Some(index), Some(expected), Some(actual)) => {
            let item = test.get_mut("expect").and_then(|list| list.get_mut(*index));
            item.is_some_and(|item| update(item, expected, actual))
        }
        (Some(_), None, Some(actual)) => append(test, actual),
        (Some(index), Some(_), None) => match test.get_mut("expect") {
            Some(Item::ArrayOfTables(list)) if *index < list.len() => {
                list.remove(*index);
                true
            }
            Some(Item::Value(Value::Array(list))) if *index < list.len() => {
                list.remove(*index);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// Appends an expectation in the form of the others.
fn append(test: &mut Item, actual: &toml::Table) -> bool {
    let Some(test) = test.as_table_like_mut() else { return false };
    match test.get_mut("expect") {
        Some(Item::Value(Value::Array(list))) => {
            list.push(Value::InlineTable(inline(actual)));
            true
        }
        Some(Item::ArrayOfTables(list)) => {
            list.push(block(actual));
            true
        }
        Some(_) => false,
        None => {
            let mut list = ArrayOfTables::new();
            list.push(block(actual));
            test.insert("expect", Item::ArrayOfTables(list)).is_none()
        }
    }
}

/// A `[[tests.expect]]` with a line for each key.
fn block(actual: &toml::Table) -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    for (key, value) in actual {
        table.insert(key, Item::Value(edit(value)));
    }
    table
}

fn inline(table: &toml::Table) -> InlineTable {
    table.iter().map(|(key, value)| (key.as_str(), edit(value))).collect()
}

fn edit(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(flag) => Value::from(*flag),
        toml::Value::Datetime(date) => Value::from(date.to_string()),
        toml::Value::Array(list) => Value::Array(list.iter().map(edit).collect()),
        toml::Value::Table(table) => Value::InlineTable(inline(table)),
    }
}

/// Changes a table of the file from `before` to `after`.
fn update(item: &mut Item, before: &toml::Table, after: &toml::Table) -> bool {
    let Some(table) = item.as_table_like_mut() else { return false };
    let mut done = true;
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        table.remove(key);
    }
    for (key, after) in after {
        let before = before.get(key);
        if before == Some(after) {
            continue;
        }
        match (table.get_mut(key), before) {
            (Some(item), Some(before)) => done &= replace(item, before, after),
            _ => drop(table.insert(key, Item::Value(edit(after)))),
        }
    }
    done
}

fn replace(item: &mut Item, before: &toml::Value, after: &toml::Value) -> bool {
    match (before, after) {
        (toml::Value::Table(before), toml::Value::Table(after)) if item.is_table_like() => {
            return update(item, before, after);
        }
        (toml::Value::Array(before), toml::Value::Array(after)) if before.len() == after.len() => {
            let places = before.iter().zip(after).enumerate();
            return places.filter(|(_, (before, after))| before != after).all(
                |(index, (before, after))| {
                    item.get_mut(index).is_some_and(|item| replace(item, before, after))
                },
            );
        }
        _ => {}
    }
    let mut value = edit(after);
    if let Item::Value(old) = item {
        *value.decor_mut() = old.decor().clone();
    }
    *item = Item::Value(value);
    true
}
