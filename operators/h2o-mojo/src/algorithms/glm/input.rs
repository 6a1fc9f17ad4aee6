//! From a row to the coefficients that count: one per category, one per number.

use std::ops::Range;

use crate::columns::Feature;
use crate::error::Error;
use crate::info::Info;

/// How rows are read. Categorical columns come first, then numbers.
#[derive(Debug)]
pub(super) struct Input {
    categories: Vec<Column>,
    /// What stands in for each number where it is missing: NaN where nothing does.
    numbers: Vec<f64>,
    /// The level of a column that its first coefficient belongs to.
    first_level: usize,
}

/// A column of categories.
#[derive(Debug)]
struct Column {
    /// Where its coefficients are.
    coefficients: Range<usize>,
    /// What stands in for a missing level: NaN where nothing does.
    missing: f64,
}

/// What the sums of a row are made of.
#[derive(Debug, Default)]
pub(super) struct Terms {
    /// The coefficients that count as they are.
    levels: Vec<usize>,
    /// The numbers, for the coefficients before the intercept.
    numbers: Vec<f64>,
}

impl Input {
    pub(super) fn read(info: &Info<'_>, features: &[Feature]) -> Result<Self, Error> {
        let categorical: usize = info.number("cats")?;
        let numeric: usize = info.number("nums")?;
        let total = features.len();
        if categorical.checked_add(numeric) != Some(total) {
            let reason =
                format!("{numeric} and {categorical} cats do not add up to {total} features");
            return Err(Error::contradiction("nums", reason));
        }
        // H2O's reader takes `false` where a key is not there, which would be another model.
        info.required("use_all_factor_levels")?;
        info.required("mean_imputation")?;
        let first_level = usize::from(!info.flag("use_all_factor_levels")?);
        let (modes, means) = if info.flag("mean_imputation")? {
            (list::<i32>(info, "cat_modes", categorical)?, list(info, "num_means", numeric)?)
        } else {
            (vec![], vec![f64::NAN; numeric])
        };
        let offsets: Vec<usize> = list(info, "cat_offsets", categorical + 1)?;
        let mut categories = Vec::with_capacity(categorical);
        let mut begin = 0;
        for (index, feature) in features.iter().enumerate() {
            let Some(levels) = feature.domain().map(|domain| domain.levels().len()) else {
                if index < categorical {
                    let reason = format!("'{}' has no categories", feature.name());
                    return Err(Error::contradiction("cats", reason));
                }
                continue;
            };
            if index >= categorical {
                let reason = format!("'{}' has categories", feature.name());
                return Err(Error::contradiction("nums", reason));
            }
            let end = begin + levels.saturating_sub(first_level);
            // A level without a place of its own would count as one of the next column, or not
            // at all.
            if offsets[index..index + 2] != [begin, end] {
                let reason = format!("it does not fit the {levels} categories of its column");
                return Err(Error::contradiction("cat_offsets", format!("{reason} {index}")));
            }
            let missing = match modes.get(index) {
                None => f64::NAN,
                Some(mode) if usize::try_from(*mode).is_ok_and(|mode| mode < levels) => {
                    f64::from(*mode)
                }
                Some(mode) => {
                    let reason = format!("column {index} has no category {mode}");
                    return Err(Error::contradiction("cat_modes", reason));
                }
            };
            categories.push(Column { coefficients: begin..end, missing });
            begin = end;
        }
        Ok(Self { categories, numbers: means, first_level })
    }

    /// How many columns a row has.
    pub(super) fn features(&self) -> usize {
        self.categories.len() + self.numbers.len()
    }

    /// How many coefficients a sum has, with its intercept.
    pub(super) fn width(&self) -> usize {
        let levels = self.categories.last().map_or(0, |column| column.coefficients.end);
        levels + self.numbers.len() + 1
    }

    /// Puts together what counts of `row`; answers false where a category is missing and
    /// nothing stands in for it, or where it is the number of no category.
    pub(super) fn terms(&self, row: &[f64], terms: &mut Terms) -> bool {
        terms.levels.clear();
        terms.numbers.clear();
        let (categories, numbers) = row.split_at(self.categories.len());
        for (value, column) in categories.iter().zip(&self.categories) {
            let value = if value.is_nan() { column.missing } else { *value };
            if !(0.0..=f64::from(i32::MAX)).contains(&value) || value.fract() != 0.0 {
                return false;
            }
            let Some(place) = (value as usize).checked_sub(self.first_level) else { continue };
            let coefficient = column.coefficients.start + place;
            if column.coefficients.contains(&coefficient) {
                terms.levels.push(coefficient);
            }
        }
        let filled = numbers.iter().zip(&self.numbers);
        terms
            .numbers
            .extend(filled.map(|(value, mean)| if value.is_nan() { *mean } else { *value }));
        true
    }
}

impl Terms {
    /// The sum of these terms with a sum's own `coefficients`, in H2O's order.
    pub(super) fn sum(&self, coefficients: &[f64]) -> f64 {
        let Some((intercept, others)) = coefficients.split_last() else { return f64::NAN };
        let mut sum = 0.0;
        for level in &self.levels {
            sum += others[*level];
        }
        let numbers = &others[others.len() - self.numbers.len()..];
        for (coefficient, number) in numbers.iter().zip(&self.numbers) {
            sum += coefficient * number;
        }
        sum + intercept
    }
}

/// A list of so many items.
fn list<T: std::str::FromStr>(info: &Info<'_>, key: &str, count: usize) -> Result<Vec<T>, Error> {
    let items: Vec<T> = info.list(key)?.ok_or_else(|| Error::MissingKey { key: key.into() })?;
    if items.len() != count {
        let reason = format!("expected {count} items, got {}", items.len());
        return Err(Error::contradiction(key, reason));
    }
    Ok(items)
}
