//! What the process uses of its memory limit: for Prometheus, and in the status.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use sandbar_record::MemoryGate;
use sandbar_telemetry::metrics::gauge;
use sandbar_telemetry::occupied_bytes;
use serde::{Deserialize, Serialize};

const USED: (&str, &str) =
    ("sandbar_memory_used_bytes", "Memory of the process that counts against its limit");
const LIMIT: (&str, &str) =
    ("sandbar_memory_limit_bytes", "The limit of that, [runner] memory; 0 if it is not watched");
const SHORTAGE: (&str, &str) =
    ("sandbar_memory_shortage", "0: there is enough memory, 1: tight, 2: short, 3: over the limit");
const REFUSED: (&str, &str) = (
    "sandbar_memory_refusals",
    "Computations and changes that were refused or stopped for want of memory",
);

/// Name and meaning of each metric here, as Prometheus reads it.
#[cfg(test)]
pub(super) fn documented() -> [(String, &'static str); 4] {
    let gauge = |(name, help): (&str, &'static str)| (name.to_owned(), help);
    [gauge(USED), gauge(LIMIT), gauge(SHORTAGE), (format!("{}_total", REFUSED.0), REFUSED.1)]
}

/// Memory of a runner that has a limit.
#[derive(Debug, Serialize, Deserialize)]
pub struct MemoryStatus {
    /// Bytes that count against the limit.
    pub used: u64,
    /// The limit.
    pub limit: u64,
    /// `enough`, `tight`, `short` or `over`.
    pub shortage: String,
}

impl MemoryStatus {
    /// That of a process; `None`: it has no limit.
    pub(super) fn of(gate: &MemoryGate) -> Option<Self> {
        let limit = Some(gate.usage().limit).filter(|limit| *limit > 0)?;
        let used = occupied_bytes().unwrap_or_default();
        Some(MemoryStatus { used, limit, shortage: gate.shortage().as_str().to_owned() })
    }
}

/// Reads the gate on each scrape.
#[derive(Debug)]
pub(super) struct MemoryMetrics(pub(super) MemoryGate);

impl Collector for MemoryMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let gate = &self.0;
        if let Some(used) = occupied_bytes() {
            gauge(&mut encoder, USED, used)?;
        }
        gauge(&mut encoder, LIMIT, gate.usage().limit)?;
        gauge(&mut encoder, SHORTAGE, gate.shortage() as u64)?;
        let counter = ConstCounter::new(gate.refused());
        let ty = counter.metric_type();
        counter.encode(encoder.encode_descriptor(REFUSED.0, REFUSED.1, None, ty)?)
    }
}
