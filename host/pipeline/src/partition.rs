//! What is kept of a partition while it belongs to this runner.

use std::sync::Arc;

use sandbar_record::Batch;

/// A partition: its topic and number.
pub(crate) type Partition = (Arc<str>, i32);

/// Something that keeps a state of partitions, and follows what becomes of them. One for each
/// worker; a partition belongs to one worker as long as it is assigned. The worker is not told of
/// a rebalance: it sees batches, and by their numbers that they are of another assignment.
pub(crate) trait PartitionLifecycle {
    /// The first batch of an assignment of the partition that this worker sees has come; it has
    /// not gone through the chain yet.
    fn assigned(&mut self, _partition: &Partition) {}

    /// A batch is about to go through the chain: also the one of which
    /// [`PartitionLifecycle::assigned`] was called.
    fn before_batch(&mut self, _batch: &Batch) {}

    /// The batches until now do not come again within this assignment. Delivered at least once,
    /// their outputs are handed over to the sink, after each batch; exactly once, they are
    /// committed, after each transaction.
    fn settled(&mut self) {}

    /// The batches since [`PartitionLifecycle::settled`] come again, from the first: their
    /// transaction was aborted. Those of partitions that were revoked meanwhile do not.
    fn undone(&mut self) {}

    /// A batch of a later assignment has come, before [`PartitionLifecycle::assigned`] is called
    /// for it: the partition may have been another runner's meanwhile, and nothing that was kept
    /// of it holds. Of a partition that does not come back it is not called.
    fn revoked(&mut self, _partition: &Partition) {}
}
