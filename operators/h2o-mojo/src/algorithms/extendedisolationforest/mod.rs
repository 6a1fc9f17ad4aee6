//! Extended isolation forests: how few cuts by slanted planes set a row apart from others.
//!
//! - `tree`: a tree and its path lengths.
//! - this file: what `model.ini` says of the whole, and from paths to a score.

mod tree;

use std::sync::Arc;

use super::engine::{Engine, EngineScorer, Source};
use crate::error::Error;
use crate::limits;

use tree::{Tree, mean_path};

/// A model.
#[derive(Debug)]
struct ExtendedIsolationForest {
    trees: Vec<Tree>,
    /// The mean path in a tree of as many rows as each was grown from.
    expected: f64,
    features: usize,
}

/// A model; no memory is needed.
#[derive(Debug)]
struct Scorer(Arc<ExtendedIsolationForest>);

/// Reads the trees and what belongs to them.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    source.format(1.0, "extendedisolationforest 1.00")?;
    super::shared_tree::check_byte_order(source)?;
    let (features, limits) = (source.features.len(), source.limits);
    let count: u64 = source.info.number("ntrees")?;
    limits::check(|| "trees".into(), count, limits.entries, "entries")?;
    let sample: i64 = source.info.number("sample_size")?;
    if count == 0 || sample < 2 {
        let key = if count == 0 { "ntrees" } else { "sample_size" };
        let reason = "a forest without trees, or of single rows, predicts nothing";
        return Err(Error::Contradiction { key: key.into(), reason: reason.into() });
    }
    let mut trees = vec![];
    let mut nodes = 0_u64;
    for number in 0..count {
        let entry = format!("trees/t{number:02}.bin");
        let bytes = source.archive.get(&entry)?;
        let mut count = || {
            nodes += 1;
            limits::check(|| format!("{entry}: nodes so far"), nodes, limits.nodes, "nodes")
        };
        trees.push(Tree::decode(&bytes, features, &entry, &mut count)?);
    }
    let beyond = format!("trees/t{count:02}.bin");
    if source.archive.has(&beyond) {
        let reason = format!("{beyond} is beyond {count} trees");
        return Err(Error::Contradiction { key: "ntrees".into(), reason });
    }
    Ok(Arc::new(ExtendedIsolationForest { trees, expected: mean_path(sample), features }))
}

impl Engine for ExtendedIsolationForest {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        Box::new(Scorer(self))
    }

    fn outputs(&self) -> Vec<String> {
        ["anomaly_score", "mean_length"].map(String::from).into()
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
        let forest = &*self.0;
        let rows = rows.chunks_exact(forest.features).zip(values.chunks_exact_mut(width));
        for (row, values) in rows {
            let sum: f64 = forest.trees.iter().map(|tree| tree.path(row)).sum();
            let mean = sum / forest.trees.len() as f64;
            if let [score, length] = values {
                *score = 2.0_f64.powf(-(mean / forest.expected));
                *length = mean;
            }
        }
    }
}
