//! The counters and the current state of a runner, in the format of Prometheus.
//! `docs/reference/metrics.md` lists them; a test compares.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::now::Reading;
use super::rollout_metrics;
use super::{CallTimes, Failed, Snapshot, Stats, resident_bytes};

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of one pipeline.
pub struct Metrics(Registry);

/// A counter's name ends in `_total` where Prometheus reads it.
struct Counter {
    name: &'static str,
    help: &'static str,
    read: fn(&Snapshot) -> u64,
}

const COUNTERS: [Counter; 18] = [
    Counter { name: "sandbar_records", help: "Records taken in", read: |seen| seen.records },
    Counter {
        name: "sandbar_bytes",
        help: "Bytes taken in: keys, values and headers",
        read: |seen| seen.bytes,
    },
    Counter {
        name: "sandbar_batches",
        help: "Batches that records came in",
        read: |seen| seen.batches,
    },
    Counter {
        name: "sandbar_outputs",
        help: "Predictions and transformed records handed to the producer",
        read: |seen| seen.outputs,
    },
    Counter {
        name: "sandbar_filtered_records",
        help: "Records that a transformer dropped",
        read: |seen| seen.filtered,
    },
    Counter {
        name: "sandbar_skipped_records",
        help: "Records that failed and were dropped, as on-failure says",
        read: |seen| seen.skipped,
    },
    Counter {
        name: "sandbar_isolated_batches",
        help: "Batches processed again record by record, since a call failed",
        read: |seen| seen.isolated,
    },
    Counter {
        name: "sandbar_retried_batches",
        help: "Times that a batch was retried after a transient failure",
        read: |seen| seen.retried,
    },
    Counter {
        name: "sandbar_rebalances",
        help: "Rebalances: times that partitions were assigned or revoked",
        read: |seen| seen.rebalances,
    },
    Counter {
        name: "sandbar_committed_transactions",
        help: "Transactions committed, with exactly-once delivery",
        read: |seen| seen.committed,
    },
    Counter {
        name: "sandbar_aborted_transactions",
        help: "Transactions aborted, whose batches were processed again and are counted again",
        read: |seen| seen.aborted,
    },
    Counter {
        name: "sandbar_swaps",
        help: "Swaps of models or components",
        read: |seen| seen.swaps,
    },
    Counter {
        name: "sandbar_refused_swaps",
        help: "Swaps refused, since the new models or components failed validation",
        read: |seen| seen.refused_swaps,
    },
    Counter {
        name: "sandbar_rollout_started",
        help: "Roll-outs started",
        read: |seen| seen.rollouts_started,
    },
    Counter {
        name: "sandbar_rollout_promoted",
        help: "Roll-outs whose candidate was promoted",
        read: |seen| seen.rollouts_promoted,
    },
    Counter {
        name: "sandbar_rollout_rolled_back",
        help: "Roll-outs whose candidate broke a rule",
        read: |seen| seen.rollouts_rolled_back,
    },
    Counter {
        name: "sandbar_rollout_aborted",
        help: "Roll-outs that were aborted",
        read: |seen| seen.rollouts_aborted,
    },
    Counter {
        name: "sandbar_rollout_refused",
        help: "Requests to start or end a roll-out that were refused",
        read: |seen| seen.rollouts_refused,
    },
];

struct Gauge {
    name: &'static str,
    help: &'static str,
    read: fn(&Reading) -> u64,
}

const GAUGES: [Gauge; 7] = [
    Gauge {
        name: "sandbar_assigned_partitions",
        help: "Partitions assigned to this runner",
        read: |now| now.partitions,
    },
    Gauge {
        name: "sandbar_paused_partitions",
        help: "Assigned partitions that are paused by back-pressure",
        read: |now| now.paused,
    },
    Gauge {
        name: "sandbar_in_flight_bytes",
        help: "Bytes that are consumed and not yet delivered",
        read: |now| now.in_flight,
    },
    Gauge {
        name: "sandbar_slowed_workers",
        help: "Workers that back off, since their calls fail",
        read: |now| now.slowed,
    },
    Gauge {
        name: "sandbar_fleet_desired_revision",
        help: "The desired revision of the runner's fleet; 0 if there is none",
        read: |now| now.fleet_desired,
    },
    Gauge {
        name: "sandbar_fleet_revision",
        help: "The revision of the fleet that this runner serves; 0 while it serves its manifest",
        read: |now| now.fleet_serves,
    },
    Gauge {
        name: "sandbar_fleet_topic_away",
        help: "1 while the fleet's control topic is unreachable, else 0",
        read: |now| now.fleet_away,
    },
];

const FAILURES: (&str, &str) =
    ("sandbar_failed_records", "Records that became dead letters, by stage and cause");
const CALLS: (&str, &str) =
    ("sandbar_call_duration_seconds", "How long calls of an operator with a batch took, by stage");
const LAG: (&str, &str) =
    ("sandbar_lag_records", "Records of an assigned partition that are not delivered yet");
const MEMORY: (&str, &str) = ("process_resident_memory_bytes", "Memory of the process");

impl Metrics {
    /// The metrics of a pipeline of this name, and of its stages.
    pub fn new(pipeline: &str, stats: Arc<Stats>, calls: Vec<(Arc<str>, CallTimes)>) -> Self {
        let label = ("pipeline".into(), pipeline.to_owned().into());
        let mut registry = Registry::with_labels([label].into_iter());
        registry.register_collector(Box::new(Source { stats, calls }));
        Metrics(registry)
    }

    /// All of them, as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.0);
        text
    }
}

/// Reads the counters on each scrape, so that they are kept only once.
#[derive(Debug)]
struct Source {
    stats: Arc<Stats>,
    calls: Vec<(Arc<str>, CallTimes)>,
}

impl Collector for Source {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (seen, now) = (self.stats.snapshot(), self.stats.now.snapshot());
        for Counter { name, help, read } in &COUNTERS {
            let counter = ConstCounter::new(read(&seen));
            counter.encode(encoder.encode_descriptor(
                name,
                help,
                None,
                counter.metric_type(),
            )?)?;
        }
        for Gauge { name, help, read } in &GAUGES {
            gauge(&mut encoder, (name, help), read(&now))?;
        }
        if let Some(bytes) = resident_bytes() {
            gauge(&mut encoder, MEMORY, bytes)?;
        }

        let counter = ConstCounter::new(0_u64);
        let ty = counter.metric_type();
        let mut family = encoder.encode_descriptor(FAILURES.0, FAILURES.1, None, ty)?;
        for Failed { stage, code, count } in &seen.failures {
            let labels = [("stage", &**stage), ("code", code.as_str())];
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }

        let ty = MetricType::Histogram;
        let mut family = encoder.encode_descriptor(CALLS.0, CALLS.1, None, ty)?;
        for (stage, times) in &self.calls {
            let labels = [("stage", &**stage)];
            times.histogram().encode(family.encode_family(&labels)?)?;
        }

        let gauge = ConstGauge::new(0_i64);
        let mut family = encoder.encode_descriptor(LAG.0, LAG.1, None, gauge.metric_type())?;
        for lag in &now.lags {
            let partition = lag.partition.to_string();
            let labels = [("topic", lag.topic.as_str()), ("partition", &partition)];
            ConstGauge::new(signed(lag.records)).encode(family.encode_family(&labels)?)?;
        }
        rollout_metrics::encode(&mut encoder, self.stats.comparison().as_deref())
    }
}

pub(super) fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    value: u64,
) -> Result<(), fmt::Error> {
    let gauge = ConstGauge::new(signed(value));
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in a table of the documents, each with what it says.
    fn documented() -> Vec<(String, String)> {
        let text = include_str!("../../../docs/reference/metrics.md");
        let row = |line: &str| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, name, _, _, help, _] = cells[..] else { return None };
            let name = name.strip_prefix('`')?.strip_suffix('`')?;
            Some((name.to_owned(), help.trim_end_matches('.').to_owned()))
        };
        text.lines().filter_map(row).collect()
    }

    #[test]
    fn the_documents_list_what_there_is() {
        let counter = |name: &str, help: &str| (format!("{name}_total"), help.to_owned());
        let gauge = |name: &str, help: &str| (name.to_owned(), help.to_owned());
        let mut due: Vec<(String, String)> = Vec::new();
        due.extend(COUNTERS.iter().map(|it| counter(it.name, it.help)));
        due.push(counter(FAILURES.0, FAILURES.1));
        due.extend(GAUGES.iter().map(|it| gauge(it.name, it.help)));
        due.push(gauge(CALLS.0, CALLS.1));
        due.push(gauge(LAG.0, LAG.1));
        due.push(gauge(MEMORY.0, MEMORY.1));
        due.extend(rollout_metrics::GAUGES.iter().map(|it| gauge(it.0, it.1)));
        let mut documented = documented();
        documented.sort();
        due.sort();
        assert_eq!(documented, due);
    }
}
