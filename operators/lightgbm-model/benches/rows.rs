//! Rows per second, in batches as the runner hands them over, for models that
//! `benches/compare.py FOLDER` has written, which says how fast LightGBM is itself:
//!
//! ```text
//! cargo bench -p lightgbm-model -- FOLDER
//! ```

use std::path::Path;
use std::time::{Duration, Instant};

use lightgbm_model::{Model, Predictions};

const BATCH: usize = 256;
const SECONDS: Duration = Duration::from_secs(2);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let Some(folder) = folder else {
        println!("skipped: no folder of models is named");
        return Ok(());
    };
    let folder = Path::new(&folder);
    let rows = std::fs::read(folder.join("rows.f64"))?;
    let (rows, _) = rows.as_chunks::<8>();
    let rows: Vec<f64> = rows.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let mut models: Vec<_> = std::fs::read_dir(folder)?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|e| e.path())
        .collect();
    models.sort();
    for path in models.iter().filter(|path| path.extension().is_some_and(|it| it == "txt")) {
        let bytes = std::fs::read(path)?;
        let begin = Instant::now();
        let model = Model::read(&bytes)?;
        let read = begin.elapsed();
        let features = model.features().len();
        let mut scorer = model.scorer();
        let mut predictions = Predictions::default();
        let (mut sum, mut passes) = (0.0, 0);
        let begin = processor_time()?;
        let mut time = Duration::ZERO;
        while time < SECONDS {
            sum = 0.0;
            for rows in rows.chunks(BATCH * features) {
                scorer.score(rows, &mut predictions)?;
                sum += predictions.values().iter().sum::<f64>();
            }
            passes += 1;
            time = processor_time()? - begin;
        }
        let time = time / passes;
        let count = (rows.len() / features) as f64;
        println!(
            "{}: read in {read:?}; {:.0} rows/s, {:.3} us each; sum {sum}",
            path.file_stem().unwrap_or_default().display(),
            count / time.as_secs_f64(),
            time.as_secs_f64() * 1e6 / count,
        );
    }
    Ok(())
}

/// What this thread has had of a processor, by Linux, so that other work on the machine does
/// not count.
fn processor_time() -> Result<Duration, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().ok_or("no time")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}
