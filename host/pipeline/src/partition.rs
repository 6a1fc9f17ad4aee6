//! What is kept of a partition while it belongs to this runner.

use std::sync::Arc;

use sandbar_record::Batch;

/// A partition: its topic and number.
pub(crate) type Partition = (Arc<str>, i32);

/// Something that keeps a state of partitions, and follows what becomes of them. One for each
/// worker; a partition belongs to one worker as long as it is assigned.
pub(crate) trait PartitionLifecycle {
    /// The group has assigned the partition to this runner; no batch of it was seen yet.
    fn assigned(&mut self, _partition: &Partition) {}

    /// A batch is about to go through the chain.
    fn before_batch(&mut self, _batch: &Batch) {}

    /// The batches until now are delivered, and do not come again.
    fn settled(&mut self) {}

    /// The batches since [`PartitionLifecycle::settled`] come again, from the first.
    fn undone(&mut self) {}

    /// The partition was another runner's meanwhile: nothing that was kept of it holds.
    fn revoked(&mut self, _partition: &Partition) {}
}
