//! Cox's proportional hazards: the log of a row's hazard, relative to the mean of its stratum.
//!
//! - `interactions`: columns that are made of two others.
//! - this file: what `model.ini` says of the whole, and from a row to its number.

mod interactions;

use std::collections::HashMap;
use std::sync::Arc;

use super::engine::{Engine, EngineScorer, Source};
use crate::columns::Feature;
use crate::error::Error;
use crate::info::Info;
use crate::limits;

use interactions::{Interaction, Numbering};

/// The algorithm's names in `model.ini`.
pub(crate) const NAME: &str = "coxph";
pub(crate) const ALIAS: &str = "Cox Proportional Hazards";

/// A model. Columns of a row are those of its strata, then categories, then numbers.
#[derive(Debug)]
struct CoxPh {
    coefficients: Vec<f64>,
    /// By the levels of a row's first columns, which mean it is set against.
    strata: HashMap<Vec<i32>, usize>,
    strata_columns: usize,
    /// The linear predictor of the mean of each stratum.
    means: Vec<f64>,
    categories: Vec<Category>,
    /// Where the coefficient of each number is; its level's is so much behind, where it
    /// interacts with one.
    numbers: Vec<usize>,
    all_levels: bool,
    interactions: Vec<Interaction>,
    /// The columns of a caller's row, and which of the model's each of them is: times and what
    /// interactions make are not among them.
    features: Vec<Feature>,
    reads: Vec<usize>,
    /// How many columns the model has.
    columns: usize,
}

/// A column of categories.
#[derive(Debug)]
struct Category {
    /// Where its coefficients are.
    begin: usize,
    end: usize,
    /// The level that its first coefficient belongs to.
    first_level: i64,
}

/// A model and the memory for one row.
#[derive(Debug)]
struct Scorer {
    model: Arc<CoxPh>,
    row: Vec<f64>,
    /// Where the coefficient of each number is that interacts with a category.
    places: Vec<Option<i64>>,
}

/// Reads the coefficients and what belongs to them.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    source.format(1.0, "coxph 1.00")?;
    let coefficients: Vec<f64> = source.info.required_list("coef")?;
    let (strata, strata_columns) = strata(source)?;
    let means = means(source, &coefficients, strata.len().max(1))?;
    let Source { info, features, .. } = *source;
    let cats: usize = info.number("cats")?;
    let nums: usize = info.number("num_numerical_columns")?;
    let columns = strata_columns.checked_add(cats).and_then(|columns| columns.checked_add(nums));
    let Some(columns) = columns.filter(|columns| *columns <= features.len()) else {
        let reason = format!("{cats} and {nums} numbers do not fit {} features", features.len());
        return Err(Error::contradiction("cats", reason));
    };
    info.required("use_all_factor_levels")?;
    let all_levels = info.flag("use_all_factor_levels")?;
    let numbers = numbers(info, coefficients.len())?;
    let interactions = interactions::read(info, features, cats, numbers.len())?;
    for (index, feature) in features[..columns].iter().enumerate() {
        // A number that interacts with a category has its categories.
        let made = interactions.iter().any(|interaction| interaction.target == index);
        if !made && feature.domain().is_some() != (index < strata_columns + cats) {
            let reason = format!("column '{}' is not where it is to be", feature.name());
            return Err(Error::contradiction("cats", reason));
        }
    }
    if !interactions.is_empty() && strata_columns > 0 {
        return Err(Error::Unsupported {
            what: "coxph with strata and with interactions, which H2O's scorer numbers in two \
                   ways"
                .into(),
            supported: "strata or interactions".into(),
        });
    }
    let offsets: Vec<usize> = info.required_list("cat_offsets")?;
    if offsets.len() != cats + 1 || offsets[0] != 0 || offsets[cats] > coefficients.len() {
        return Err(Error::contradiction("cat_offsets", "it does not fit cats and coef"));
    }
    let mut categories = vec![];
    for (index, range) in offsets.windows(2).enumerate() {
        let levels = features[strata_columns + index].domain().map_or(0, |it| it.levels().len());
        let made = interactions.iter().any(|interaction| interaction.target == index);
        let first_level = u8::from(!all_levels && !made);
        let expected = range[0].checked_add(levels.saturating_sub(first_level.into()));
        if expected != Some(range[1]) {
            let reason = format!("it does not fit the {levels} categories of column {index}");
            return Err(Error::contradiction("cat_offsets", reason));
        }
        let first_level = first_level.into();
        categories.push(Category { begin: range[0], end: range[1], first_level });
    }
    let reads = reads(info, features.len())?;
    let model = CoxPh {
        features: reads.iter().map(|column| features[*column].clone()).collect(),
        reads,
        coefficients,
        strata,
        strata_columns,
        means,
        categories,
        numbers,
        all_levels,
        interactions,
        columns: features.len(),
    };
    Ok(Arc::new(model))
}

/// Where the coefficients of the numbers are. A column without one, such as the offset, and
/// those behind it do not count.
fn numbers(info: &Info<'_>, coefficients: usize) -> Result<Vec<usize>, Error> {
    let count: usize = info.number("num_numerical_columns")?;
    let places: Vec<usize> = info.required_list("num_offsets")?;
    if places.len() < count {
        return Err(Error::contradiction("num_offsets", format!("expected {count} or more")));
    }
    let places = places.into_iter().take(count);
    Ok(places.take_while(|place| *place < coefficients).collect())
}

/// Which of so many columns are of a caller's row: not times, nor what interactions make.
pub(crate) fn reads(info: &Info<'_>, columns: usize) -> Result<Vec<usize>, Error> {
    let numbers = numbers(info, info.items("coef"))?.len();
    let cats: usize = info.number("cats")?;
    let read = info.items("strata_0").saturating_add(cats).saturating_add(numbers);
    let column = |key| info.list(key).map(Option::unwrap_or_default);
    let made: Vec<usize> = column("interaction_targets")?;
    let of: Vec<usize> = [column("interactions_1")?, column("interactions_2")?].concat();
    let is_read =
        |column: &usize| (*column < read || of.contains(column)) && !made.contains(column);
    Ok((0..columns).filter(is_read).collect())
}

/// The strata by their levels, and of how many columns they are.
fn strata(source: &Source<'_, '_>) -> Result<(HashMap<Vec<i32>, usize>, usize), Error> {
    let Source { info, limits, features, .. } = *source;
    let count: u64 = info.number("strata_count")?;
    limits::check(|| "strata".into(), count, limits.categories, "categories")?;
    let mut strata = HashMap::new();
    let mut columns = 0;
    for number in 0..count {
        let key = format!("strata_{number}");
        let levels: Vec<f64> = info.required_list(&key)?;
        if number == 0 {
            columns = levels.len();
        }
        if levels.len() != columns || columns == 0 || columns > features.len() {
            return Err(Error::contradiction(&key, "its length does not fit the columns"));
        }
        let levels = levels.iter().map(|level| *level as i32).collect();
        if strata.insert(levels, number as usize).is_some() {
            return Err(Error::contradiction(&key, "another stratum has the same levels"));
        }
    }
    Ok((strata, columns))
}

/// The linear predictor of each stratum's mean.
fn means(
    source: &mut Source<'_, '_>,
    coefficients: &[f64],
    strata: usize,
) -> Result<Vec<f64>, Error> {
    let cats = Means::read(source, "x_mean_cat", coefficients.len(), strata)?;
    let nums = Means::read(source, "x_mean_num", coefficients.len(), strata)?;
    let Some(rest) = coefficients.get(cats.width..).filter(|rest| rest.len() >= nums.width) else {
        return Err(Error::contradiction("x_mean_num_size2", "it does not fit coef"));
    };
    let mean = |stratum: usize| {
        let mut sum = 0.0;
        for (value, coefficient) in cats.row(stratum).iter().zip(coefficients) {
            sum += value * coefficient;
        }
        for (value, coefficient) in nums.row(stratum).iter().zip(rest) {
            sum += value * coefficient;
        }
        sum
    };
    Ok((0..strata).map(mean).collect())
}

/// A table of means: a row for each stratum.
struct Means {
    width: usize,
    numbers: Vec<f64>,
}

impl Means {
    fn read(
        source: &mut Source<'_, '_>,
        entry: &str,
        most: usize,
        strata: usize,
    ) -> Result<Self, Error> {
        let rows: usize = source.info.number(&format!("{entry}_size1"))?;
        let width: usize = source.info.number(&format!("{entry}_size2"))?;
        if rows != strata || width > most {
            let reason = format!("{rows} times {width} does not fit {strata} strata and coef");
            return Err(Error::contradiction(&format!("{entry}_size1"), reason));
        }
        let bytes = source.archive.get(entry)?;
        let (doubles, rest) = bytes.as_chunks::<8>();
        if Some(doubles.len()) != rows.checked_mul(width) || !rest.is_empty() {
            let reason = format!("expected {rows} times {width} doubles");
            return Err(Error::Entry { entry: entry.into(), reason });
        }
        let numbers = doubles.iter().map(|bytes| f64::from_be_bytes(*bytes)).collect();
        Ok(Self { width, numbers })
    }

    fn row(&self, stratum: usize) -> &[f64] {
        &self.numbers[stratum * self.width..][..self.width]
    }
}

impl CoxPh {
    /// The number of a row; `None` where H2O's scorer throws.
    fn score(&self, row: &mut [f64], places: &mut [Option<i64>]) -> Option<f64> {
        let numbering = Numbering {
            all_levels: self.all_levels,
            categories: self.categories.len(),
            numbers: &self.numbers,
        };
        for interaction in &self.interactions {
            interaction.make(row, places, numbering)?;
        }
        let row = &row[..];
        let (strata, values) = row.split_at(self.strata_columns);
        let (levels, numbers) = values.split_at(self.categories.len());
        let mut sum = 0.0;
        for (level, category) in levels.iter().zip(&self.categories) {
            if level.is_nan() {
                if self.all_levels {
                    return None;
                }
                sum = f64::NAN;
            } else if self.all_levels || *level >= 0.0 {
                sum += self.level(*level, category)?;
            }
        }
        let mut others = 0.0;
        for ((value, place), interacting) in numbers.iter().zip(&self.numbers).zip(&*places) {
            let place = match interacting {
                Some(place) if *place >= 0 => usize::try_from(*place).ok()?,
                _ => *place,
            };
            let Some(coefficient) = self.coefficients.get(place) else { break };
            others += coefficient * value;
        }
        let mean = if self.strata.is_empty() {
            self.means[0]
        } else {
            // As Java makes an integer of a number, and 0 of one that is missing.
            let levels: Vec<i32> = strata.iter().map(|level| *level as i32).collect();
            self.means[*self.strata.get(&levels)?]
        };
        Some(sum + others - mean)
    }

    /// The coefficient of a level.
    fn level(&self, level: f64, category: &Category) -> Option<f64> {
        if level.fract() != 0.0 || level.abs() > f64::from(i32::MAX) {
            return None;
        }
        let place = level as i64 - category.first_level;
        let place = usize::try_from(place).ok().and_then(|place| place.checked_add(category.begin));
        match place.filter(|place| *place < category.end) {
            Some(place) => self.coefficients.get(place).copied(),
            None => Some(0.0),
        }
    }
}

impl Engine for CoxPh {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        let places = vec![None; self.numbers.len()];
        Box::new(Scorer { row: vec![], places, model: self })
    }

    fn outputs(&self) -> Vec<String> {
        vec!["lp".into()]
    }

    fn features(&self) -> Option<Vec<Feature>> {
        Some(self.features.clone())
    }
}

impl EngineScorer for Scorer {
    fn score(
        &mut self,
        rows: &[f64],
        offsets: Option<&[f64]>,
        values: &mut [f64],
        width: usize,
        _: &mut Vec<f64>,
    ) {
        let model = &*self.model;
        let rows = rows.chunks_exact(model.reads.len()).zip(values.chunks_exact_mut(width));
        for (index, (row, values)) in rows.enumerate() {
            self.row.clear();
            self.row.resize(model.columns, f64::NAN);
            model.reads.iter().zip(row).for_each(|(column, value)| self.row[*column] = *value);
            self.places.fill(None);
            let offset = offsets.and_then(|offsets| offsets.get(index)).copied().unwrap_or(0.0);
            let sum = model.score(&mut self.row, &mut self.places);
            values.fill(sum.map_or(f64::NAN, |sum| sum + offset));
        }
    }
}
