//! Which trees of a model are summed up.

use crate::document::{Booster, Document};
use crate::error::Error;

/// How many rounds of boosting a model is scored with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rounds {
    /// Up to the best one, where training stopped early and the model says which that was, and
    /// otherwise all: as XGBoost's scikit-learn classes predict.
    #[default]
    Best,
    /// All: as `Booster.predict` does unless it is told an `iteration_range`.
    All,
}

/// The round that the model calls its best, from 0.
pub(crate) fn best(document: &Document) -> Result<Option<u64>, Error> {
    let Some(text) = &document.best_iteration else { return Ok(None) };
    let best = text.parse().map_err(|_| Error::Field {
        place: "learner.attributes.best_iteration".into(),
        reason: format!("expected the number of a round, got '{text}'"),
    })?;
    Ok(Some(best))
}

/// How many trees there are up to a round, of a model with so many outputs.
pub(crate) fn trees_up_to(booster: &Booster, outputs: usize, round: u64) -> Result<usize, Error> {
    let trees = booster.trees.as_ref().map_or(0, Vec::len);
    let end = match &booster.iterations {
        Some(begins) => {
            let is_whole = begins.first() == Some(&0)
                && begins.last() == Some(&(trees as u64))
                && begins.is_sorted();
            if !is_whole {
                return Err(Error::Field {
                    place: "learner.gradient_booster.model.iteration_indptr".into(),
                    reason: format!("does not part {trees} trees"),
                });
            }
            let next = usize::try_from(round).ok().and_then(|it| it.checked_add(1));
            next.and_then(|next| begins.get(next).copied())
        }
        None => {
            let parallel = booster.parallel_trees.unwrap_or(1).max(1);
            let each = parallel.checked_mul(outputs as u64);
            each.and_then(|each| round.checked_add(1)?.checked_mul(each))
        }
    };
    let end = end.and_then(|end| usize::try_from(end).ok()).filter(|end| *end <= trees);
    end.ok_or_else(|| Error::Field {
        place: "learner.attributes.best_iteration".into(),
        reason: format!("the model has not so many rounds as {round}"),
    })
}
