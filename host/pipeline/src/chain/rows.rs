//! What extractors and scorers have made of records, row by row. As long as none fails, every
//! stage is given the columns as the one before has made them; where some fail, the others are
//! copied for the stages that come then.

use sandbar_sandbox::{Column, OutputSchema, Text};

use crate::encoding::Prediction;

/// What a step has made of records.
pub(super) struct Rows {
    /// The records that have a row, by their index in the stream; they ascend.
    records: Vec<u32>,
    content: Content,
}

enum Content {
    Features(Vec<Column>),
    Predictions {
        /// Empty for values.
        labels: Vec<u32>,
        width: usize,
        values: Vec<f64>,
        /// The same as columns, if a step reads them.
        columns: Vec<Column>,
    },
}

impl Rows {
    pub(super) fn features(records: Vec<u32>, columns: Vec<Column>) -> Self {
        Rows { records, content: Content::Features(columns) }
    }

    pub(super) fn predictions(records: Vec<u32>, labels: Vec<u32>, values: Vec<f64>) -> Self {
        let width = values.len().checked_div(records.len()).unwrap_or_default();
        let columns = Vec::new();
        Rows { records, content: Content::Predictions { labels, width, values, columns } }
    }

    /// Makes columns of predictions: the label as text, and each number
    /// ([`crate::graph::prediction_fields`]). `None`: the labels do not fit into one.
    pub(super) fn make_columns(&mut self, output: &OutputSchema) -> Option<()> {
        let Content::Predictions { labels, width, values, columns } = &mut self.content else {
            return Some(());
        };
        if let OutputSchema::Classes(classes) = output {
            let mut text = Text { bytes: Vec::new(), ends: Vec::with_capacity(labels.len()) };
            for label in labels {
                // The sandbox has checked that there is such a class.
                let class = classes.get(*label as usize).map_or("", String::as_str);
                text.bytes.extend_from_slice(class.as_bytes());
                text.ends.push(u32::try_from(text.bytes.len()).ok()?);
            }
            columns.push(Column::Text(text));
        }
        let numbers = (0..*width).map(|at| values.iter().skip(at).step_by(*width).copied());
        columns.extend(numbers.map(|numbers| Column::Numbers(numbers.collect())));
        Some(())
    }

    /// Bytes that the labels of these predictions take as text.
    pub(super) fn label_bytes(&self, output: &OutputSchema) -> usize {
        match (&self.content, output) {
            (Content::Predictions { labels, .. }, OutputSchema::Classes(classes)) => labels
                .iter()
                .filter_map(|label| classes.get(*label as usize))
                .map(String::len)
                .sum(),
            _ => 0,
        }
    }

    /// One of its columns.
    pub(super) fn column(&self, at: usize) -> &Column {
        match &self.content {
            Content::Features(columns) | Content::Predictions { columns, .. } => &columns[at],
        }
    }

    /// The prediction at a row.
    #[inline]
    pub(super) fn prediction(&self, row: usize) -> Prediction<'_> {
        match &self.content {
            Content::Predictions { labels, width, values, .. } => Prediction {
                label: labels.get(row).copied(),
                values: &values[row * width..][..*width],
            },
            Content::Features(_) => Prediction { label: None, values: &[] },
        }
    }

    /// Leaves only the rows of `records`, which are among its own.
    pub(super) fn keep(&mut self, records: &[u32]) {
        if self.records.len() == records.len() {
            return;
        }
        let all = self.records.len();
        let mut kept = records.iter().peekable();
        let is_kept = |(_, record): &(usize, &u32)| kept.next_if_eq(record).is_some();
        let rows: Vec<usize> =
            self.records.iter().enumerate().filter(is_kept).map(|(row, _)| row).collect();
        let columns = match &mut self.content {
            Content::Features(columns) => columns,
            Content::Predictions { labels, width, values, columns } => {
                if !labels.is_empty() {
                    *labels = rows.iter().map(|row| labels[*row]).collect();
                }
                *values = rows
                    .iter()
                    .flat_map(|row| &values[row * *width..][..*width])
                    .copied()
                    .collect();
                columns
            }
        };
        columns.iter_mut().for_each(|column| *column = part(column, all, &rows));
        self.records = records.to_vec();
    }
}

/// Some of the rows of a column that has `all`.
fn part(column: &Column, all: usize, rows: &[usize]) -> Column {
    match column {
        Column::Numbers(numbers) => Column::Numbers(rows.iter().map(|row| numbers[*row]).collect()),
        Column::Text(Text { bytes, ends }) => {
            let mut kept = Text { bytes: Vec::new(), ends: Vec::with_capacity(rows.len()) };
            for row in rows {
                let start = if *row == 0 { 0 } else { ends[row - 1] as usize };
                kept.bytes.extend_from_slice(&bytes[start..ends[*row] as usize]);
                // Less than the column itself has.
                kept.ends.push(kept.bytes.len() as u32);
            }
            Column::Text(kept)
        }
        Column::Tensor(data) => {
            let size = data.len() / all;
            Column::Tensor(
                rows.iter().flat_map(|row| &data[row * size..][..size]).copied().collect(),
            )
        }
    }
}

/// `all` without those in `without`; both ascend.
pub(super) fn remaining(
    all: impl Iterator<Item = u32>,
    without: impl Iterator<Item = u32>,
) -> Vec<u32> {
    let mut without = without.peekable();
    if without.peek().is_none() {
        return all.collect();
    }
    all.filter(|index| without.next_if_eq(index).is_none()).collect()
}

/// Those of `all` that are in `others` too; both ascend.
pub(super) fn common(all: &[u32], others: &[u32]) -> Vec<u32> {
    let mut others = others.iter().peekable();
    let is_there = |index: &&u32| {
        while others.next_if(|other| other < index).is_some() {}
        others.next_if_eq(index).is_some()
    };
    all.iter().filter(is_there).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_remains_keeps_its_order() {
        assert_eq!(remaining(0..5, [0, 3].into_iter()), [1, 2, 4]);
        assert_eq!(remaining([2, 4, 7].into_iter(), [4].into_iter()), [2, 7]);
        assert_eq!(remaining(0..2, [].into_iter()), [0, 1]);
        assert_eq!(common(&[0, 2, 3, 7], &[1, 2, 7, 8]), [2, 7]);
    }

    #[test]
    fn rows_of_records_that_failed_are_left_out() {
        let text = |texts: &[&str]| {
            let mut text = Text { bytes: Vec::new(), ends: Vec::new() };
            for it in texts {
                text.bytes.extend_from_slice(it.as_bytes());
                text.ends.push(text.bytes.len() as u32);
            }
            Column::Text(text)
        };
        let columns = vec![
            Column::Numbers(vec![1.0, 2.0, 3.0]),
            text(&["a", "", "ccc"]),
            Column::Tensor(vec![1, 1, 2, 2, 3, 3]),
        ];
        let mut rows = Rows::features(vec![0, 4, 5], columns);
        rows.keep(&[0, 4, 5]);
        rows.keep(&[0, 5]);
        assert!(matches!(rows.column(0), Column::Numbers(numbers) if *numbers == [1.0, 3.0]));
        assert!(matches!(rows.column(1), Column::Text(Text { bytes, ends })
            if bytes == b"accc" && *ends == [1, 4]));
        assert!(matches!(rows.column(2), Column::Tensor(data) if *data == [1, 1, 3, 3]));

        let output = OutputSchema::Classes(vec!["NO".into(), "YES".into()]);
        let values = vec![0.9, 0.1, 0.2, 0.8, 0.3, 0.7];
        let mut rows = Rows::predictions(vec![1, 2, 3], vec![0, 1, 1], values);
        assert_eq!(rows.label_bytes(&output), 8);
        assert_eq!(rows.make_columns(&output), Some(()));
        rows.keep(&[2, 3]);
        let prediction = rows.prediction(1);
        assert_eq!((prediction.label, prediction.values), (Some(1), &[0.3, 0.7][..]));
        assert!(matches!(rows.column(0), Column::Text(Text { bytes, .. }) if bytes == b"YESYES"));
        assert!(matches!(rows.column(2), Column::Numbers(numbers) if *numbers == [0.8, 0.7]));
    }
}
