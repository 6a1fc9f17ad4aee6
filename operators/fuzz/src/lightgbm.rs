//! Any bytes are a text model or an error, and any model scores any row.

use lightgbm_model::{Limits, Model, Predictions};

/// Small, so that an input that takes long or much is a finding.
const LIMITS: Limits = Limits { bytes: 1 << 20, columns: 1000, categories: 10_000, nodes: 100_000 };
/// How many rows are scored.
const ROWS: usize = 20;

/// Reads a text model and, if it is one, scores some rows with it.
///
/// # Panics
/// Where a prediction is missing or of no class, or rows score otherwise one by one.
pub fn text(bytes: &[u8]) {
    let Ok(model) = Model::read_within(bytes, &LIMITS) else { return };
    let kinds =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1.0, 31.5, 1e9, -1e300, 1e-36];
    let features = model.features().len();
    let rows: Vec<f64> = (0..features * ROWS)
        .map(|index| kinds[(index * 7 + index / features) % kinds.len()])
        .collect();
    let mut scorer = model.scorer();
    let mut predictions = Predictions::default();
    scorer.score(&rows, &mut predictions).expect("whole rows");
    assert_eq!(predictions.len(), ROWS);
    assert!(predictions.labels().iter().all(|label| (*label as usize) < predictions.width()));
    let mut one = Predictions::default();
    let together = predictions.values().chunks_exact(predictions.width());
    for (row, together) in rows.chunks_exact(features).zip(together) {
        scorer.score(row, &mut one).expect("a whole row");
        let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
        assert!(one.values().iter().zip(together).all(same), "{together:?}");
    }
    for feature in model.features() {
        if let Some(domain) = feature.domain() {
            for (index, level) in domain.levels().iter().enumerate() {
                assert_eq!(domain.index(level.as_bytes()), Some(index as u32), "{level:?}");
            }
        }
    }
}
