//! Any bytes are a model or an error, and any model scores any row.

#[path = "../../h2o-mojo/tests/support/zip.rs"]
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[allow(missing_docs, reason = "it is not documented as a library is")]
mod zip;

use h2o_mojo::{Limits, Model, Predictions, Schema};

/// What the shared module wants of its parent.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Small, so that an input that takes long or much is a finding.
const LIMITS: Limits = Limits {
    entries: 1000,
    inflated_bytes: 4 << 20,
    columns: 1000,
    categories: 10_000,
    nodes: 100_000,
    weights: 1_000_000,
};

/// Reads a MOJO and, if it is one, scores some rows with it.
///
/// # Panics
/// Where a prediction is missing, or of no class.
pub fn bytes(bytes: &[u8]) {
    let _ = Schema::read(bytes);
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

/// The same of a MOJO whose archive is sound, with any bytes as its entries, so that
/// checksums do not keep the fuzzer from trees and from `model.ini`. The input is the
/// entries: name, a zero byte, length as four bytes (little-endian), bytes.
///
/// # Panics
/// As [`bytes`].
pub fn entries(input: &[u8]) {
    let mut entries = zip::Entries::new();
    let mut rest = input;
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let (name, after) = rest.split_at(end);
        let Some((length, after)) = after[1..].split_first_chunk::<4>() else { break };
        let length = (u32::from_le_bytes(*length) as usize).min(after.len());
        let (entry, after) = after.split_at(length);
        entries.insert(String::from_utf8_lossy(name).into_owned(), entry.to_vec());
        rest = after;
    }
    bytes(&zip::pack(&entries));
}
