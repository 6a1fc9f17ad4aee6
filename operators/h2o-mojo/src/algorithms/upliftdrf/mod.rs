//! Uplift random forests: by how much a treatment changes the probability of the second class.

use std::sync::Arc;

use decision_trees::{Forest, Scratch};

use super::engine::{Engine, EngineScorer, Source};
use super::shared_tree;
use crate::error::Error;

/// A model of trees.
#[derive(Debug)]
struct UpliftDrf {
    forest: Forest<f32>,
    /// How many rounds of trees there are, at least one.
    rounds: f64,
}

/// A model and the memory for one block of rows.
#[derive(Debug)]
struct Scorer {
    model: Arc<UpliftDrf>,
    scratch: Scratch,
    /// The sums with and without treatment.
    sums: Vec<f64>,
}

/// How many sums a row has: with treatment and without.
const SUMS: usize = 2;

/// Reads the trees.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    // Its treatment is among the columns that H2O's wrapper encodes, but not of a row.
    let version = source.version(1.4, "upliftdrf 1.40", &["AUTO", "Enum", "SortByResponse"])?;
    shared_tree::check_byte_order(source)?;
    let trees: usize = source.info.number("n_trees_per_class")?;
    if trees != SUMS {
        return Err(Error::Contradiction {
            key: "n_trees_per_class".into(),
            reason: format!("expected {SUMS}, got {trees}"),
        });
    }
    let rounds: u32 = source.info.number("n_trees")?;
    if rounds == 0 {
        return Err(Error::Contradiction {
            key: "n_trees".into(),
            reason: "a forest without trees predicts nothing".into(),
        });
    }
    let forest = shared_tree::read(source, version, SUMS, trees)?;
    Ok(Arc::new(UpliftDrf { forest, rounds: rounds.into() }))
}

impl Engine for UpliftDrf {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        let scratch = self.forest.scratch();
        Box::new(Scorer { model: self, scratch, sums: vec![] })
    }

    fn outputs(&self) -> Vec<String> {
        ["uplift_predict", "p_y1_with_treatment", "p_y1_without_treatment"].map(String::from).into()
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
        let Self { model, scratch, sums } = self;
        sums.clear();
        sums.resize(values.len() / width * SUMS, 0.0);
        model.forest.sum(rows, scratch, sums, SUMS);
        let (sums, _) = sums.as_chunks::<SUMS>();
        for ([with, without], values) in sums.iter().zip(values.chunks_exact_mut(width)) {
            if let [uplift, treated, untreated] = values {
                (*treated, *untreated) = (with / model.rounds, without / model.rounds);
                *uplift = *treated - *untreated;
            }
        }
    }
}
