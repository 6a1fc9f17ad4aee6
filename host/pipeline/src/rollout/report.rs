//! A comparison as it is reported.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The label of the classes that are not counted separately.
pub(super) const OTHERS: &str = "(others)";

/// The results of a candidate and of what serves.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RolloutReport {
    /// What serves.
    pub serving: Side,
    /// The candidate.
    pub candidate: Side,
    /// Records that both scored.
    pub compared: u64,
    /// The share of these on whose label they agree; none if there are no labels. Of several
    /// scorers, the lowest.
    pub agreement: Option<f64>,
    /// Pairs of predicted labels, the most frequent first. Of one scorer.
    pub confusion: Vec<Confused>,
    /// The mean absolute difference of the probabilities or values that both gave. Of several
    /// scorers, the largest.
    pub mean_difference: Option<f64>,
    /// Of several scorers, each by its stage.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stages: BTreeMap<String, StageReport>,
    /// Records that a shadow did not see, since it was behind.
    pub left_out: u64,
    /// Outputs of a shadow that were not delivered to its topic.
    pub unwritten: u64,
}

/// The results of one of the two.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Side {
    /// Records that it was given.
    pub records: u64,
    /// Predictions that it made of them; outputs, where the pipeline makes no predictions.
    pub scored: u64,
    /// Records that failed, by code.
    pub failed: BTreeMap<String, u64>,
    /// Batches that the records came in.
    pub batches: u64,
    /// Seconds that half of the batches took at most.
    pub p50: Option<f64>,
    /// Seconds that 99 of 100 batches took at most.
    pub p99: Option<f64>,
    /// How often it predicted each label. Of one scorer.
    pub labels: BTreeMap<String, u64>,
}

/// The predictions of one of several scorers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StageReport {
    /// Records that it scored in both.
    pub compared: u64,
    /// The share of these on whose label they agree; none if there are no labels.
    pub agreement: Option<f64>,
    /// Pairs of predicted labels, the most frequent first.
    pub confusion: Vec<Confused>,
    /// The mean absolute difference of the probabilities or values that both gave.
    pub mean_difference: Option<f64>,
    /// How often it predicted each label in what serves.
    pub serving: BTreeMap<String, u64>,
    /// And in the candidate.
    pub candidate: BTreeMap<String, u64>,
}

/// Two labels that were predicted for the same records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confused {
    /// By what serves.
    pub serving: String,
    /// By the candidate.
    pub candidate: String,
    /// Of how many records.
    pub records: u64,
}
