//! Objectives: from what trees add up to to what is predicted.

use crate::error::Error;
use crate::floats::{exp, log};

/// What becomes of the sums of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Each sum is a number once it is linked.
    Numbers(Link),
    /// One sum; the probability of the second class once it is linked.
    Probability,
    /// One sum; the second class where it is positive.
    Sign,
    /// One sum per class, the logarithms of their shares.
    Shares,
}

/// From a sum to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Identity,
    Logistic,
    Exponential,
}

/// What XGBoost's name of an objective stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Objective {
    /// What is predicted of one target.
    pub(crate) outcome: Outcome,
    /// What turns a `base_score` into what sums begin with.
    pub(crate) base: Link,
    /// Whether a sum is of a quantile each.
    pub(crate) has_quantiles: bool,
}

const SUPPORTED: &str = "reg:squarederror, reg:linear, reg:squaredlogerror, \
    reg:pseudohubererror, reg:absoluteerror, reg:quantileerror, reg:logistic, reg:gamma, \
    reg:tweedie, binary:logistic, binary:logitraw, binary:hinge, multi:softmax, \
    multi:softprob, count:poisson, survival:cox, survival:aft, rank:pairwise, rank:ndcg, \
    rank:map";

impl Objective {
    /// The objective of a name.
    pub(crate) fn of(name: &str) -> Result<Self, Error> {
        use Link::{Exponential, Identity, Logistic};
        let (outcome, base) = match name {
            "reg:squarederror"
            | "reg:linear"
            | "reg:squaredlogerror"
            | "reg:pseudohubererror"
            | "reg:absoluteerror"
            | "reg:quantileerror"
            | "binary:logitraw"
            | "rank:pairwise"
            | "rank:ndcg"
            | "rank:map" => (Outcome::Numbers(Identity), Identity),
            "reg:logistic" => (Outcome::Numbers(Logistic), Logistic),
            "binary:logistic" => (Outcome::Probability, Logistic),
            "binary:hinge" => (Outcome::Sign, Identity),
            "multi:softmax" | "multi:softprob" => (Outcome::Shares, Identity),
            "reg:gamma" | "reg:tweedie" | "count:poisson" | "survival:cox" | "survival:aft" => {
                (Outcome::Numbers(Exponential), Exponential)
            }
            _ => {
                return Err(Error::Unsupported {
                    what: format!("objective '{name}'"),
                    supported: SUPPORTED.into(),
                });
            }
        };
        Ok(Self { outcome, base, has_quantiles: name == "reg:quantileerror" })
    }

    /// What sums begin with, where the model says `score`. It may be no number, where `score`
    /// is none that the objective can have.
    pub(crate) fn margin(&self, score: f32) -> f32 {
        // Releases from 3.1 on keep a share this far away from 0 and 1; others refused those.
        const EDGE: f32 = 1e-6;
        match self.base {
            Link::Identity => score,
            Link::Exponential => log(score),
            Link::Logistic if !(0.0..=1.0).contains(&score) => f32::NAN,
            Link::Logistic => -log(1.0 / score.clamp(EDGE, 1.0 - EDGE) - 1.0),
        }
    }
}

impl Link {
    /// The number that a sum stands for.
    #[inline]
    pub(crate) fn invert(self, sum: f32) -> f32 {
        match self {
            Self::Identity => sum,
            Self::Logistic => logistic(sum),
            Self::Exponential => exp(sum),
        }
    }
}

/// The logistic function, as XGBoost has it: its exponential never overflows.
#[inline]
pub(crate) fn logistic(sum: f32) -> f32 {
    // The first of two numbers stays where one of them is none.
    let negated = -sum;
    let bounded = if 88.7 < negated { 88.7 } else { negated };
    1.0 / (exp(bounded) + 1.0 + 1e-16)
}

/// Puts the shares of classes whose logarithms are `sums` into `shares`.
pub(crate) fn softmax(sums: &[f32], shares: &mut [f64]) {
    let most = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut total = 0.0;
    for (share, sum) in shares.iter_mut().zip(sums) {
        let exponential = exp(sum - most);
        total += f64::from(exponential);
        *share = exponential.into();
    }
    for share in shares {
        *share = (*share as f32 / total as f32).into();
    }
}

/// The first of the largest sums.
pub(crate) fn largest(sums: &[f32]) -> u32 {
    let mut largest = 0;
    for (index, sum) in sums.iter().enumerate() {
        if *sum > sums[largest] {
            largest = index;
        }
    }
    largest as u32
}
