//! The rule of `[runner] memory`: what operators may hold must fit.

use bytesize::ByteSize;
use sandbar_config::units::size_problem;

use crate::manifest::Manifest;
use crate::memory_limit::MemoryLimit;

/// The most that can be meant.
const MOST: ByteSize = ByteSize::tib(1024);

/// What is wrong with the limit, if anything. Where the manifest does not say how many workers
/// there are, at least one is.
pub(super) fn problem(manifest: &Manifest) -> Option<String> {
    let MemoryLimit::Size(memory) = manifest.runner.memory else { return None };
    if let Some(problem) = size_problem(memory, MOST) {
        return Some(problem);
    }
    let in_flight = manifest.runner.in_flight;
    let workers = manifest.runner.workers.map_or(1, |workers| workers.get() as u64);
    let stages = manifest.stages.iter().map(|stage| stage.limits.memory.as_u64());
    let of_one = ByteSize(stages.fold(0, u64::saturating_add));
    let held = of_one.as_u64().saturating_mul(workers).saturating_add(in_flight.as_u64());
    (memory.as_u64() < held).then(|| {
        let workers =
            if workers == 1 { "one worker".to_owned() } else { format!("{workers} workers") };
        format!(
            "{memory} is less than the {} that may be held: {of_one} by the stages of each worker \
             ([limits] memory), of {workers}, and {in_flight} in flight; raise it, or lower those",
            ByteSize(held)
        )
    })
}
