//! The work of operators: records in batches, or rows in tables.

use std::sync::Arc;

use anyhow::{Result, bail};

use sandbar_record::Batch;
use sandbar_record::BatchLimits;
use sandbar_sandbox::{Field, Table};

/// Input of a stage.
#[derive(Debug, Clone)]
pub enum Work {
    /// For extractors and transformers.
    Records(Arc<[Batch]>),
    /// For scorers: tables, and their columns.
    Rows(Arc<[Table]>, Vec<Field>),
}

impl Work {
    /// Batches of these values, each with the same headers. Few values are repeated until
    /// one batch is full, so that a call is like one in a runner.
    ///
    /// # Errors
    /// If there is no value, or one is larger than a batch can be.
    pub fn of_values(
        topic: &str,
        values: &[Vec<u8>],
        headers: &[(String, String)],
        limits: BatchLimits,
    ) -> Result<Work> {
        if values.is_empty() {
            bail!("no records to measure with");
        }
        let topic: Arc<str> = topic.into();
        let mut batches = Vec::new();
        let mut batch = Batch::new(topic.clone(), 0, limits.records);
        for (offset, value) in values.iter().cycle().enumerate() {
            if !batch.fits(value.len()) {
                bail!("a record of {} bytes is too large; at most 2 GiB", value.len());
            }
            let headers = headers.iter();
            let headers = headers.map(|(name, value)| (name.as_str(), Some(value.as_bytes())));
            batch.push(offset as i64, None, None, Some(value), headers);
            let all = offset + 1 >= values.len();
            let full = limits.is_full(&batch);
            if full {
                let next = Batch::new(topic.clone(), 0, limits.records);
                batches.push(std::mem::replace(&mut batch, next));
            }
            if all && !batches.is_empty() {
                break;
            }
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
        Ok(Work::Records(batches.into()))
    }

    /// Its records, if it has some.
    pub(super) fn batches(&self) -> &[Batch] {
        match self {
            Work::Records(batches) => batches,
            Work::Rows(..) => &[],
        }
    }

    /// The number of records or rows.
    pub fn len(&self) -> usize {
        match self {
            Work::Records(batches) => batches.iter().map(Batch::len).sum(),
            Work::Rows(tables, _) => tables.iter().map(|table| table.rows as usize).sum(),
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many calls it takes.
    pub fn calls(&self) -> usize {
        match self {
            Work::Records(batches) => batches.len(),
            Work::Rows(tables, _) => tables.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(values: &[&str], records: usize, bytes: usize) -> Vec<usize> {
        let values: Vec<Vec<u8>> = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let limits = BatchLimits { records, bytes, outputs: usize::MAX };
        match Work::of_values("t", &values, &[], limits).expect("work") {
            Work::Records(batches) => batches.iter().map(Batch::len).collect(),
            Work::Rows(..) => Vec::new(),
        }
    }

    #[test]
    fn few_records_come_again_until_a_batch_is_full() {
        assert_eq!(sizes(&["a", "b"], 5, 1000), [5]);
        assert_eq!(sizes(&["a", "b", "c"], 2, 1000), [2, 1]);
        assert_eq!(sizes(&["aaaa", "b"], 100, 4), [1, 1]);
        assert!(
            Work::of_values("t", &[], &[], BatchLimits { records: 1, bytes: 1, outputs: 1 })
                .is_err()
        );
    }
}
