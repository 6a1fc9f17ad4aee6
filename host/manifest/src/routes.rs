//! `[[sink.routes]]`: where predictions go by what they say, with keys and headers of their own.

use std::num::NonZeroUsize;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::format::FormatName;
use crate::sink_schema::SinkSchema;

/// One of `[[sink.routes]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Route {
    /// The condition, an expression over the prediction and its record.
    pub when: String,
    /// The topic of what it holds for.
    pub topic: String,
    /// How a prediction is written. Default: as `[sink]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<FormatName>,
    /// The text of the output record. Default: as `[sink]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// How many classes the JSON form carries. Default: as `[sink]` says, or, with a format of
    /// its own, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<NonZeroUsize>,
    /// The schema of Avro, Protobuf or JSON Schema. Default: as `[sink]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SinkSchema>,
    /// The key of the output record, a template. Default: as `[sink]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Headers by name, templates; they take precedence over those of `[sink]`. None by default.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, String>,
}

/// Which of the routes take a prediction that several would.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matching {
    /// The first in the order of the manifest. The default.
    #[default]
    First,
    /// Each of them.
    All,
}

/// What becomes of a prediction that no route takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// It goes to the topic of `[sink]`. The default.
    #[default]
    Topic,
    /// It is dropped and counted.
    Drop,
}
