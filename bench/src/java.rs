//! The flights pipeline in the sandbox against H2O's own Java scorer, on one core.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::Bench;
use crate::clock::{Samples, thread_cpu};
use crate::flights::model_file;
use crate::process::Process;
use crate::report::{Budget, Row};
use crate::stages::{self, Sandboxed};
use crate::workload;

/// DESIGN.md §6, rows 2 and 3.
const BUDGETS: [(&str, Budget); 2] = [
    ("flights-gbm", Budget::at_least(3.0, 5.0, "x")),
    ("flights-dl", Budget::at_least(7.0, 12.0, "x")),
];

/// How often Java is started for each model: its compiler does not produce the
/// same code each time.
const STARTS: usize = 5;

/// Flights that both score repeatedly.
const RECORDS: usize = 5_120;

/// Rows per second of both models. The calling thread must be pinned to one core.
///
/// # Errors
/// If a stage fails, or Java does.
pub fn against_java(bench: &Bench, jar: Option<&Path>, seconds: f64) -> Result<Vec<Row>> {
    let what = |model: &str| format!("flights, {model}: sandbox / H2O's Java scorer");
    let Some(jar) = jar else {
        let why = "give --h2o-jar PATH: `pip download --no-deps h2o==3.46.0.6` and unpack \
                   h2o/backend/bin/h2o.jar; needs a JDK";
        return Ok(BUDGETS.iter().map(|(model, _)| Row::absent(what(model), why)).collect());
    };
    let java = Java::prepare(&bench.project, jar)?;
    let mut rows = Vec::new();
    for (model, budget) in BUDGETS {
        let sandbox = stages::sandbox()?;
        let manifest = stages::manifest(&bench.project, model)?;
        let mut sandboxed = Sandboxed::new(&manifest, &sandbox, RECORDS)?;
        sandboxed.pass()?;
        let file = model_file(&bench.project, model)?;
        let [mut ratio, mut ours, mut theirs] = [(); 3].map(|()| Samples::default());
        for _ in 0..STARTS {
            let theirs_now = java.rows_per_second(&file, seconds)?;
            let ours_now = rows_per_second(&mut sandboxed, seconds)?;
            ratio.push(ours_now / theirs_now);
            ours.push(ours_now);
            theirs.push(theirs_now);
        }
        let (low, high) = ratio.quartiles();
        let notes = vec![
            format!(
                "sandbox {:.0} rows/s (extract, score, encode), Java {:.0} rows/s (split, \
                 EasyPredictModelWrapper)",
                ours.median(),
                theirs.median()
            ),
            format!(
                "per second of CPU time, both pinned to the same core in turn; Java (SerialGC) warmed \
                 up for {seconds} s of {} s; median of {STARTS} starts, {low:.2} to {high:.2}",
                2.0 * seconds
            ),
        ];
        rows.push(Row::new(what(model), ratio.median(), budget, notes));
    }
    Ok(rows)
}

/// Rows per second of CPU time.
fn rows_per_second(sandboxed: &mut Sandboxed, seconds: f64) -> Result<f64> {
    let (start, end) = (thread_cpu()?, Duration::from_secs_f64(seconds));
    let mut rows = 0;
    while thread_cpu()? - start < end {
        sandboxed.pass()?;
        rows += RECORDS;
    }
    Ok(rows as f64 / (thread_cpu()? - start).as_secs_f64())
}

/// The compiled scorer and the flights as a file.
struct Java {
    folder: tempfile::TempDir,
    class_path: String,
}

impl Java {
    fn prepare(project: &Path, jar: &Path) -> Result<Java> {
        if !jar.is_file() {
            bail!("--h2o-jar {}: no such file", jar.display());
        }
        let folder = tempfile::tempdir()?;
        let source = project.join("models/java/FlightScorer.java");
        let compiled = Command::new("javac")
            .arg("-cp")
            .arg(jar)
            .arg("-d")
            .arg(folder.path())
            .arg(&source)
            .status()
            .context("cannot start javac; install a JDK, 17 or newer")?;
        if !compiled.success() {
            bail!("javac does not compile {}", source.display());
        }
        let class_path = format!("{}:{}", jar.display(), folder.path().display());
        let java = Java { folder, class_path };
        let lines: String = workload::flights(RECORDS).map(|flight| flight.line + "\n").collect();
        std::fs::write(java.lines(), lines)?;
        Ok(java)
    }

    fn lines(&self) -> PathBuf {
        self.folder.path().join("flights.csv")
    }

    /// Starts Java, lets it warm up for `seconds` and measure as long. Rows per
    /// second of CPU time: what it prints is by the clock, so its share of the core
    /// is watched meanwhile.
    fn rows_per_second(&self, model: &str, seconds: f64) -> Result<f64> {
        let mut java = Process::spawn(
            Command::new("java")
                .args(["-XX:+UseSerialGC", "-cp", &self.class_path, "FlightScorer", "bench"])
                .arg(model)
                .arg(self.lines())
                .arg(seconds.to_string())
                .stdout(Stdio::piped()),
        )?;
        let mut seen = vec![(Instant::now(), java.cpu()?)];
        while java.alive().is_ok() {
            seen.push((Instant::now(), java.cpu()?));
            std::thread::sleep(Duration::from_millis(20));
        }
        let text = java.output()?;
        let figure = text.split_whitespace().find_map(|it| it.strip_prefix("rows_per_second="));
        let figure: f64 = figure.context("FlightScorer failed")?.parse()?;
        // It ends when it has measured: the window is the last part of its run.
        let window = Duration::from_secs_f64(seconds);
        let (end, used) = seen[seen.len() - 1];
        let start = seen.iter().rfind(|(time, _)| end - *time >= window).unwrap_or(&seen[0]);
        let share = (used - start.1) / (end - start.0).as_secs_f64();
        Ok(figure / share)
    }
}
