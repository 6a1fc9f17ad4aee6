//! From a row to the inputs of the first layer: categories one-hot, numbers standardised.

use crate::columns::Feature;
use crate::error::Error;
use crate::info::Info;

/// How rows are encoded.
#[derive(Debug)]
pub(super) struct Input {
    /// Where the inputs of each categorical column begin; and where those of the last end.
    offsets: Vec<usize>,
    /// How many numbers follow the categorical columns.
    numeric: usize,
    /// Whether the first category of a column has an input of its own.
    all_levels: bool,
    /// What is subtracted from each number, and by what it is then multiplied.
    scale: Option<Vec<(f64, f64)>>,
}

impl Input {
    /// Reads the encoding. Categorical columns come first, then numbers.
    pub(super) fn read(info: &Info<'_>, features: &[Feature]) -> Result<Self, Error> {
        let categorical: usize = info.number("cats")?;
        let numeric: usize = info.number("nums")?;
        if categorical.checked_add(numeric) != Some(features.len()) {
            return Err(Error::contradiction(
                "nums",
                format!(
                    "{numeric} and {categorical} cats do not add up to {} features",
                    features.len()
                ),
            ));
        }
        let mut offsets: Vec<usize> = info.list("cat_offsets")?.unwrap_or_default();
        if categorical == 0 && offsets.is_empty() {
            offsets.push(0);
        }
        if offsets.len() != categorical + 1 || offsets[0] != 0 || !offsets.is_sorted() {
            return Err(Error::contradiction(
                "cat_offsets",
                format!("expected 0 and {categorical} ascending numbers"),
            ));
        }
        let multipliers: Vec<f64> = info.list("norm_mul")?.unwrap_or_default();
        let means: Vec<f64> = info.list("norm_sub")?.unwrap_or_default();
        let scale = if multipliers.is_empty() {
            None
        } else if multipliers.len() < numeric || means.len() < numeric {
            return Err(Error::contradiction(
                "norm_mul",
                format!("expected {numeric} items, and as many of norm_sub"),
            ));
        } else {
            Some(means.into_iter().zip(multipliers).take(numeric).collect())
        };
        let all_levels = info.flag("use_all_factor_levels")?;
        Ok(Self { offsets, numeric, all_levels, scale })
    }

    /// How many inputs a column has, where it is categorical.
    pub(super) fn category_width(&self, column: usize) -> Option<usize> {
        Some(self.offsets.get(column + 1)? - self.offsets.get(column)?)
    }

    /// What is subtracted from each number, and by what it is then multiplied.
    pub(super) fn scale(&self) -> Option<&[(f64, f64)]> {
        self.scale.as_deref()
    }

    /// How many columns a row has.
    pub(super) fn features(&self) -> usize {
        self.offsets.len() - 1 + self.numeric
    }

    /// How many inputs the first layer has; `None` where that is beyond counting.
    pub(super) fn width(&self) -> Option<usize> {
        self.offsets.last()?.checked_add(self.numeric)
    }

    /// Hands the inputs of `row` that are not zero to `push`, by position.
    pub(super) fn encode(&self, row: &[f64], mut push: impl FnMut(usize, f64)) {
        let categorical = self.offsets.len() - 1;
        let (categories, numbers) = row.split_at(categorical);
        let mut last = None;
        for (value, range) in categories.iter().zip(self.offsets.windows(2)) {
            let input = self.category(*value, range[0], range[1]);
            // Where a column has no input of its own, the scheme ends up at its neighbour's;
            // an input is on or off, and not on twice.
            if input.is_some() && input != last {
                last = input;
                input.into_iter().for_each(|input| push(input, 1.0));
            }
        }
        let begin = self.offsets[categorical];
        for (index, value) in numbers.iter().enumerate() {
            let value = match &self.scale {
                Some(scale) => (value - scale[index].0) * scale[index].1,
                None => *value,
            };
            // A missing number is the mean, which is zero once standardised. H2O takes zero
            // for the others, too.
            if value != 0.0 && !value.is_nan() {
                push(begin + index, value);
            }
        }
    }

    /// The input that stands for a category in a column with the inputs `begin..end`.
    fn category(&self, value: f64, begin: usize, end: usize) -> Option<usize> {
        let last = end.checked_sub(1);
        // The last input of a column stands for missing values and for categories that
        // training has not seen. A negative number is no category.
        if value.is_nan() || value < 0.0 {
            return last;
        }
        let level = value as i32 as usize;
        let input = match (self.all_levels, level) {
            (true, _) => begin.saturating_add(level),
            (false, 0) => return None,
            (false, _) => begin.saturating_add(level - 1),
        };
        if input < end { Some(input) } else { last }
    }
}
