//! K-means: which of some centres is nearest to a row.
//!
//! A category is at distance 1 from every other one. What is missing is left out and the sum
//! of the others scaled up, where nothing stands in for it.

use std::sync::Arc;

use super::engine::{Engine, EngineScorer, Source};
use crate::error::Error;
use crate::info::Info;
use crate::limits;

/// A model.
#[derive(Debug)]
struct KMeans {
    columns: Vec<Column>,
    /// Center after center, one value per column.
    centers: Vec<f64>,
}

/// How a column's values are prepared.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Column {
    Number,
    /// What is subtracted from a number, also where it is missing, and by what it is multiplied.
    Standardized(f64, f64),
    Category,
    /// Which category stands in for a missing one.
    Filled(f64),
}

/// A model and the memory for one row.
#[derive(Debug)]
struct Scorer {
    model: Arc<KMeans>,
    row: Vec<f64>,
}

/// Reads the centres and how rows are prepared.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    source.format(1.0, "kmeans 1.00")?;
    let Source { info, features, limits, .. } = *source;
    info.required("standardize")?;
    let is_categorical = |column: usize| features[column].domain().is_some();
    let columns = if info.flag("standardize")? {
        let means: Vec<f64> = list(info, "standardize_means", features.len())?;
        let multipliers: Vec<f64> = list(info, "standardize_mults", features.len())?;
        let modes: Vec<i32> = list(info, "standardize_modes", features.len())?;
        let column = |(index, mode): (usize, &i32)| match (*mode, is_categorical(index)) {
            (-1, false) => Ok(Column::Standardized(means[index], multipliers[index])),
            (0.., true) => Ok(Column::Filled(f64::from(*mode))),
            _ => Err(Error::contradiction(
                "standardize_modes",
                format!("{mode} does not fit column '{}'", features[index].name()),
            )),
        };
        modes.iter().enumerate().map(column).collect::<Result<_, _>>()?
    } else {
        let column = |index| if is_categorical(index) { Column::Category } else { Column::Number };
        (0..features.len()).map(column).collect()
    };
    let count: u64 = info.number("center_num")?;
    if count == 0 {
        return Err(Error::contradiction("center_num", "a model without centres predicts nothing"));
    }
    let numbers = count.saturating_mul(features.len() as u64);
    limits::check(|| "centres: numbers".into(), numbers, limits.weights, "weights")?;
    let mut centers = vec![];
    for center in 0..count {
        centers.extend(list::<f64>(info, &format!("center_{center}"), features.len())?);
    }
    Ok(Arc::new(KMeans { columns, centers }))
}

impl KMeans {
    /// Writes the nearest centre's number and the squared distances into `values`.
    fn score(&self, row: &mut [f64], values: &mut [f64]) {
        for (value, column) in row.iter_mut().zip(&self.columns) {
            match column {
                Column::Standardized(mean, multiplier) => {
                    *value = (if value.is_nan() { *mean } else { *value } - mean) * multiplier;
                }
                Column::Filled(mode) if value.is_nan() => *value = *mode,
                _ => {}
            }
        }
        let Some((nearest, distances)) = values.split_first_mut() else { return };
        let mut least = f64::MAX;
        *nearest = f64::NAN;
        let centers = self.centers.chunks_exact(self.columns.len());
        for (number, (center, distance)) in centers.zip(distances.iter_mut()).enumerate() {
            *distance = self.distance(center, row);
            if *distance < least {
                least = *distance;
                *nearest = number as f64;
            }
        }
        if nearest.is_nan() {
            // H2O answers cluster -1, which there is not.
            values.fill(f64::NAN);
        }
    }

    fn distance(&self, center: &[f64], row: &[f64]) -> f64 {
        let mut sum = 0.0;
        let mut known = row.len();
        for ((value, center), column) in row.iter().zip(center).zip(&self.columns) {
            match column {
                _ if value.is_nan() => known -= 1,
                Column::Category | Column::Filled(_) => {
                    sum += if value == center { 0.0 } else { 1.0 };
                }
                Column::Number | Column::Standardized(..) => {
                    let delta = value - center;
                    sum += delta * delta;
                }
            }
        }
        if 0 < known && known < row.len() {
            sum *= row.len() as f64 / known as f64;
        }
        sum
    }
}

impl Engine for KMeans {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        Box::new(Scorer { model: self, row: vec![] })
    }

    fn outputs(&self) -> Vec<String> {
        let centers = self.centers.len() / self.columns.len();
        let distances = (0..centers).map(|center| format!("distance_{center}"));
        std::iter::once("cluster".into()).chain(distances).collect()
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
        let rows = rows.chunks_exact(self.model.columns.len());
        for (row, values) in rows.zip(values.chunks_exact_mut(width)) {
            self.row.clear();
            self.row.extend_from_slice(row);
            self.model.score(&mut self.row, values);
        }
    }
}

/// A list of so many items.
fn list<T: std::str::FromStr>(info: &Info<'_>, key: &str, count: usize) -> Result<Vec<T>, Error> {
    let items: Vec<T> = info.list(key)?.ok_or_else(|| Error::MissingKey { key: key.into() })?;
    if items.len() != count {
        let reason = format!("expected {count} items, one per column, got {}", items.len());
        return Err(Error::contradiction(key, reason));
    }
    Ok(items)
}
