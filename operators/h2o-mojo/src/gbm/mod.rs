//! Gradient boosting: sums of trees, linked to a number or to probabilities.
//!
//! - `codes`: values of rows as integers that every test can work with.
//! - `tree`: from the bytes of a tree to nodes.
//! - `walk`: rows that walk through trees of any size.
//! - `masks`: the leaves of small trees by elimination, which is faster.
//! - `forest`: all trees of a model, and which of the two ways is taken.
//! - this file: what `model.ini` says of the whole, and what becomes of the sums.

mod codes;
mod forest;
mod masks;
mod tree;
mod walk;

use crate::Error;
use crate::archive::Archive;
use crate::columns::Feature;
use crate::distribution::{Distribution, Link};
use crate::info::Info;
use crate::limits::{self, Limits};
use crate::model::check_format;

pub(crate) use forest::Scratch;
use forest::{Builder, Forest};
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
    let mut forest = Builder::new(features, format, expected, limits.nodes);
    for group in 0..expected {
        for tree in 0..trees {
            let entry = format!("trees/t{group:02}_{tree:03}.bin");
            // A tree that training left out has no entry and adds nothing.
            if let Some(bytes) = archive.find(&entry)? {
                forest.add(group, &bytes, &entry)?;
            }
        }
    }
    Ok(Gbm { forest: forest.build(), outcome, link, initial: info.number("init_f")? })
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::read;
    use crate::archive::Archive;
    use crate::columns::Columns;
    use crate::info::{self, Info};
    use crate::{Category, Limits, Model};

    /// Both ways to find leaves must find the same ones, for values of every kind: numbers
    /// around the thresholds, categories that are known, not covered and impossible.
    #[test]
    fn masks_find_what_walking_finds() -> Result<(), Box<dyn std::error::Error>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
        let mut compared = 0;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !name.contains("gbm") || !name.ends_with(".zip") {
                continue;
            }
            let bytes = fs::read(&path)?;
            let Ok(model) = Model::read(&bytes) else { continue };
            let limits = Limits::default();
            let mut archive = Archive::open(&bytes, &limits)?;
            let text = archive.get(info::NAME)?;
            let text = String::from_utf8(text)?;
            let info = Info::parse(&text, &limits)?;
            let columns = Columns::read(&mut archive, &info, &limits)?;
            let classes = model.classes().len();
            assert_eq!(model.category() == Category::Regression, classes == 0);
            let gbm = read(&mut archive, &info, &columns.features, classes, &limits)?;

            let mut state = 1_u64;
            let mut values = std::iter::repeat_with(|| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let draw = (state >> 33) as f64;
                match state >> 61 {
                    0 => f64::NAN,
                    1 => draw % 100.0 - 5.0,
                    2 => draw % 2.0,
                    3 => draw / 1e8 - 10.0,
                    4 => [f64::INFINITY, f64::NEG_INFINITY, -0.0, 1e300][draw as usize % 4],
                    _ => draw % 12.0,
                }
            });
            let count = 1000;
            let rows: Vec<f64> = values.by_ref().take(count * columns.features.len()).collect();
            if let Some((walked, masked)) = gbm.forest.both(&rows, classes.max(1)) {
                assert_eq!(walked, masked, "{name}");
                compared += 1;
            }
        }
        assert!(compared > 10, "only {compared} models have masks");
        Ok(())
    }
}
