//! Principal components: projections of a row.

use std::sync::Arc;

use super::engine::{Engine, EngineScorer, Source};
use crate::error::Error;
use crate::info::Info;
use crate::limits;

/// A model.
#[derive(Debug)]
struct Pca {
    /// Which columns of a row are categories, and where the eigenvectors have their levels.
    categories: Vec<Category>,
    numbers: Vec<Number>,
    /// Component after component within each place of the eigenvectors.
    eigenvectors: Vec<f64>,
    components: usize,
    /// The level of a column that its first place belongs to.
    first_level: i32,
    features: usize,
}

#[derive(Debug)]
struct Category {
    column: usize,
    begin: usize,
    levels: usize,
}

#[derive(Debug)]
struct Number {
    column: usize,
    mean: f64,
    multiplier: f64,
}

/// A model; no memory is needed.
#[derive(Debug)]
struct Scorer(Arc<Pca>);

/// Reads the eigenvectors and how rows are prepared.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    const EIGENVECTORS: &str = "eigenvectors_raw";
    source.format(1.0, "pca 1.00")?;
    let Source { info, features, limits, .. } = *source;
    let (cats, nums): (usize, usize) = (info.number("ncats")?, info.number("nnums")?);
    if cats.checked_add(nums) != Some(features.len()) {
        let reason = format!("{cats} and {nums} nnums are not {} features", features.len());
        return Err(Error::contradiction("ncats", reason));
    }
    let permutation: Vec<usize> = list(info, "permutation", features.len())?;
    let mut sorted = permutation.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..features.len()) {
        return Err(Error::contradiction("permutation", "expected each column once"));
    }
    let offsets: Vec<usize> = list(info, "catOffsets", cats + 1)?;
    info.required("use_all_factor_levels")?;
    let first_level = i32::from(!info.flag("use_all_factor_levels")?);
    let mut categories = vec![];
    for (column, range) in permutation.iter().zip(offsets.windows(2)) {
        let levels = features[*column].domain().map(|domain| domain.levels().len());
        let expected = levels.map(|levels| levels.saturating_sub(first_level as usize));
        let found = range[1].checked_sub(range[0]);
        if found.is_none() || found != expected {
            let reason = format!("it does not fit column '{}'", features[*column].name());
            return Err(Error::contradiction("catOffsets", reason));
        }
        let levels = found.unwrap_or_default();
        categories.push(Category { column: *column, begin: range[0], levels });
    }
    let means: Vec<f64> = numbers(info, "normSub", nums)?;
    let multipliers: Vec<f64> = numbers(info, "normMul", nums)?;
    let number = |((column, mean), multiplier): ((&usize, f64), f64)| {
        if features[*column].domain().is_some() {
            let reason = format!("column '{}' has categories", features[*column].name());
            return Err(Error::contradiction("nnums", reason));
        }
        Ok(Number { column: *column, mean, multiplier })
    };
    let columns = permutation[cats..].iter().zip(means).zip(multipliers);
    let numbers: Vec<Number> = columns.map(number).collect::<Result<_, _>>()?;
    let components: usize = info.number("k")?;
    let size: usize = info.number("eigenvector_size")?;
    let expected = offsets.last().and_then(|last| last.checked_add(nums));
    if offsets.first() != Some(&0) || expected != Some(size) || components == 0 {
        let reason = "it does not fit k, catOffsets and nnums";
        return Err(Error::contradiction("eigenvector_size", reason));
    }
    let total = (size as u64).saturating_mul(components as u64);
    limits::check(|| "eigenvectors: numbers".into(), total, limits.weights, "weights")?;
    let bytes = source.archive.get(EIGENVECTORS)?;
    let (doubles, rest) = bytes.as_chunks::<8>();
    if doubles.len() as u64 != total || !rest.is_empty() {
        return Err(Error::Entry {
            entry: EIGENVECTORS.into(),
            reason: format!("expected {total} doubles, got {} bytes", bytes.len()),
        });
    }
    let eigenvectors = doubles.iter().map(|bytes| f64::from_be_bytes(*bytes)).collect();
    let features = features.len();
    Ok(Arc::new(Pca { categories, numbers, eigenvectors, components, first_level, features }))
}

impl Pca {
    /// Projects a row onto the components.
    fn score(&self, row: &[f64], values: &mut [f64]) {
        let begin = self.eigenvectors.len() / self.components - self.numbers.len();
        for (component, value) in values.iter_mut().enumerate() {
            let vector = |place: usize| self.eigenvectors[place * self.components + component];
            *value = 0.0;
            for category in &self.categories {
                let level = row[category.column];
                if level.is_nan() {
                    continue;
                }
                let level = i64::from(level as i32) - i64::from(self.first_level);
                if let Some(level) =
                    usize::try_from(level).ok().filter(|level| *level < category.levels)
                {
                    *value += vector(category.begin + level);
                }
            }
            for (place, number) in self.numbers.iter().enumerate() {
                let scaled = (row[number.column] - number.mean) * number.multiplier;
                *value += scaled * vector(begin + place);
            }
        }
        if values.iter().any(|value| value.is_nan()) {
            values.fill(f64::NAN);
        }
    }
}

impl Engine for Pca {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        Box::new(Scorer(self))
    }

    fn outputs(&self) -> Vec<String> {
        (1..=self.components).map(|component| format!("PC{component}")).collect()
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
        let rows = rows.chunks_exact(self.0.features).zip(values.chunks_exact_mut(width));
        rows.for_each(|(row, values)| self.0.score(row, values));
    }
}

/// As many numbers as there are numeric columns; none where there are none.
fn numbers(info: &Info<'_>, key: &str, count: usize) -> Result<Vec<f64>, Error> {
    if count == 0 { Ok(vec![]) } else { list(info, key, count) }
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
