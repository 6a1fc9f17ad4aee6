//! The metrics of the current roll-out. All are gauges, or restart with each
//! roll-out.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use sandbar_record::Variant;
use sandbar_telemetry::metrics::{gauge, signed};

use super::comparison::Comparison;
use super::report::{RolloutReport, StageReport};

type Name = (&'static str, &'static str);

const ACTIVE: Name = ("sandbar_rollout_active", "Whether a roll-out is under way: 1, else 0");
const RECORDS: Name =
    ("sandbar_rollout_records", "Records that each variant was given, in this roll-out");
const FAILED: Name =
    ("sandbar_rollout_failed_records", "Records that failed in each variant, by cause");
const LABELS: Name = ("sandbar_rollout_labels", "Predictions of each label, by variant");
const TIMES: Name = (
    "sandbar_rollout_batch_duration_seconds",
    "How long batches took in the stages of each variant",
);
const COMPARED: Name = ("sandbar_rollout_compared_records", "Records that both variants scored");
const AGREEMENT: Name =
    ("sandbar_rollout_agreement_ratio", "The share of these on whose label they agree");
const DIFFERENCE: Name = (
    "sandbar_rollout_mean_difference",
    "The mean absolute difference of their probabilities or values",
);
const LEFT_OUT: Name =
    ("sandbar_rollout_left_out_records", "Records that a shadow did not see, since it was behind");
const UNWRITTEN: Name = (
    "sandbar_rollout_unwritten_records",
    "Outputs of a shadow that were not delivered to its topic",
);

/// Names and meanings: what the documents list.
pub const GAUGES: [Name; 10] =
    [ACTIVE, RECORDS, FAILED, LABELS, TIMES, COMPARED, AGREEMENT, DIFFERENCE, LEFT_OUT, UNWRITTEN];

/// Reads what a deployment's roll-out compares, when somebody asks.
pub struct RolloutMetrics(Box<dyn Fn() -> Option<Arc<Comparison>> + Send + Sync>);

impl RolloutMetrics {
    /// Of the roll-out that `current` says is under way, if one is.
    pub fn new(current: impl Fn() -> Option<Arc<Comparison>> + Send + Sync + 'static) -> Self {
        RolloutMetrics(Box::new(current))
    }
}

impl fmt::Debug for RolloutMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RolloutMetrics")
    }
}

impl Collector for RolloutMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        encode(&mut encoder, (self.0)().as_deref())
    }
}

/// Writes them; without a roll-out, only that there is none.
fn encode(
    encoder: &mut DescriptorEncoder<'_>,
    comparison: Option<&Comparison>,
) -> Result<(), fmt::Error> {
    gauge(encoder, ACTIVE, u64::from(comparison.is_some()))?;
    let Some(comparison) = comparison else { return Ok(()) };
    let report = comparison.report();
    let sides = [(Variant::Serving, &report.serving), (Variant::Candidate, &report.candidate)];
    let mut family = encoder.encode_descriptor(RECORDS.0, RECORDS.1, None, MetricType::Gauge)?;
    for (variant, side) in sides {
        let labels = [("variant", variant.as_str())];
        ConstGauge::new(signed(side.records)).encode(family.encode_family(&labels)?)?;
    }
    let mut family = encoder.encode_descriptor(FAILED.0, FAILED.1, None, MetricType::Gauge)?;
    for (variant, side) in sides {
        for (code, count) in &side.failed {
            let labels = [("variant", variant.as_str()), ("code", code)];
            ConstGauge::new(signed(*count)).encode(family.encode_family(&labels)?)?;
        }
    }
    let mut family = encoder.encode_descriptor(LABELS.0, LABELS.1, None, MetricType::Gauge)?;
    for (variant, side) in sides {
        for (label, count) in &side.labels {
            let labels = [("variant", variant.as_str()), ("label", label)];
            ConstGauge::new(signed(*count)).encode(family.encode_family(&labels)?)?;
        }
        for (stage, about) in &report.stages {
            let said = if variant == Variant::Serving { &about.serving } else { &about.candidate };
            for (label, count) in said {
                let labels = [("variant", variant.as_str()), ("stage", stage), ("label", label)];
                ConstGauge::new(signed(*count)).encode(family.encode_family(&labels)?)?;
            }
        }
    }
    let mut family = encoder.encode_descriptor(TIMES.0, TIMES.1, None, MetricType::Histogram)?;
    for (variant, _) in sides {
        let labels = [("variant", variant.as_str())];
        let times = comparison.call_times(variant).histogram();
        times.encode(family.encode_family(&labels)?)?;
    }
    if report.stages.is_empty() {
        gauge(encoder, COMPARED, report.compared)?;
        for (name, value) in [(AGREEMENT, report.agreement), (DIFFERENCE, report.mean_difference)] {
            if let Some(value) = value {
                let gauge = ConstGauge::new(value);
                gauge.encode(encoder.encode_descriptor(
                    name.0,
                    name.1,
                    None,
                    MetricType::Gauge,
                )?)?;
            }
        }
    } else {
        by_stage(encoder, COMPARED, &report, |it| Some(it.compared as f64))?;
        by_stage(encoder, AGREEMENT, &report, |it| it.agreement)?;
        by_stage(encoder, DIFFERENCE, &report, |it| it.mean_difference)?;
    }
    gauge(encoder, LEFT_OUT, report.left_out)?;
    gauge(encoder, UNWRITTEN, report.unwritten)
}

/// One gauge of several scorers.
fn by_stage(
    encoder: &mut DescriptorEncoder<'_>,
    name: Name,
    report: &RolloutReport,
    value: impl Fn(&StageReport) -> Option<f64>,
) -> Result<(), fmt::Error> {
    let mut family = encoder.encode_descriptor(name.0, name.1, None, MetricType::Gauge)?;
    for (stage, about) in &report.stages {
        if let Some(value) = value(about) {
            let labels = [("stage", stage.as_str())];
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}
