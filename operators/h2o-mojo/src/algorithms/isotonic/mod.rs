//! Isotonic regression: a rising line of points over one column.

use std::sync::Arc;

use super::engine::{Engine, EngineScorer, Source};
use crate::calibration::Isotonic;
use crate::error::Error;

/// A model.
#[derive(Debug)]
struct IsotonicRegression {
    line: Isotonic,
    features: usize,
}

/// A model; no memory is needed.
#[derive(Debug)]
struct Scorer(Arc<IsotonicRegression>);

/// Reads the line.
pub(super) fn read(source: &mut Source<'_, '_>) -> Result<Arc<dyn Engine>, Error> {
    source.format(1.0, "isotonicregression 1.00")?;
    let [column] = source.features else {
        return Err(Error::Contradiction {
            key: "n_features".into(),
            reason: format!("expected one column, got {}", source.features.len()),
        });
    };
    if column.domain().is_some() {
        let reason = format!("column '{}' has categories", column.name());
        return Err(Error::Contradiction { key: "n_domains".into(), reason });
    }
    let line = Isotonic::read(source.archive, source.info)?;
    Ok(Arc::new(IsotonicRegression { line, features: 1 }))
}

impl Engine for IsotonicRegression {
    fn scorer(self: Arc<Self>) -> Box<dyn EngineScorer> {
        Box::new(Scorer(self))
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
        for (row, values) in rows {
            values.fill(self.0.line.at(row[0]));
        }
    }
}
