//! Rows per second of a model, in batches as the runner hands them over.
//!
//! `cargo bench -p xgboost-model -- MODEL ROWS [BATCH]`: a model as `save_model` writes it, and
//! rows as doubles, little-endian, one after the other. `testdata/speed.py` makes both and says
//! what XGBoost's own predictor takes. Without a model, nothing is measured.

use std::time::{Duration, Instant};

use xgboost_model::{Model, Predictions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let [model, rows, batch @ ..] = &arguments[..] else { return Ok(()) };
    let batch: usize = batch.first().map_or(Ok(256), |it| it.parse())?;
    let bytes = std::fs::read(model)?;
    let begin = Instant::now();
    let model = Model::read(&bytes)?;
    let read = begin.elapsed();
    let rows = std::fs::read(rows)?;
    let (rows, _) = rows.as_chunks::<8>();
    let rows: Vec<f64> = rows.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();

    let features = model.features().len();
    let mut scorer = model.scorer();
    let mut predictions = Predictions::default();
    // By batch the shortest of many runs, which other work on the machine has disturbed least.
    let mut shortest = vec![Duration::MAX; rows.len().div_ceil(batch * features)];
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(5) {
        for (rows, shortest) in rows.chunks(batch * features).zip(&mut shortest) {
            let start = Instant::now();
            scorer.score(rows, &mut predictions)?;
            *shortest = start.elapsed().min(*shortest);
        }
    }
    let count = rows.len() / features;
    let seconds = shortest.iter().sum::<Duration>().as_secs_f64();
    println!(
        "{} trees: read in {read:?}; {:.3} us a row, {:.0} rows/s",
        model.trees(),
        seconds * 1e6 / count as f64,
        count as f64 / seconds,
    );
    Ok(())
}
