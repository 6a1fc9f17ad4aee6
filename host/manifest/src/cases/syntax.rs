//! The format of cases: the tables of a case file, and of `[[tests]]` in a manifest.
//! `docs/reference/tests.md` says the same to the people who write them.

use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::expectation::Expectation;
use super::values::{Bytes, Cell, HeaderValues, ModelSpec};
use crate::sections::Grant;
use sandbar_config::{json_object, json_value, size};
use sandbar_model::ElementType;
use sandbar_sandbox::Overrides;

/// A file of cases for an operator or a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CaseFile {
    /// The component that the cases test, relative to the file. Default: that of the
    /// operator's folder, or of the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<PathBuf>,
    /// The manifest of the pipeline that they test, relative to the file. Default, for
    /// `NAME.tests.toml`: `NAME.toml` next to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<PathBuf>,
    /// The cases.
    #[serde(default)]
    pub tests: Vec<Test>,
}

/// One case: inputs and expected outputs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Test {
    /// What it shows; unique in its file.
    pub name: String,
    /// The input records.
    #[serde(default)]
    pub records: Vec<RecordSpec>,
    /// A file whose lines are the records, instead of `records`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<PathBuf>,
    /// Of a scorer: the features that the extractor before it would declare.
    #[serde(default)]
    pub features: Vec<FeatureSpec>,
    /// Of a scorer: the input rows.
    #[serde(default)]
    pub rows: Vec<IndexMap<String, Cell>>,
    /// Of an operator: its configuration.
    #[serde(default, deserialize_with = "json_object")]
    pub config: serde_json::Map<String, serde_json::Value>,
    /// Of an operator: its models by name, the first its main one. Of a pipeline: models
    /// instead of those of the manifest.
    #[serde(default)]
    pub models: IndexMap<String, ModelSpec>,
    /// Of a transformer: the topics that it may send to.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Of an operator: as `load-graphs` of a stage.
    #[serde(default, with = "size")]
    pub load_graphs: ByteSize,
    /// Of an operator: as `grants` of a stage.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// The fixed clock of the stages that are granted one, in milliseconds since
    /// the epoch. Default: the machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
    /// Of an operator: the limits that differ from the defaults of a manifest.
    #[serde(default, skip_serializing)]
    pub limits: Overrides,
    /// Of a pipeline: overrides for its stages, by name.
    #[serde(default)]
    pub stages: IndexMap<String, StageSpec>,
    /// How much a number may differ from the expected one.
    #[serde(default)]
    pub tolerance: f64,
    /// That the operator refuses its configuration, or the pipeline cannot be set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Wording>,
    /// The expected results of each record or row, in order.
    #[serde(default)]
    pub expect: Vec<Expectation>,
    /// A file with the same, a JSON object in each line, instead of `expect`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_lines: Option<PathBuf>,
    /// The lines of the case and its expectations in their file.
    #[serde(skip)]
    pub lines_of: Lines,
}

impl Test {
    /// The file with its expectations, where they are not in the case file at `path`.
    pub fn expectations(&self, path: &Path) -> Option<PathBuf> {
        let base = path.parent().unwrap_or(Path::new(""));
        self.expect_lines.as_ref().map(|lines| base.join(lines))
    }
}

/// Lines of a file, from 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    /// Of the case.
    pub test: Option<usize>,
    /// Of its expectations.
    pub expect: Vec<Option<usize>>,
}

/// An input record. Its value is one of `value`, `json`, `file` and `base64`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RecordSpec {
    /// The value as text, or as [`Bytes`]: null for a tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Bytes>,
    /// The value as JSON.
    #[serde(default, deserialize_with = "json_value", skip_serializing_if = "Option::is_none")]
    pub json: Option<serde_json::Value>,
    /// The file that the value is read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The value in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// The key. Default: null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Bytes>,
    /// The headers in order; a list for a name that occurs more than once.
    #[serde(default)]
    pub headers: IndexMap<String, HeaderValues>,
    /// Milliseconds since the epoch. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// The topic that it comes from. Default: the first of the pipeline's source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The partition that it comes from. Default: 0.
    #[serde(default)]
    pub partition: i32,
}

/// A feature declared to a scorer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FeatureSpec {
    /// Its name.
    pub name: String,
    /// Its type: `number`, `text`, or the type of a tensor's elements.
    #[serde(rename = "type")]
    pub ty: FeatureType,
    /// The dimensions of a tensor, without the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<u32>>,
}

/// The type of a feature: of its elements, where it is a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names of the contract")]
pub enum FeatureType {
    Number,
    Text,
    Fp16,
    Fp32,
    Fp64,
    Bf16,
    U8,
    I32,
    I64,
}

impl FeatureSpec {
    /// The type of a tensor's elements.
    pub fn element(&self) -> Option<ElementType> {
        Some(match self.ty {
            FeatureType::Number | FeatureType::Text => return None,
            FeatureType::Fp16 => ElementType::Fp16,
            FeatureType::Fp32 => ElementType::Fp32,
            FeatureType::Fp64 => ElementType::Fp64,
            FeatureType::Bf16 => ElementType::Bf16,
            FeatureType::U8 => ElementType::U8,
            FeatureType::I32 => ElementType::I32,
            FeatureType::I64 => ElementType::I64,
        })
    }

    /// Elements of a tensor's row.
    pub fn elements(&self) -> Option<usize> {
        let sizes = self.shape.iter().flatten();
        sizes.into_iter().try_fold(1usize, |count, size| count.checked_mul(*size as usize))
    }

    /// Bytes of a row of a tensor.
    pub fn row_bytes(&self) -> Option<usize> {
        self.elements()?.checked_mul(self.element()?.size())
    }

    /// The expected form of its values in a row.
    pub(crate) fn words(&self) -> String {
        match self.ty {
            FeatureType::Number => {
                "a number; for a missing value write { missing = true }, or leave it out".into()
            }
            FeatureType::Text => {
                "a text; for a missing value write { missing = true }, or leave it out".into()
            }
            _ => format!(
                "a tensor of {} elements; give a list of as many numbers, {} or {}",
                self.elements().unwrap_or_default(),
                "{ fill = 0.5 }",
                "{ file = \"...\" }"
            ),
        }
    }
}

/// The overrides for a stage of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StageSpec {
    /// The configuration, instead of that of the manifest.
    #[serde(
        default,
        deserialize_with = "optional_object",
        skip_serializing_if = "Option::is_none"
    )]
    pub config: Option<serde_json::Map<String, serde_json::Value>>,
    /// The limits that differ.
    #[serde(default, skip_serializing)]
    pub limits: Overrides,
}

fn optional_object<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<serde_json::Map<String, serde_json::Value>>, D::Error> {
    json_object(from).map(Some)
}

/// What a message must contain.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Wording {
    /// The message, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Part of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
}
