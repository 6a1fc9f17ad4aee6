//! Gradient boosting: sums of trees, linked to a number or to probabilities.
//!
//! - `codes`: values of rows as integers that every test can work with.
//! - `tree`: from the bytes of a tree to nodes.
//! - `forest`: the nodes of all trees, and how rows walk through them.
//! - this file: what `model.ini` says of the whole, and what becomes of the sums.

mod codes;
mod forest;
mod tree;

use crate::Error;
use crate::archive::Archive;
use crate::columns::Feature;
use crate::distribution::{Distribution, Link};
use crate::info::Info;
use crate::limits::{self, Limits};
use crate::model::check_format;

use forest::Forest;
pub(crate) use forest::Scratch;
use tree::Format;

/// A model of trees.
#[derive(Debug)]
pub(crate) struct Gbm {
    forest: Forest,
    outcome: Outcome,
    link: Link,
    /// The constant that every sum begins with.
    initial: f64,
}

/// What the sums of a row become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// One sum, the predicted number once it is linked.
    Number,
    /// One sum, the probability of the second class once it is linked.
    Odds,
    /// One sum of two opposite ones: both are rescaled to probabilities.
    Opposites,
    /// One sum per class, rescaled to probabilities.
    Shares,
}

/// Reads the trees and what belongs to them. `classes` is 0 for a regression.
pub(crate) fn read(
    archive: &mut Archive<'_>,
    info: &Info<'_>,
    features: &[Feature],
    classes: usize,
    limits: &Limits,
) -> Result<Gbm, Error> {
    let version = check_format(info, 1.4, "gbm 1.00 to 1.40")?;
    if let Some(order) = info.text("endianness").filter(|order| *order != "LITTLE_ENDIAN") {
        return Err(Error::Unsupported {
            what: format!("byte order {order}"),
            supported: "LITTLE_ENDIAN",
        });
    }
    let distribution = Distribution::read(info)?;
    let outcome = outcome(distribution, classes)?;
    let link = Link::read(info, distribution)?;
    let groups = groups(info, classes)?;
    let expected = if outcome == Outcome::Shares { classes } else { 1 };
    if groups < expected || groups > classes.max(1) {
        return Err(Error::Contradiction {
            key: "n_trees_per_class".into(),
            reason: format!("is {groups}, for {classes} classes"),
        });
    }
    let trees: u64 = info.number("n_trees")?;
    let total = trees.saturating_mul(expected as u64);
    limits::check(|| "trees".into(), total, limits.entries, "entries")?;

    let format = Format::of(version);
    let mut forest = Forest::new(features, format, expected, limits.nodes);
    for group in 0..expected {
        for tree in 0..trees {
            let entry = format!("trees/t{group:02}_{tree:03}.bin");
            // A tree that training left out has no entry and adds nothing.
            if let Some(bytes) = archive.find(&entry)? {
                forest.add(group, &bytes, &entry)?;
            }
        }
    }
    Ok(Gbm { forest, outcome, link, initial: info.number("init_f")? })
}

/// How many trees each round of boosting made.
fn groups(info: &Info<'_>, classes: usize) -> Result<usize, Error> {
    // Version 1.00 does not say it.
    Ok(match info.optional("n_trees_per_class")? {
        Some(groups) => groups,
        None if classes == 2 && !info.flag("binomial_double_trees")? => 1,
        None => classes.max(1),
    })
}

fn outcome(distribution: Distribution, classes: usize) -> Result<Outcome, Error> {
    use Distribution::{
        Bernoulli, FractionalBinomial, Logarithmic, ModifiedHuber, Multinomial, Ordinal, Plain,
        Quasibinomial,
    };
    match (distribution, classes) {
        (Bernoulli | Quasibinomial | ModifiedHuber, 2) => Ok(Outcome::Odds),
        (Multinomial, 2) => Ok(Outcome::Opposites),
        (Multinomial, 3..) => Ok(Outcome::Shares),
        (FractionalBinomial | Ordinal | Logarithmic | Plain, 0) => Ok(Outcome::Number),
        _ => Err(Error::Contradiction {
            key: "distribution".into(),
            reason: format!("does not fit {classes} classes"),
        }),
    }
}

impl Gbm {
    /// The memory that scoring needs.
    pub(crate) fn scratch(&self) -> Scratch {
        self.forest.scratch()
    }

    /// Scores `rows` into `values`, `width` of them per row.
    pub(crate) fn score(
        &self,
        rows: &[f64],
        offsets: Option<&[f64]>,
        scratch: &mut Scratch,
        values: &mut [f64],
        width: usize,
    ) {
        self.forest.sum(rows, scratch, values, width);
        for (index, row) in values.chunks_exact_mut(width).enumerate() {
            let offset = offsets.map_or(0.0, |offsets| offsets[index]);
            self.link(row, offset);
        }
    }

    /// Turns the sums that stand at the beginning of `row` into its values.
    fn link(&self, row: &mut [f64], offset: f64) {
        match (self.outcome, &mut *row) {
            (Outcome::Number, [sum]) => *sum = self.link.invert(*sum + self.initial + offset),
            (Outcome::Odds, [first, second]) => {
                *second = self.link.invert(*first + self.initial + offset);
                *first = 1.0 - *second;
            }
            (Outcome::Opposites, [first, second]) => {
                *first += self.initial + offset;
                *second = -*first;
                rescale(row);
            }
            _ => rescale(row),
        }
    }
}

/// Turns logarithms into shares of 1.
fn rescale(row: &mut [f64]) {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = (*value - most).exp();
        sum += *value;
    }
    row.iter_mut().for_each(|value| *value /= sum);
}
