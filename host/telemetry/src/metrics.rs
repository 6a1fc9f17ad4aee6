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

use crate::call_times::CallTimes;
use crate::memory::resident_bytes;
use crate::now::Reading;
use crate::stats::{COUNTERS, Failed, Stats};

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of one pipeline.
pub struct Metrics(Registry);

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
        registry.register_collector(Box::new(StatsCollector { stats, calls }));
        Metrics(registry)
    }

    /// The same with what another collector reads.
    #[must_use]
    pub fn with(mut self, collector: Box<dyn Collector>) -> Self {
        self.0.register_collector(collector);
        self
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
struct StatsCollector {
    stats: Arc<Stats>,
    calls: Vec<(Arc<str>, CallTimes)>,
}

impl Collector for StatsCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (seen, now) = (self.stats.snapshot(), self.stats.now.snapshot());
        for (name, help, read) in COUNTERS {
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
            let labels = [("stage", &**stage), ("code", *code)];
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
        Ok(())
    }
}

/// Writes one gauge without labels.
///
/// # Errors
/// Those of the writer.
pub fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    value: u64,
) -> Result<(), fmt::Error> {
    let gauge = ConstGauge::new(signed(value));
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

/// A count as Prometheus has it, which knows no unsigned gauges.
pub fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Name and meaning of every metric here, as Prometheus reads it: what the documents list.
pub fn documented() -> Vec<(String, &'static str)> {
    let counter = |name: &str, help: &'static str| (format!("{name}_total"), help);
    let gauge = |name: &str, help: &'static str| (name.to_owned(), help);
    let mut all: Vec<_> = COUNTERS.iter().map(|(name, help, _)| counter(name, help)).collect();
    all.push(counter(FAILURES.0, FAILURES.1));
    all.extend(GAUGES.iter().map(|it| gauge(it.name, it.help)));
    all.extend([CALLS, LAG, MEMORY].map(|(name, help)| gauge(name, help)));
    all
}
