//! The memory budget of one instance: what it holds in its memories and tables, and what
//! the host and wasmtime keep for it, against one limit.

use wasmtime::ResourceLimiter;

/// Elements that the tables of an instance may have together: function tables of
/// large programs have a few thousand.
const TABLE_ELEMENTS: usize = 1 << 20;
/// Bytes that an element of a table counts for: wasmtime takes eight, or sixteen, by its type.
const ELEMENT: usize = 16;
/// Bytes that one more entry in the tables of resources takes: in the host's, and in that of
/// the guest's handles. Both are vectors that double, and never become smaller.
const SLOT: usize = 256;
/// Bytes that a resource counts for besides its slot and its data: what its allocations
/// take beside what is stored in them.
const RESOURCE: usize = 256;
/// Entries that the table of WASI's resources may have: streams, pollables, descriptors, errors.
/// A program of std opens three.
pub(crate) const WASI_RESOURCES: usize = 256;
/// Bytes that an instance counts for from the start: WASI's resources, a kibibyte each, as
/// the code that makes them is not ours.
const BASE: usize = WASI_RESOURCES << 10;

/// Counts the bytes of all memories and tables of an instance, and of what the host keeps for
/// it, against one limit.
pub(crate) struct MemoryBudget {
    limit: u64,
    used: u64,
    elements: usize,
    /// The resources that it holds, and the most that it has ever held.
    resources: usize,
    slots: usize,
    /// Instances, memories and tables that the component has, each.
    entities: usize,
    /// Whether an allocation was refused, since this was last reset.
    pub(super) exceeded: bool,
}

impl MemoryBudget {
    /// The budget of an instance of a component that wasmtime takes so many bytes for, and
    /// that has so many instances, memories and tables at the most.
    pub(super) fn new(limit: u64, entities: usize) -> Self {
        let (used, elements, resources, slots) = (0, 0, 0, 0);
        MemoryBudget { limit, used, elements, resources, slots, entities, exceeded: false }
    }

    /// Charges what an instance takes before any of its code runs: `state` bytes for wasmtime's
    /// own state, and the base. Returns whether that is within the limit.
    pub(super) fn begin(&mut self, state: u64) -> bool {
        self.charge(usize::try_from(state).unwrap_or(usize::MAX).saturating_add(BASE))
    }

    /// The bytes that are charged.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// The bytes that may be charged.
    pub(crate) fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    /// The bytes that may be charged still.
    pub(super) fn left(&self) -> usize {
        usize::try_from(self.limit.saturating_sub(self.used)).unwrap_or(usize::MAX)
    }

    /// Charges so many bytes; returns whether as many were left.
    pub(crate) fn charge(&mut self, bytes: usize) -> bool {
        let used = self.used.saturating_add(bytes as u64);
        self.exceeded |= used > self.limit;
        if used <= self.limit {
            self.used = used;
        }
        used <= self.limit
    }

    /// Releases what was charged.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes as u64);
    }

    /// Charges a resource that holds so many bytes.
    pub(crate) fn hold(&mut self, bytes: usize) -> bool {
        let slot = if self.resources == self.slots { SLOT } else { 0 };
        let held = self.charge(bytes.saturating_add(RESOURCE + slot));
        if held {
            self.resources += 1;
            self.slots = self.slots.max(self.resources);
        }
        held
    }

    /// Releases a resource that held so many bytes. Its slot stays.
    pub(crate) fn let_go(&mut self, bytes: usize) {
        self.resources = self.resources.saturating_sub(1);
        self.release(bytes.saturating_add(RESOURCE));
    }

    /// Handles of resources that a guest may have: as many as its limit pays for.
    pub(super) fn handles(&self) -> usize {
        self.limit() / SLOT + WASI_RESOURCES
    }
}

impl ResourceLimiter for MemoryBudget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            self.exceeded = true;
            return Ok(false);
        }
        Ok(self.charge(desired.saturating_sub(current)))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let elements = self.elements.saturating_add(more);
        if elements > TABLE_ELEMENTS || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if !self.charge(more.saturating_mul(ELEMENT)) {
            return Ok(false);
        }
        self.elements = elements;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.entities
    }

    fn tables(&self) -> usize {
        self.entities
    }

    fn memories(&self) -> usize {
        self.entities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_charged_once_and_stays() {
        let mut budget = MemoryBudget::new(1 << 20, 1);
        assert!(budget.hold(1000) && budget.hold(1000));
        let two = budget.used();
        budget.let_go(1000);
        assert_eq!(budget.used(), two - (1000 + RESOURCE) as u64);
        assert!(budget.hold(1000));
        assert_eq!(budget.used(), two);
        budget.let_go(1000);
        budget.let_go(1000);
        assert_eq!(budget.used(), 2 * SLOT as u64);
    }

    #[test]
    fn tables_and_the_base_count() {
        let mut budget = MemoryBudget::new((BASE + 1600) as u64, 1);
        assert!(budget.begin(0) && !budget.exceeded);
        assert!(budget.table_growing(0, 100, None).unwrap_or(false));
        assert!(!budget.table_growing(100, 101, None).unwrap_or(true));
        assert!(budget.exceeded);
        assert!(!budget.hold(usize::MAX));
        assert!(!MemoryBudget::new(BASE as u64, 1).begin(1));
        assert!(!MemoryBudget::new(u64::MAX - 1, 1).begin(u64::MAX));
    }
}
