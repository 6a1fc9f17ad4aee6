//! Keeps a runner's process within `[runner] memory`.
//!
//! - `limit`: the limit, which may be the container's.
//! - `watch`: reads what is used, and says it to the [gate](MemoryGate) at which the source, the
//!   computations and the changes look; if nothing else helps, it ends the run.
//! - `events`: log lines. Metrics of it are the admin server's.

mod events;
mod limit;
mod watch;

use sandbar_manifest::{Manifest, MemoryLimit};
use sandbar_record::MemoryGate;
use sandbar_telemetry::occupied_bytes;

pub(super) use watch::MemoryWatch;
pub use watch::OutOfMemory;

use events::{MemoryNotWatched, OperatorsMayExceed};

/// What the process of a manifest may begin: anything, if its memory has no limit.
pub(super) fn gate(manifest: &Manifest) -> MemoryGate {
    let limit = match manifest.runner.memory {
        MemoryLimit::Off => None,
        MemoryLimit::Size(size) => Some(size.as_u64()),
        MemoryLimit::Container => limit::of_container(),
    };
    let Some(limit) = limit else { return MemoryGate::default() };
    if occupied_bytes().is_none() {
        MemoryNotWatched { limit }.emit();
        return MemoryGate::default();
    }
    let of_stages = manifest.stages.iter().map(|stage| stage.limits.memory.as_u64());
    let workers = manifest.runner.workers() as u64;
    let operators = of_stages.fold(0, u64::saturating_add).saturating_mul(workers);
    if operators.saturating_add(manifest.runner.in_flight.as_u64()) > limit {
        OperatorsMayExceed { limit, operators }.emit();
    }
    MemoryGate::watched(limit, watch::read_anew)
}
