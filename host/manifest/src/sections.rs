//! The sections of a manifest, each with its defaults.
//! `docs/reference/manifest.md` says the same to the people who write one.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use bytesize::ByteSize;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use sandbar_config::units::{duration, optional_text, size, text};
use sandbar_config::{json_object, one_or_more};
use sandbar_record::BatchLimits;
use sandbar_registry::ArtifactSource;
use sandbar_sandbox::{LimitsSection, Overrides};

use crate::failures::OnFailure;
use crate::format::FormatName;
use crate::memory_limit::MemoryLimit;
use crate::properties::Properties;
use crate::routes::{Matching, Otherwise, Route};
use crate::sink_schema::SinkSchema;
use crate::start::Start;

/// The delivery guarantee for a record's outputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", try_from = "String")]
pub enum Delivery {
    /// Once, and again after a crash or a rebalance in between. The default.
    #[default]
    AtLeastOnce,
    /// Once, for consumers that read committed records: outputs, dead letters and offsets are
    /// written in transactions.
    ExactlyOnce,
}

impl TryFrom<String> for Delivery {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "at-least-once" => Ok(Delivery::AtLeastOnce),
            "exactly-once" => Ok(Delivery::ExactlyOnce),
            "at-most-once" => {
                Err("\"at-most-once\" is not supported, as it loses records silently; choose \
                                   \"at-least-once\" or \"exactly-once\""
                    .into())
            }
            _ => Err(format!(
                "unknown delivery '{text}'; choose \"at-least-once\" or \"exactly-once\""
            )),
        }
    }
}

/// `[kafka]`: where the brokers are and how to reach them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Kafka {
    /// `host:port`, several separated by commas. None by default; the command
    /// line's `--brokers` takes precedence.
    #[serde(default, deserialize_with = "optional_text")]
    pub brokers: Option<String>,
    /// librdkafka properties of the consumer and of the producer. None by default.
    #[serde(default)]
    pub properties: Properties,
}

/// `[source]`: what is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Source {
    /// The topics, at least one: names, and regular expressions, which begin with `^`.
    pub topics: Vec<String>,
    /// The consumer group, whose runners share the partitions. Default: the
    /// pipeline's name.
    #[serde(default, deserialize_with = "text")]
    pub group: String,
    /// Where the group starts in a partition without a committed offset.
    #[serde(default)]
    pub start: Start,
    /// librdkafka properties of the consumer, over those of `[kafka]`. None by default.
    #[serde(default)]
    pub properties: Properties,
}

/// One of `[[stages]]`: an operator, and what it is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Stage {
    /// The stage's name in dead letters, log events and metrics; unique.
    pub name: String,
    /// The component: a file, relative to the manifest's folder, or a version of the
    /// registry.
    pub component: ArtifactSource,
    /// What it reads: `source`, or stages before it. Default: what the nearest of them makes.
    #[serde(default, deserialize_with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// For a scorer: columns that it is given under another name, by that name. None by
    /// default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, String>,
    /// Handed to the operator as a JSON object. Empty by default.
    #[serde(default, deserialize_with = "json_object")]
    pub config: serde_json::Map<String, serde_json::Value>,
    /// The models of `[models]` that the operator may use; the first is its main
    /// one. None by default.
    #[serde(default)]
    pub models: Vec<String>,
    /// The topics, besides the sink's, that a transformer may send records to.
    /// None by default.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Bytes of a graph that the operator may ship and load itself, through
    /// `wasi:nn`. Default 0: it is refused.
    #[serde(default, with = "size")]
    pub load_graphs: ByteSize,
    /// What happens to a record that fails here. Default: a dead letter.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// How often a batch is retried if a record in it fails here for a transient
    /// cause. Default 2.
    #[serde(default = "retries")]
    pub retries: u32,
    /// What else the operator may use; see [`Grant`]. Nothing by default.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// The stage's limits: those of `[limits]`, and over them `[stages.limits]`.
    #[serde(skip_deserializing)]
    pub limits: LimitsSection,
    /// `[stages.limits]`.
    #[serde(rename(deserialize = "limits"), default, skip_serializing)]
    pub overrides: Overrides,
}

/// The default of [`Stage::retries`].
pub fn retries() -> u32 {
    2
}

/// What an operator gets besides its batches and models: facilities of the machine that make
/// results differ from run to run, and the pipeline's schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// The machine's clock. Without it the time is the timestamp of the batch's newest record.
    Clock,
    /// Unpredictable random numbers. Without it they are seeded from the batch.
    Random,
    /// The schemas of `[schemas]`.
    Schemas,
}

/// `[sink]`: where predictions go and how they are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sink {
    /// The topic. Required, unless what no route takes is dropped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub topic: String,
    /// The scorers whose predictions are written. Default: all that predict the same records as
    /// the last one.
    #[serde(default, deserialize_with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// How a prediction is written. Default: `json`, unless there is a `template`.
    #[serde(default)]
    pub format: Option<FormatName>,
    /// The text of the output record, with placeholders for the prediction, instead
    /// of a `format`. None by default.
    #[serde(default)]
    pub template: Option<String>,
    /// How many classes the JSON form carries, the most probable first. Default:
    /// all, in the order of the model.
    #[serde(default)]
    pub top: Option<NonZeroUsize>,
    /// The schema of Avro, Protobuf or JSON Schema: what it is called, and where its id goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SinkSchema>,
    /// The key of an output record, a template. Default: that of its record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Headers by name, templates, in addition to those of the record. None by default.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, String>,
    /// Which routes take a prediction that several would.
    #[serde(rename = "match", default)]
    pub matching: Matching,
    /// What becomes of a prediction that no route takes.
    #[serde(default)]
    pub otherwise: Otherwise,
    /// Topics for predictions by what they say. None by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// librdkafka properties of the producer, over those of `[kafka]`. None by default.
    #[serde(default)]
    pub properties: Properties,
}

/// `[fleet]`: what the runners of a consumer group share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fleet {
    /// The control topic, compacted and of one partition: it has the desired version, and
    /// what each runner serves.
    #[serde(deserialize_with = "text")]
    pub topic: String,
}

/// `[runner]`: the process that runs the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Runner {
    /// Threads that run operators. Default: as many as the process has cores.
    pub workers: Option<NonZeroUsize>,
    /// Records of a batch at most. Default 256.
    pub batch_records: NonZeroU32,
    /// Bytes of a batch at most, keys and headers included; a record that is larger
    /// is a batch of its own. Default 1 MiB; at most 1 GiB.
    #[serde(with = "size")]
    pub batch_bytes: ByteSize,
    /// Bytes consumed and not yet delivered above which the source is
    /// paused. Default 8 MiB.
    #[serde(with = "size")]
    pub in_flight: ByteSize,
    /// Memory that the process may take; see [`MemoryLimit`].
    pub memory: MemoryLimit,
    /// Time, once asked to stop, to deliver the records in flight. Default 30 s; at
    /// most a day.
    #[serde(with = "duration")]
    pub drain_deadline: Duration,
    /// How often offsets of delivered records are committed, or how long a transaction
    /// stays open. Default 1 s, or 100 ms; at most a day.
    #[serde(
        default,
        deserialize_with = "duration::optional",
        serialize_with = "duration::serialize",
        skip_serializing_if = "Option::is_none"
    )]
    pub commit_interval: Option<Duration>,
    /// Where components are compiled, and models read, optimised and tried, before they serve.
    /// Default: in a process of its own.
    pub preparation: Preparation,
}

/// Where what is untrusted is prepared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preparation {
    /// In a child process, which has limits of its own and can do little. The default.
    #[default]
    ChildProcess,
    /// In the process that serves: for who trusts all that it is given.
    InProcess,
}

impl Default for Runner {
    fn default() -> Self {
        Runner {
            workers: None,
            batch_records: NonZeroU32::MIN.saturating_add(255),
            batch_bytes: ByteSize::mib(1),
            in_flight: ByteSize::mib(8),
            memory: MemoryLimit::default(),
            drain_deadline: Duration::from_secs(30),
            commit_interval: None,
            preparation: Preparation::default(),
        }
    }
}

impl Runner {
    /// The interval between commits.
    pub fn commit_interval(&self, delivery: Delivery) -> Duration {
        self.commit_interval.unwrap_or(match delivery {
            Delivery::AtLeastOnce => Duration::from_secs(1),
            // An output is visible only after its transaction.
            Delivery::ExactlyOnce => Duration::from_millis(100),
        })
    }

    /// How many threads run operators on this machine.
    pub fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.workers.unwrap_or_else(cores).get()
    }
}

/// What is made of one batch may take so many times `in-flight`. The probabilities of a
/// thousand classes, as JSON, for 256 records are more than the default of that.
pub const OUTPUTS: u64 = 8;

impl From<&Runner> for BatchLimits {
    fn from(runner: &Runner) -> Self {
        BatchLimits {
            records: runner.batch_records.get() as usize,
            bytes: usize::try_from(runner.batch_bytes.as_u64()).unwrap_or(usize::MAX),
            outputs: usize::try_from(runner.in_flight.as_u64().saturating_mul(OUTPUTS))
                .unwrap_or(usize::MAX),
        }
    }
}
