//! The events of the watch: each type writes its log line in `emit`.

use sandbar_record::{MemoryUse, Shortage};

/// The system does not say how much memory a process uses.
pub(super) struct MemoryNotWatched {
    /// The limit that is not kept.
    pub(super) limit: u64,
}

impl MemoryNotWatched {
    pub(super) fn emit(self) {
        let limit_bytes = self.limit;
        tracing::warn!(
            limit_bytes,
            "memory is not watched on this system, [runner] memory has no effect"
        );
    }
}

/// Operators that stay within their own limits may exceed that of the process together.
pub(super) struct OperatorsMayExceed {
    /// The limit.
    pub(super) limit: u64,
    /// What they may hold together.
    pub(super) operators: u64,
}

impl OperatorsMayExceed {
    pub(super) fn emit(self) {
        let OperatorsMayExceed { limit: limit_bytes, operators: operators_bytes } = self;
        tracing::warn!(
            limit_bytes,
            operators_bytes,
            "operators of all workers may hold more together than the process may take"
        );
    }
}

/// Memory became shorter, or less short.
pub(super) struct MemoryChanged {
    pub(super) before: Shortage,
    pub(super) now: Shortage,
    pub(super) usage: MemoryUse,
}

impl MemoryChanged {
    pub(super) fn emit(self) {
        let MemoryChanged { before, now, usage } = self;
        let MemoryUse { used: used_bytes, limit: limit_bytes } = usage;
        match now {
            Shortage::Over => {
                tracing::warn!(used_bytes, limit_bytes, "memory limit exceeded, computations stop");
            }
            Shortage::Short if before < now => {
                tracing::warn!(used_bytes, limit_bytes, "memory is short, new work is refused");
            }
            Shortage::Tight if before < now => {
                tracing::warn!(
                    used_bytes,
                    limit_bytes,
                    "memory is tight, fetching waits for what is in flight"
                );
            }
            Shortage::Short | Shortage::Tight => {
                tracing::info!(used_bytes, limit_bytes, "memory is less short than before");
            }
            Shortage::None => {
                tracing::info!(used_bytes, limit_bytes, "there is enough memory again");
            }
        }
    }
}

/// The run ends, since nothing else helps.
pub(super) struct RunEndsForMemory {
    pub(super) usage: MemoryUse,
}

impl RunEndsForMemory {
    pub(super) fn emit(self) {
        let MemoryUse { used: used_bytes, limit: limit_bytes } = self.usage;
        tracing::error!(
            used_bytes,
            limit_bytes,
            "memory does not fall, the runner delivers what it can and ends"
        );
    }
}
