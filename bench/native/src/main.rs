//! The operators' code as a native program, which `sandbar-bench` starts and asks.
//!
//! ```text
//! sandbar-bench-native flights RECORDS MODEL EXTRACTOR-CONFIG SCORER-CONFIG
//! sandbar-bench-native echo RECORDS plain|full
//! sandbar-bench-native image FILE EXTRACTOR-CONFIG
//! ```
//!
//! For each line on standard input it takes the records once through the
//! operators, in batches, by the same functions of the SDK that the components
//! export, and answers with a line: nanoseconds of CPU time that extracting and
//! scoring took, and a sum over the results by which the asker knows that both
//! did the same work.

#[path = "../../src/workload.rs"]
mod workload;

use std::hint::black_box;
use std::io::Write;

use anyhow::{Context, Result, anyhow, bail};
use echo_extractor::Echo;
use flight_features::FlightFeatures;
use image_features::ImageFeatures;
use nix::time::{ClockId, clock_gettime};
use sandbar_operator::Error;
use sandbar_operator::testing::{Records, Stage, TestRecord};
use tabular_score::TabularScore;

use workload::{BATCH, HEADERS, flights};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["flights", records, model, features, score] => {
            score_flights(records.parse()?, model, features, score)
        }
        ["echo", records, headers @ ("plain" | "full")] => {
            echo(records.parse()?, *headers == "full")
        }
        ["image", file, features] => image(file, features),
        _ => bail!("this program is for sandbar-bench: run `cargo xtask bench`"),
    }
}

/// Extracts and scores; the sum is that of the labels.
fn score_flights(records: usize, model: &str, features: &str, score: &str) -> Result<()> {
    let batches = batches(records, true, false);
    let bytes = std::fs::read(model).with_context(|| format!("cannot read {model}"))?;
    let refused = |error: Error| anyhow!("an operator refuses: {}", error.message());
    let mut extractor =
        Stage::new().config(features).extractor::<FlightFeatures>().map_err(refused)?;
    let stage = Stage::new().config(score).model("flights", bytes);
    let mut scorer = stage.scorer::<TabularScore>(extractor.features()).map_err(refused)?;
    answer(|| {
        let (mut extract, mut score, mut sum) = (0, 0, 0);
        let mut last = cpu_nanoseconds()?;
        for batch in &batches {
            let extracted = extractor.extract(batch);
            let middle = cpu_nanoseconds()?;
            let (labels, values) = scorer.score_columns(&extracted.features);
            sum += labels.iter().map(|label| u64::from(*label)).sum::<u64>();
            black_box(values);
            let end = cpu_nanoseconds()?;
            extract += middle - last;
            score += end - middle;
            last = end;
        }
        Ok((extract, score, sum))
    })
}

/// Extracts; the sum is that of the rows.
fn echo(records: usize, full: bool) -> Result<()> {
    let batches = batches(records, full, full);
    let mut extractor = Stage::new().extractor::<Echo>().map_err(|error| anyhow!("{error:?}"))?;
    answer(|| {
        let mut rows = 0;
        let start = cpu_nanoseconds()?;
        for batch in &batches {
            rows += black_box(extractor.extract(batch)).features.len() as u64;
        }
        Ok((cpu_nanoseconds()? - start, 0, rows))
    })
}

/// Makes the tensor of one picture; the sum is 1.
fn image(file: &str, features: &str) -> Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {file}"))?;
    let refused = |error: Error| anyhow!("the operator refuses: {}", error.message());
    let mut extractor =
        Stage::new().config(features).extractor::<ImageFeatures>().map_err(refused)?;
    let batch = Records::of_values([bytes]);
    answer(|| {
        let start = cpu_nanoseconds()?;
        let rows = black_box(extractor.extract(&batch)).features.len() as u64;
        Ok((cpu_nanoseconds()? - start, 0, rows))
    })
}

fn batches(records: usize, keys: bool, headers: bool) -> Vec<Records> {
    let headers: Vec<(String, Option<Vec<u8>>)> = HEADERS
        .iter()
        .filter(|_| headers)
        .map(|(name, value)| ((*name).to_owned(), Some(value.to_vec())))
        .collect();
    let records: Vec<TestRecord> = flights(records)
        .map(|flight| TestRecord {
            key: keys.then(|| flight.key.into_bytes()),
            value: Some(flight.line.into_bytes()),
            headers: headers.clone(),
            timestamp: Some(0),
        })
        .collect();
    let batch = |chunk: &[TestRecord]| {
        chunk.iter().cloned().fold(Records::new("flights", 0), Records::record)
    };
    records.chunks(BATCH).map(batch).collect()
}

/// Runs `pass` for each line of input.
fn answer(mut pass: impl FnMut() -> Result<(i64, i64, u64)>) -> Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lines() {
        line?;
        let (extract, score, sum) = pass()?;
        writeln!(output, "{extract} {score} {sum}")?;
        output.flush()?;
    }
    Ok(())
}

/// CPU time of this thread, the only one.
fn cpu_nanoseconds() -> Result<i64> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}
