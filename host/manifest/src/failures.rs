//! How a manifest handles records that fail.

use serde::{Deserialize, Serialize};

use sandbar_config::units::text;

/// What happens to a record that fails in a stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// It goes to the dead-letter topic, with its cause. The default.
    #[default]
    DeadLetter,
    /// It is dropped, counted, and logged at a limited rate.
    Skip,
    /// The run ends; the next run reads the record again.
    Stop,
}

/// `[dead-letter]`: where failed records go.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeadLetter {
    /// The topic. Default: the pipeline's name followed by `.dead-letter`.
    #[serde(default, deserialize_with = "text")]
    pub topic: String,
    /// What happens to records that follow a dead letter of their key.
    #[serde(default)]
    pub order: Order,
}

/// What happens to records that follow a dead letter of their key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// They are processed. The default.
    #[default]
    None,
    /// They follow it to the dead-letter topic.
    Key,
}
