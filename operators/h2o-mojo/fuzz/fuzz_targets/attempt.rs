//! What both targets do with bytes that may be a model.

use h2o_mojo::{Limits, Model, Predictions};

/// Small, so that an input that takes long or much is a finding.
const LIMITS: Limits = Limits {
    entries: 1000,
    inflated_bytes: 4 << 20,
    columns: 1000,
    categories: 10_000,
    nodes: 100_000,
    weights: 1_000_000,
};

/// Reads `bytes` and, if they are a model, scores some rows with it.
pub fn attempt(bytes: &[u8]) {
    let Ok(model) = Model::read_within(bytes, &LIMITS) else { return };
    let kinds = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1.0, 31.5, 1e9, -1e300];
    let features = model.features().len();
    let rows: Vec<f64> = (0..features * 20)
        .map(|index| kinds[(index * 7 + index / features) % kinds.len()])
        .collect();
    let mut predictions = Predictions::default();
    model.scorer().score(&rows, None, &mut predictions).expect("whole rows");
    assert_eq!(predictions.len(), 20);
    assert!(predictions.labels().iter().all(|label| (*label as usize) < predictions.width()));
}
