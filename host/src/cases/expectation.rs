//! What comes of one record: as it is expected, and as it came. The two have the same
//! form. An expectation says as much as its author wants to; [`Expectation::seen`] says
//! of that, and no more, what came instead, and is equal to it where nothing differs.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::values::{Bytes, Feature, HeaderValues, TensorValue};
use crate::failure::Code;
use crate::manifest::json_value;

/// Elements of a tensor that are written out whole.
const WHOLE_TENSOR: usize = 16;

/// What comes of one record or row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expectation {
    /// Of an extractor: features by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<IndexMap<String, Feature>>,
    /// Of a scorer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction: Option<Prediction>,
    /// Of a transformer or a pipeline: the records that come of it, in order.
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
    /// Its headers by name, of which only those that are written count. An empty list:
    /// there is none of that name.
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
    /// What came, as far as this expectation speaks of it. Where it speaks of something
    /// that did not come, also what came instead.
    pub fn seen(&self, came: &Expectation, tolerance: f64) -> Expectation {
        let near = Near(tolerance);
        let missed = lacks(&self.features, &came.features)
            || lacks(&self.prediction, &came.prediction)
            || lacks(&self.outputs, &came.outputs)
            || lacks(&self.failure, &came.failure);
        let brief = came.brief();
        let otherwise = if missed { brief.clone() } else { Expectation::default() };
        Expectation {
            features: both(&self.features, &came.features, |due, came| near.features(due, came))
                .or(otherwise.features.filter(|_| self.features.is_none())),
            prediction: both(&self.prediction, &came.prediction, |due, came| {
                near.prediction(due, came)
            })
            .or(otherwise.prediction.filter(|_| self.prediction.is_none())),
            outputs: both(&self.outputs, &came.outputs, |due, came| near.outputs(due, came))
                .or(otherwise.outputs.filter(|_| self.outputs.is_none())),
            // A failure that nobody expects is always of interest.
            failure: match &self.failure {
                Some(due) => came.failure.as_ref().map(|came| due.seen(came)),
                None => brief.failure,
            },
        }
    }

    /// What came in the form in which it is written where nothing was expected: without
    /// what follows from what went in, and long tensors by shape.
    pub fn brief(&self) -> Expectation {
        let features = self.features.as_ref().map(|features| {
            features.iter().map(|(name, feature)| (name.clone(), feature.brief())).collect()
        });
        let outputs =
            self.outputs.as_ref().map(|list| list.iter().map(OutputRecord::brief).collect());
        Expectation { features, outputs, ..self.clone() }
    }
}

fn lacks<T>(due: &Option<T>, came: &Option<T>) -> bool {
    due.is_some() && came.is_none()
}

fn both<T>(due: &Option<T>, came: &Option<T>, seen: impl Fn(&T, &T) -> T) -> Option<T> {
    Some(seen(due.as_ref()?, came.as_ref()?))
}

/// Compares numbers that may differ by so much.
struct Near(f64);

impl Near {
    fn number(&self, due: f64, came: f64) -> f64 {
        let same = due == came || (due - came).abs() <= self.0 || due.is_nan() && came.is_nan();
        if same { due } else { came }
    }

    fn numbers(
        &self,
        due: &IndexMap<String, f64>,
        came: &IndexMap<String, f64>,
    ) -> IndexMap<String, f64> {
        let seen = |(name, due): (&String, &f64)| {
            came.get(name).map(|came| (name.clone(), self.number(*due, *came)))
        };
        due.iter().filter_map(seen).collect()
    }

    fn features(
        &self,
        due: &IndexMap<String, Feature>,
        came: &IndexMap<String, Feature>,
    ) -> IndexMap<String, Feature> {
        let seen = |(name, due): (&String, &Feature)| {
            came.get(name).map(|came| (name.clone(), self.feature(due, came)))
        };
        due.iter().filter_map(seen).collect()
    }

    fn feature(&self, due: &Feature, came: &Feature) -> Feature {
        match (due, came) {
            (Feature::Number(due), Feature::Number(came)) => {
                Feature::Number(self.number(*due, *came))
            }
            (Feature::Tensor(due), Feature::Tensor(came)) => {
                Feature::Tensor(self.tensor(due, came))
            }
            _ => came.brief(),
        }
    }

    fn tensor(&self, due: &TensorValue, came: &TensorValue) -> TensorValue {
        let elements = came.values.as_deref().unwrap_or_default();
        let element = |(place, due): (&String, &f64)| {
            let came = elements.get(came.place(place)?)?;
            Some((place.clone(), self.number(*due, *came)))
        };
        TensorValue {
            ty: due.ty.and(came.ty),
            shape: due.shape.as_ref().and(came.shape.clone()),
            values: due.values.as_ref().map(|due| match due.len() == elements.len() {
                true => {
                    due.iter().zip(elements).map(|(due, came)| self.number(*due, *came)).collect()
                }
                false => elements.to_vec(),
            }),
            at: due.at.iter().filter_map(element).collect(),
        }
    }

    fn prediction(&self, due: &Prediction, came: &Prediction) -> Prediction {
        Prediction {
            label: due.label.as_ref().and(came.label.clone()),
            probabilities: self.numbers(&due.probabilities, &came.probabilities),
            values: self.numbers(&due.values, &came.values),
        }
    }

    fn outputs(&self, due: &[OutputRecord], came: &[OutputRecord]) -> Vec<OutputRecord> {
        let seen = |(index, came): (usize, &OutputRecord)| match due.get(index) {
            Some(due) => self.output(due, came),
            None => came.brief(),
        };
        came.iter().enumerate().map(seen).collect()
    }

    fn output(&self, due: &OutputRecord, came: &OutputRecord) -> OutputRecord {
        let contains = due.contains.clone().filter(|part| came.text().contains(part.as_str()));
        let json = due.json.as_ref().and_then(|due_json| {
            let json = self.json(due_json, &came.as_json()?, due.exact);
            // What TOML cannot say is shown as the text that it is.
            (!has_null(&json) || json == *due_json).then_some(json)
        });
        let unsaid = contains.is_none() && due.contains.is_some()
            || json.is_none() && due.json.is_some()
            || due.value.is_some();
        OutputRecord {
            topic: due.topic.as_ref().and(came.topic.clone()),
            key: due.key.as_ref().and(came.key.clone()),
            value: came.value.clone().filter(|_| unsaid),
            exact: due.exact && json.is_some(),
            json,
            contains,
            headers: (due.headers.keys())
                .map(|name| {
                    let none = || HeaderValues(Vec::new());
                    (name.clone(), came.headers.get(name).cloned().unwrap_or_else(none))
                })
                .collect(),
            timestamp: due.timestamp.and(came.timestamp),
        }
    }

    fn json(&self, due: &Json, came: &Json, exact: bool) -> Json {
        match (due, came) {
            (Json::Object(due), Json::Object(came)) => {
                let seen = |(name, due): (&String, &Json)| {
                    Some((name.clone(), self.json(due, came.get(name)?, exact)))
                };
                let more = came.iter().filter(|(name, _)| exact && !due.contains_key(*name));
                let more = more.map(|(name, came)| (name.clone(), came.clone()));
                due.iter().filter_map(seen).chain(more).collect()
            }
            (Json::Array(due), Json::Array(came)) if due.len() == came.len() => {
                due.iter().zip(came).map(|(due, came)| self.json(due, came, exact)).collect()
            }
            (Json::Number(a), Json::Number(b)) => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) if self.number(a, b) == a => due.clone(),
                _ => came.clone(),
            },
            _ => came.clone(),
        }
    }
}

fn has_null(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Array(list) => list.iter().any(has_null),
        Json::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

impl Feature {
    fn brief(&self) -> Feature {
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
    /// Where the element at `indices`, as in `0,5,7`, lies among all.
    fn place(&self, indices: &str) -> Option<usize> {
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
pub(super) fn parse_indices(text: &str) -> Option<Vec<u32>> {
    text.split(',').map(|index| index.trim().parse().ok()).collect()
}

impl OutputRecord {
    /// The value as text; empty where it is null.
    fn text(&self) -> std::borrow::Cow<'_, str> {
        let bytes = self.value.as_ref().and_then(|value| value.0.as_deref());
        String::from_utf8_lossy(bytes.unwrap_or_default())
    }

    fn as_json(&self) -> Option<Json> {
        serde_json::from_slice(self.value.as_ref()?.0.as_deref()?).ok()
    }

    fn brief(&self) -> OutputRecord {
        let json = self.as_json().filter(|json| json.is_object() && !has_null(json));
        OutputRecord {
            topic: self.topic.clone(),
            key: self.key.clone().filter(|key| key.0.is_some()),
            value: self.value.clone().filter(|_| json.is_none()),
            json,
            ..OutputRecord::default()
        }
    }
}

impl FailureSpec {
    fn seen(&self, came: &FailureSpec) -> FailureSpec {
        let message = came.message.as_deref().unwrap_or_default();
        let contains = self.contains.clone().filter(|part| message.contains(part.as_str()));
        let unsaid = contains.is_none() && self.contains.is_some() || self.message.is_some();
        FailureSpec {
            stage: self.stage.as_ref().and(came.stage.clone()),
            code: self.code.and(came.code),
            message: came.message.clone().filter(|_| unsaid),
            contains,
        }
    }
}
