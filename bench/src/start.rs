//! From a component's file to its first record, freshly compiled and from the cache,
//! each in its own process: within one, the second start would find memory and
//! code warm.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use sandbar::manifest::Manifest;
use sandbar::sandbox::{Extractor, Sandbox};

use crate::Bench;
use crate::clock::Samples;
use crate::report::{Budget, Row};
use crate::stages;

/// DESIGN.md §6: "compiled component from cache to first record".
const BUDGET: Budget = Budget::at_most(5.0, 1.0, " ms");

/// Processes that are started.
const STARTS: usize = 15;

/// One start, in a process of its own.
#[derive(Args)]
pub struct FirstRecord {
    manifest: PathBuf,
    /// The folder of compiled components.
    cache: PathBuf,
}

impl FirstRecord {
    /// Prints the microseconds of each step.
    ///
    /// # Errors
    /// If the component cannot be used.
    pub fn run(&self) -> Result<()> {
        let manifest = Manifest::load(&self.manifest)?;
        let batch = stages::batches(1, true, false).pop().context("no batch of one flight")?;
        let mut last = Instant::now();
        let mut step = || -> Duration { std::mem::replace(&mut last, Instant::now()).elapsed() };
        let sandbox = Sandbox::new(Some(self.cache.clone()))?;
        let engine = step();
        let operator = stages::operator(&manifest, "features", &sandbox)?;
        let load = step();
        let mut extractor = Extractor::new(operator)?;
        let instance = step();
        let extracted = extractor.extract(&batch)?;
        let record = step();
        if extracted.table.rows != 1 {
            bail!("cannot extract the flight");
        }
        let steps = [engine, load, instance, record].map(|step| step.as_micros().to_string());
        println!("{}", steps.join(" "));
        Ok(())
    }
}

/// Milliseconds from the file to the first record, of the flight extractor.
///
/// # Errors
/// If it cannot start.
pub fn first_record(bench: &Bench) -> Result<Vec<Row>> {
    let manifest = bench.project.join("pipelines/flights.toml");
    let [mut cold, mut cached] = [(); 2].map(|()| Steps::default());
    for _ in 0..STARTS {
        // Its permissions are for the user alone, which the cache requires.
        let folder = tempfile::tempdir()?;
        cold.push(start(&manifest, folder.path())?);
        cached.push(start(&manifest, folder.path())?);
    }
    Ok(vec![
        Row::new(
            "component from the cache to its first record",
            cached.all(),
            BUDGET,
            vec![
                cached.describe(),
                format!(
                    "wall clock, flight_features.wasm, a new process each; median of {STARTS}; \
                 the engine is made once per process and not counted"
                ),
            ],
        ),
        Row::plain("the same, compiled anew", cold.all(), " ms", vec![cold.describe()]),
    ])
}

fn start(manifest: &Path, cache: &Path) -> Result<[f64; 4]> {
    let output = Command::new(std::env::current_exe()?)
        .arg("first-record")
        .args([manifest, cache])
        .output()
        .context("cannot start this program again")?;
    if !output.status.success() {
        bail!("no first record: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8(output.stdout)?;
    let steps = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    steps.try_into().map_err(|_| anyhow::anyhow!("expected four steps, got: {text}"))
}

/// Engine, component, instance, first record: microseconds.
#[derive(Default)]
struct Steps([Samples; 4]);

impl Steps {
    fn push(&mut self, steps: [f64; 4]) {
        self.0.iter_mut().zip(steps).for_each(|(samples, step)| samples.push(step));
    }

    /// Milliseconds from the component's file to the first record.
    fn all(&self) -> f64 {
        self.0[1..].iter().map(Samples::median).sum::<f64>() / 1000.0
    }

    fn describe(&self) -> String {
        let [engine, load, instance, record] = self.0.each_ref().map(|it| it.median() / 1000.0);
        format!(
            "engine {engine:.2} ms, component {load:.2} ms, instance {instance:.2} ms, first \
             record {record:.2} ms"
        )
    }
}
