//! What the extractor can say that is not so.

use serde::Deserialize;

use crate::bindings::exports::sandbar::operator::extraction::Extracted;
use crate::bindings::sandbar::operator::types::{Column, Text};
use crate::failure;

/// A lie, named in kebab-case in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// One number fewer than rows.
    ShortColumn,
    /// One number more than rows.
    LongColumn,
    /// The first text ends past all others.
    NonMonotoneEnds,
    /// The last text ends past the bytes.
    EndsOutOfRange,
    /// `length` is text.
    WrongColumnType,
    /// `text` is not there.
    MissingColumn,
    /// The last record fails, under the index after the last.
    FailureOutOfRange,
    /// The first two records fail, the second first.
    FailuresUnordered,
    /// The first record fails twice, which makes up for the second.
    FailureTwice,
    /// A row more than records.
    RowsTooMany,
    /// `text` is not UTF-8.
    NonUtf8,
    /// The first record fails with a message of 10 MB. True, but much.
    HugeMessage,
    /// `configure` returns an error.
    ConfigureError,
    /// `configure` traps.
    ConfigureTrap,
    /// `configure` never returns.
    ConfigureLoop,
}

impl Lie {
    /// Spoils what was extracted from a batch of `records`.
    pub(crate) fn tell(self, records: usize, it: &mut Extracted) {
        match self {
            Lie::ShortColumn => numbers(it).truncate(records.saturating_sub(1)),
            Lie::LongColumn => numbers(it).push(0.0),
            Lie::NonMonotoneEnds => text(it).ends[0] = u32::MAX,
            Lie::EndsOutOfRange => {
                let text = text(it);
                if let Some(last) = text.ends.last_mut() {
                    *last += 100;
                }
            }
            Lie::WrongColumnType => it.table.columns[0] = it.table.columns[1].clone(),
            Lie::MissingColumn => it.table.columns.truncate(1),
            Lie::FailureOutOfRange => fail(it, records, &[records]),
            Lie::FailuresUnordered => fail(it, records, &[1, 0]),
            Lie::FailureTwice => fail(it, records, &[0, 0]),
            Lie::RowsTooMany => fill(it, records + 1),
            Lie::NonUtf8 => text(it).bytes.fill(0xff),
            Lie::HugeMessage => {
                fail(it, records, &[0]);
                it.failures[0].message = "x".repeat(10_000_000);
            }
            // Told by `configure` already.
            Lie::ConfigureError | Lie::ConfigureTrap | Lie::ConfigureLoop => {}
        }
    }
}

/// Replaces the result by failures of these indices, and rows for the other records.
fn fail(it: &mut Extracted, records: usize, indices: &[usize]) {
    it.failures = indices.iter().map(|index| failure(*index, "a lie".into())).collect();
    fill(it, records.saturating_sub(indices.len()));
}

/// Replaces the table by one of this many rows.
fn fill(it: &mut Extracted, rows: usize) {
    it.table.rows = rows as u32;
    *numbers(it) = vec![0.0; rows];
    *text(it) = Text { bytes: Vec::new(), ends: vec![0; rows] };
}

fn numbers(it: &mut Extracted) -> &mut Vec<f64> {
    match &mut it.table.columns[0] {
        Column::Numbers(numbers) => numbers,
        _ => unreachable!("`length` is the first column, and of numbers"),
    }
}

fn text(it: &mut Extracted) -> &mut Text {
    match &mut it.table.columns[1] {
        Column::Text(text) => text,
        _ => unreachable!("`text` is the second column, and of text"),
    }
}
