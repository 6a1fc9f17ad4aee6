//! When a batch is large enough to be processed: one answer for every source of records.

use std::time::Duration;

use crate::batch::Batch;

/// How long a record may wait in a batch that does not fill up.
pub const LINGER: Duration = Duration::from_millis(20);

/// How large a batch may become.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// Records at the most.
    pub records: usize,
    /// Bytes at the most; only a single larger record exceeds them.
    pub bytes: usize,
    /// Bytes that what is made of one may take at the most.
    pub outputs: usize,
}

impl BatchLimits {
    /// Whether a batch has reached its limits.
    pub fn is_full(&self, batch: &Batch) -> bool {
        batch.len() >= self.records || batch.bytes.len() >= self.bytes
    }

    /// Whether a batch must be processed before a record of `size` bytes is added.
    pub fn leaves_no_room(&self, batch: &Batch, size: usize) -> bool {
        let over = batch.bytes.len() + size > self.bytes || !batch.fits(size);
        over && !batch.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(values: &[&[u8]]) -> Batch {
        let mut batch = Batch::new("t".into(), 0, 0);
        for value in values {
            let headers = std::iter::empty::<(&str, _)>();
            batch.push(0, None, None, Some(value), headers);
        }
        batch
    }

    #[test]
    fn a_batch_is_bounded_by_records_and_by_bytes() {
        let limits = BatchLimits { records: 2, bytes: 10, outputs: 0 };
        assert!(!limits.is_full(&batch(&[b"1234"])));
        assert!(limits.is_full(&batch(&[b"", b""])));
        assert!(limits.is_full(&batch(&[b"1234567890"])));
        assert!(!limits.leaves_no_room(&batch(&[b"1234"]), 6));
        assert!(limits.leaves_no_room(&batch(&[b"1234"]), 7));
        assert!(!limits.leaves_no_room(&batch(&[]), 11), "a larger record is a batch of its own");
    }
}
