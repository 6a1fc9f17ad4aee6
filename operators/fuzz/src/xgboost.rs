//! Any bytes are an XGBoost model or an error, and any model scores any row.

use xgboost_model::{Limits, Model, Predictions, Rounds};

/// Small, so that an input that takes long or much is a finding.
const LIMITS: Limits = Limits {
    bytes: 1 << 20,
    features: 1000,
    categories: 10_000,
    category_bytes: 100_000,
    trees: 1000,
    nodes: 100_000,
    set_bytes: 1 << 20,
    outputs: 100,
};

/// Reads a model, JSON or UBJSON, and, if it is one, scores some rows with it.
///
/// # Panics
/// Where a prediction is missing, or of no class.
pub fn model(bytes: &[u8]) {
    for rounds in [Rounds::Best, Rounds::All] {
        let Ok(model) = Model::read_rounds(bytes, &LIMITS, rounds) else { continue };
        let kinds = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1.0, 31.5, 1e9, -1e300];
        let features = model.features().len();
        let rows: Vec<f64> = (0..features * 20)
            .map(|index| kinds[(index * 7 + index / features) % kinds.len()])
            .collect();
        let mut predictions = Predictions::default();
        model.scorer().score(&rows, &mut predictions).expect("whole rows");
        assert_eq!(predictions.len(), 20);
        assert!(predictions.labels().iter().all(|label| (*label as usize) < predictions.width()));
        for feature in model.features() {
            for text in ["", "1", "-0", "nan", "1e400", "x", "\u{e9}"] {
                let _ = feature.value(text.as_bytes());
            }
        }
    }
}
