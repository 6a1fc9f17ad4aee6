//! Isolation forests: how few splits set a row apart from others. A leaf is the length of the
//! path to it, and a row's sum of them is set against the shortest and the longest in training.

use std::sync::Arc;

use decision_trees::{Forest, Scratch};

use super::engine::{Engine, EngineScorer, Source};
use super::shared_tree;
use crate::error::Error;

/// A model of trees.
#[derive(Debug)]
struct IsolationForest {
    forest: Forest<f32>,
    /// How many trees there are, at least one.
    trees: f64,
    /// The smallest and the largest sum of paths in training.
    shortest: f64,
    longest: f64,
    /// Above which score a row is an anomaly, where the model says so.
    threshold: Option<f64>,
}

/// A model and the memory for one block of rows.
#[derive(Debug)]
struct Scorer {
    model: Arc<IsolationForest>,
    scratch: Scratch,
}

/// Reads the trees and what belongs to them.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    let version = source.version(1.4, "isolationforest up to 1.40", &["AUTO", "Enum"])?;
    shared_tree::check_byte_order(source)?;
    let trees = shared_tree::trees_per_round(source)?;
    if trees != 1 {
        return Err(Error::contradiction("n_trees_per_class", format!("expected 1, got {trees}")));
    }
    let rounds: u32 = source.info.number("n_trees")?;
    if rounds == 0 {
        let reason = "an isolation forest without trees predicts nothing";
        return Err(Error::contradiction("n_trees", reason));
    }
    let shortest = path_length(source, "min_path_length")?;
    let longest = path_length(source, "max_path_length")?;
    let flag = source.info.flag("output_anomaly_flag")?;
    let threshold = if flag { Some(source.info.number("default_threshold")?) } else { None };
    let forest = shared_tree::read(source, version, 1, trees)?;
    Ok(Arc::new(IsolationForest { forest, trees: rounds.into(), shortest, longest, threshold }))
}

/// A sum of lengths, zero where `model.ini` does not say it.
fn path_length(source: &Source<'_, '_>, key: &str) -> Result<f64, Error> {
    let length: i32 = source.info.optional(key)?.unwrap_or(0);
    if length < 0 {
        return Err(Error::contradiction(key, "a path's length is out of range"));
    }
    Ok(length.into())
}

impl IsolationForest {
    /// Turns the sum that stands at the beginning of `row` into its values.
    fn unify(&self, row: &mut [f64]) {
        let Some(&sum) = row.first() else { return };
        let mean = sum / self.trees;
        let score = if self.longest > self.shortest {
            (self.longest - sum) / (self.longest - self.shortest)
        } else {
            1.0
        };
        match (self.threshold, row) {
            (_, row) if sum.is_nan() => row.fill(f64::NAN),
            (None, [first, second]) => (*first, *second) = (score, mean),
            (Some(threshold), [first, second, third]) => {
                *first = if score > threshold { 1.0 } else { 0.0 };
                (*second, *third) = (score, mean);
            }
            // There are as many values as `outputs` names.
            _ => {}
        }
    }
}

impl Engine for IsolationForest {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        let scratch = self.forest.scratch();
        Box::new(Scorer { model: self, scratch })
    }

    fn outputs(&self) -> Vec<String> {
        match self.threshold {
            None => ["predict", "mean_length"].map(String::from).into(),
            Some(_) => ["predict", "score", "mean_length"].map(String::from).into(),
        }
    }
}

impl EngineScorer for Scorer {
    fn score(
        &mut self,
        rows: &[f64],
        _: Option<&[f64]>,
        values: &mut [f64],
        width: usize,
        _: &mut Vec<f64>,
    ) {
        self.model.forest.sum(rows, &mut self.scratch, values, width);
        values.chunks_exact_mut(width).for_each(|row| self.model.unify(row));
    }
}
