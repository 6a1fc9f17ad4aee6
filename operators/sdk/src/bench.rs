//! The native side of `sandbar bench --native`: an operator that takes the same work as
//! the component through the same functions, in a process of its own.
//!
//! The first argument names a file with the work, JSON that `sandbar` wrote. For each line
//! on standard input, the number of passes, the program answers with a line: nanoseconds
//! of CPU time, outputs, failures. No part of the interface: it changes with `sandbar`.

use std::collections::HashMap;
use std::hint::black_box;
use std::io::Write;

use serde::Deserialize;

use crate::bindings::types;
use crate::error::Error;
use crate::extract::{Extraction, Extractor};
use crate::field::{ElementType, Field};
use crate::score::{Scorer, Scoring};
use crate::setup::{Artifact, Setup};
use crate::transform::{Transformation, Transformer};

/// What `sandbar` writes into the file.
#[derive(Deserialize)]
struct Work {
    config: String,
    models: Vec<Model>,
    topics: Vec<String>,
    fields: Vec<WorkField>,
    #[serde(default)]
    batches: Vec<Batch>,
    #[serde(default)]
    tables: Vec<Table>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    description: String,
    /// `None` where the host runs it, which has no counterpart here.
    bytes: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct WorkField {
    name: String,
    /// `number`, `text`, or the element type of a tensor.
    ty: String,
    dimensions: Vec<u32>,
}

#[derive(Deserialize)]
struct Batch {
    topic: String,
    partition: i32,
    offsets: Vec<i64>,
    timestamps: Vec<i64>,
    bytes: Vec<u8>,
    ends: Vec<u32>,
    nulls: Vec<u8>,
}

#[derive(Deserialize)]
struct Table {
    rows: u32,
    columns: Vec<Column>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Column {
    /// The numbers' bits: JSON has no NaN.
    Numbers(Vec<u64>),
    Text {
        bytes: Vec<u8>,
        ends: Vec<u32>,
    },
    Tensor(Vec<u8>),
}

/// The result of one call.
struct Counts {
    outputs: usize,
    failures: usize,
}

/// Runs an extractor.
pub fn extractor<E: Extractor>() -> i32 {
    run(|work| {
        let (config, setup) = setup(&work)?;
        let mut extraction = Extraction::<E>::new(config, &setup)?;
        let batches = batches(work.batches);
        Ok(move || {
            calls(&batches, |batch| {
                let out = black_box(extraction.extract(batch));
                Counts { outputs: out.table.rows as usize, failures: out.failures.len() }
            })
        })
    })
}

/// Runs a transformer.
pub fn transformer<T: Transformer>() -> i32 {
    run(|work| {
        let (config, setup) = setup(&work)?;
        let mut transformation = Transformation::<T>::new(config, &setup)?;
        let batches = batches(work.batches);
        Ok(move || {
            calls(&batches, |batch| {
                let out = black_box(transformation.transform(batch));
                Counts { outputs: out.records.origins.len(), failures: out.failures.len() }
            })
        })
    })
}

/// Runs a scorer.
pub fn scorer<S: Scorer>() -> i32 {
    run(|work| {
        let (config, setup) = setup(&work)?;
        let fields = work.fields.into_iter().map(field).collect::<Result<_, _>>()?;
        let mut scoring = Scoring::<S>::new(config, &setup, fields)?;
        let tables: Vec<types::Table> = work.tables.into_iter().map(table).collect();
        Ok(move || {
            calls(&tables, |table| {
                let failures = black_box(scoring.score(table)).failures.len();
                Counts { outputs: table.rows as usize - failures, failures }
            })
        })
    })
}

/// Sets an operator up and answers until nobody asks. The status of the process.
fn run<P: FnMut() -> Counts>(set_up: impl FnOnce(Work) -> Result<P, Error>) -> i32 {
    match read().and_then(set_up).and_then(answer) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{}", error.message());
            1
        }
    }
}

fn read() -> Result<Work, Error> {
    let path = std::env::args_os().nth(1).ok_or("this program is for `sandbar bench`")?;
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

fn answer(mut pass: impl FnMut() -> Counts) -> Result<(), Error> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lines() {
        let passes: u64 = line?.trim().parse()?;
        let mut counts = Counts { outputs: 0, failures: 0 };
        let start = cpu_nanoseconds();
        for _ in 0..passes {
            counts = pass();
        }
        let time = cpu_nanoseconds() - start;
        writeln!(output, "{time} {} {}", counts.outputs, counts.failures)?;
        output.flush()?;
    }
    Ok(())
}

fn calls<I>(inputs: &[I], mut call: impl FnMut(&I) -> Counts) -> Counts {
    let mut sum = Counts { outputs: 0, failures: 0 };
    for input in inputs {
        let Counts { outputs, failures } = call(input);
        sum = Counts { outputs: sum.outputs + outputs, failures: sum.failures + failures };
    }
    sum
}

fn setup<C: serde::de::DeserializeOwned>(work: &Work) -> Result<(C, Setup), Error> {
    let models = || work.models.iter();
    let (config, setup) = Setup::read(types::Setup {
        config: work.config.clone(),
        models: models().map(|model| model.name.clone()).collect(),
        topics: work.topics.clone(),
    })?;
    let artifacts: HashMap<String, Artifact> = models()
        .map(|Model { name, description, bytes }| {
            let description = Some(description.clone());
            let artifact = Artifact { description, bytes: bytes.clone(), ..Artifact::default() };
            (name.clone(), artifact)
        })
        .collect();
    Ok((config, setup.with_artifacts(artifacts)))
}

fn batches(batches: Vec<Batch>) -> Vec<types::Batch> {
    let batch = |batch: Batch| {
        let Batch { topic, partition, offsets, timestamps, bytes, ends, nulls } = batch;
        types::Batch { topic, partition, offsets, timestamps, bytes, ends, nulls }
    };
    batches.into_iter().map(batch).collect()
}

fn table(Table { rows, columns }: Table) -> types::Table {
    let column = |column| match column {
        Column::Numbers(bits) => {
            types::Column::Numbers(bits.into_iter().map(f64::from_bits).collect())
        }
        Column::Text { bytes, ends } => types::Column::Text(types::Text { bytes, ends }),
        Column::Tensor(data) => types::Column::Tensor(data),
    };
    types::Table { rows, columns: columns.into_iter().map(column).collect() }
}

fn field(WorkField { name, ty, dimensions }: WorkField) -> Result<Field, Error> {
    use ElementType::{Bf16, Fp16, Fp32, Fp64, I32, I64, U8};
    Ok(match ty.as_str() {
        "number" => Field::number(name),
        "text" => Field::text(name),
        ty => {
            let mut types = [Fp16, Fp32, Fp64, Bf16, U8, I32, I64].into_iter();
            let found = types.find(|element| element.name() == ty);
            let element = found.ok_or_else(|| format!("unknown element type '{ty}'"))?;
            Field::tensor(name, element, dimensions)
        }
    })
}

/// CPU time of this process, in nanoseconds.
fn cpu_nanoseconds() -> i64 {
    #[repr(C)]
    struct Timespec {
        seconds: i64,
        nanoseconds: i64,
    }
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
    }
    // CLOCK_PROCESS_CPUTIME_ID.
    let clock = if cfg!(target_vendor = "apple") { 12 } else { 2 };
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: `time` is a `timespec` of 64-bit Unix, and nothing keeps its address.
    unsafe { clock_gettime(clock, &raw mut time) };
    time.seconds * 1_000_000_000 + time.nanoseconds
}
