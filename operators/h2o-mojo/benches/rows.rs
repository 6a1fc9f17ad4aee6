//! Rows per second of the two flight models, in batches as the runner hands them over.
//!
//! `cargo bench -p h2o-mojo`; the models are built in, so that the same program runs in
//! WebAssembly: `cargo bench -p h2o-mojo --target wasm32-wasip2 --no-run`, then any runtime.

use std::time::{Duration, Instant};

use h2o_mojo::{Model, Predictions};

const MODELS: [(&str, &[u8]); 2] = [
    ("flights-gbm", include_bytes!("../../../models/flights-gbm/model.zip")),
    ("flights-dl", include_bytes!("../../../models/flights-dl/model.zip")),
];
const BATCH: usize = 256;
const FLIGHTS: usize = 10_240;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let columns = flight_records::COLUMNS;
    let lines: Vec<String> = flight_records::Flights::new(1).take(FLIGHTS).collect();
    for (name, bytes) in MODELS {
        let begin = Instant::now();
        let model = Model::read(bytes)?;
        let read = begin.elapsed();

        // The columns that the model wants, as text and then as values.
        let wanted: Vec<usize> = model
            .features()
            .iter()
            .filter_map(|feature| columns.iter().position(|column| *column == feature.name()))
            .collect();
        let texts: Vec<&str> = lines
            .iter()
            .flat_map(|line| {
                let fields: Vec<&str> = line.split(',').collect();
                wanted.iter().map(move |column| fields[*column]).collect::<Vec<_>>()
            })
            .collect();
        let mut rows: Vec<f64> = vec![];
        let encode = fastest(|| {
            rows.clear();
            rows.extend(texts.chunks_exact(wanted.len()).flat_map(|texts| {
                let features = model.features().iter().zip(texts);
                features.map(|(feature, text)| feature.value(text.as_bytes()).unwrap_or(f64::NAN))
            }));
        });

        let mut scorer = model.scorer();
        let mut predictions = Predictions::default();
        let mut late = 0;
        let score = fastest(|| {
            late = 0;
            for rows in rows.chunks(BATCH * model.features().len()) {
                if scorer.score(rows, None, &mut predictions).is_ok() {
                    late += predictions.labels().iter().sum::<u32>();
                }
            }
        });
        println!(
            "{name}: read in {read:?}; values from text {:.0} rows/s; scored {:.0} rows/s ({:.3} us each); {late} late",
            FLIGHTS as f64 / encode.as_secs_f64(),
            FLIGHTS as f64 / score.as_secs_f64(),
            score.as_secs_f64() * 1e6 / FLIGHTS as f64,
        );
    }
    Ok(())
}

/// The shortest of many runs, which other work on the machine has disturbed least.
fn fastest(mut run: impl FnMut()) -> Duration {
    let mut shortest = Duration::MAX;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) {
        let start = Instant::now();
        run();
        shortest = shortest.min(start.elapsed());
    }
    shortest
}
