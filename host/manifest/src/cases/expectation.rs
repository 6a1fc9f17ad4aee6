//! The results of one record: expected and actual. The two have the same
//! form. An expectation has as much as its author writes, an actual result has everything.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::values::{Bytes, Feature, HeaderValues, TensorValue};
use sandbar_config::json_value;
use sandbar_record::Code;

/// Elements of a tensor up to which it is written in full.
const WHOLE_TENSOR: usize = 16;

/// The results of one record or row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expectation {
    /// Of an extractor: features by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<IndexMap<String, Feature>>,
    /// Of a scorer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction: Option<Prediction>,
    /// Of a transformer or a pipeline: the output records, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<OutputRecord>>,
    /// Why it fails. Default: it does not fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureSpec>,
}

/// A prediction.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Prediction {
    /// The class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Probabilities by class.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub probabilities: IndexMap<String, f64>,
    /// Values by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub values: IndexMap<String, f64>,
}

/// A record that a transformer or a pipeline writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OutputRecord {
    /// Its topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Bytes>,
    /// Its value, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Bytes>,
    /// Its value as JSON, of which only the members that are written count.
    #[serde(default, deserialize_with = "json_value", skip_serializing_if = "Option::is_none")]
    pub json: Option<Json>,
    /// Whether all members of `json` count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exact: bool,
    /// Part of its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// Its headers by name, of which only those that are written count. An empty list
    /// means none of that name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, HeaderValues>,
    /// Milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
}

/// Why a record fails.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FailureSpec {
    /// Of a pipeline: the stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The message, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Part of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
}

impl Expectation {
    /// The actual result as it is written without an expectation: without
    /// what follows from the input, and with long tensors by shape.
    pub fn brief(&self) -> Expectation {
        let features = self.features.as_ref().map(|features| {
            features.iter().map(|(name, feature)| (name.clone(), feature.brief())).collect()
        });
        let outputs =
            self.outputs.as_ref().map(|list| list.iter().map(OutputRecord::brief).collect());
        Expectation { features, outputs, ..self.clone() }
    }
}

/// Whether it contains a value that TOML cannot express: null, or a number out of range.
pub fn is_unsayable(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Number(number) => number.is_u64() && !number.is_i64(),
        Json::Array(list) => list.iter().any(is_unsayable),
        Json::Object(members) => members.values().any(is_unsayable),
        _ => false,
    }
}

impl Feature {
    /// The same without the elements of a large tensor.
    pub fn brief(&self) -> Feature {
        match self {
            Feature::Tensor(tensor) => Feature::Tensor(TensorValue {
                values: tensor.values.clone().filter(|values| values.len() <= WHOLE_TENSOR),
                ..tensor.clone()
            }),
            other => other.clone(),
        }
    }
}

impl TensorValue {
    /// The position of the element at `indices`, as in `0,5,7`, among all.
    pub fn place(&self, indices: &str) -> Option<usize> {
        let shape = self.shape.as_ref()?;
        let indices = parse_indices(indices)?;
        if indices.len() != shape.len() {
            return None;
        }
        shape.iter().zip(indices).try_fold(0usize, |place, (size, index)| {
            (index < *size).then(|| place * *size as usize + index as usize)
        })
    }
}

/// The numbers of `0,5,7`.
pub fn parse_indices(text: &str) -> Option<Vec<u32>> {
    text.split(',').map(|index| index.trim().parse().ok()).collect()
}

impl OutputRecord {
    /// The value as text; empty where it is null.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        let bytes = self.value.as_ref().and_then(|value| value.0.as_deref());
        String::from_utf8_lossy(bytes.unwrap_or_default())
    }

    /// The value as JSON, if it is that.
    pub fn as_json(&self) -> Option<Json> {
        serde_json::from_slice(self.value.as_ref()?.0.as_deref()?).ok()
    }

    /// The same with its value in one form.
    pub fn brief(&self) -> OutputRecord {
        let json = self.as_json().filter(|json| json.is_object() && !is_unsayable(json));
        OutputRecord {
            topic: self.topic.clone(),
            key: self.key.clone().filter(|key| key.0.is_some()),
            value: self.value.clone().filter(|_| json.is_none()),
            json,
            ..OutputRecord::default()
        }
    }
}
