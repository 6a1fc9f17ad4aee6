//! Random forests (DRF, and XRT, which is one with random splits): means of trees.

use std::sync::Arc;

use decision_trees::{Forest, Scratch};

use super::engine::{Engine, EngineScorer, Source};
use super::shared_tree;
use crate::error::Error;

/// A model of trees.
#[derive(Debug)]
struct Drf {
    forest: Forest<f32>,
    outcome: Outcome,
    /// How many rounds of trees there are, at least one.
    rounds: f64,
}

/// What the sums of a row become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// One sum; the predicted number is its mean.
    Number,
    /// One sum for two classes; its mean is the probability of the first one.
    FirstClass,
    /// One sum per class, of which the probabilities are shares.
    Shares,
}

/// A model and the memory for one block of rows.
#[derive(Debug)]
struct Scorer {
    drf: Arc<Drf>,
    scratch: Scratch,
}

/// Reads the trees and what belongs to them.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    let version = source.version(1.4, "drf 1.00 to 1.40", shared_tree::ENCODINGS)?;
    shared_tree::check_byte_order(source)?;
    // Every release writes it, and H2O's reader fails without it.
    source.info.required("binomial_double_trees")?;
    let (outcome, groups) = match source.classes.count() {
        0 => (Outcome::Number, 1),
        2 if !source.info.flag("binomial_double_trees")? => (Outcome::FirstClass, 1),
        classes => (Outcome::Shares, classes),
    };
    // H2O would score other numbers of trees, too: as sums that it does not look at, and as
    // classes that are impossible.
    let trees = shared_tree::trees_per_round(source)?;
    if trees != groups {
        return Err(Error::Contradiction {
            key: "n_trees_per_class".into(),
            reason: format!("expected {groups}, got {trees}"),
        });
    }
    let rounds: u32 = source.info.number("n_trees")?;
    if rounds == 0 {
        return Err(Error::Contradiction {
            key: "n_trees".into(),
            reason: "a random forest without trees predicts nothing".into(),
        });
    }
    let forest = shared_tree::read(source, version, groups, trees)?;
    Ok(Arc::new(Drf { forest, outcome, rounds: rounds.into() }))
}

impl Drf {
    /// Scores `rows` into `values`, `width` of them per row.
    fn score(&self, rows: &[f64], scratch: &mut Scratch, values: &mut [f64], width: usize) {
        self.forest.sum(rows, scratch, values, width);
        for row in values.chunks_exact_mut(width) {
            self.unify(row);
        }
    }

    /// Turns the sums that stand at the beginning of `row` into its values.
    fn unify(&self, row: &mut [f64]) {
        match (self.outcome, &mut *row) {
            (Outcome::Number, [sum]) => *sum /= self.rounds,
            (Outcome::FirstClass, [first, second]) => {
                *first /= self.rounds;
                *second = 1.0 - *first;
            }
            _ => {
                let sum: f64 = row.iter().sum();
                if sum > 0.0 {
                    row.iter_mut().for_each(|value| *value /= sum);
                }
            }
        }
    }
}

impl Engine for Drf {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        let scratch = self.forest.scratch();
        Box::new(Scorer { drf: self, scratch })
    }
}

impl EngineScorer for Scorer {
    /// H2O's scorer leaves offsets out, and so does this one.
    fn score(
        &mut self,
        rows: &[f64],
        _: Option<&[f64]>,
        values: &mut [f64],
        width: usize,
        _: &mut Vec<f64>,
    ) {
        self.drf.score(rows, &mut self.scratch, values, width);
    }
}
