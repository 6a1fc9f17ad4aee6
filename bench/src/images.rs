//! Pictures: decoding in the sandbox against native code, graphs in tract against ONNX
//! Runtime, and both together.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use sandbar::inference::{Graph, GraphSource, States, Tensor};
use sandbar::manifest::Manifest;
use sandbar::model::{ElementType, Kind, Sha256};
use sandbar::pipeline::Plan;
use sandbar::pipeline::outcome::Outcome;
use sandbar::record::Batch;
use sandbar::telemetry::resident_bytes;

use crate::Bench;
use crate::clock::{Samples, process_cpu, thread_cpu};
use crate::native::Native;
use crate::report::{Budget, Row};
use crate::stages;

/// DESIGN.md §6: "JPEG decode + resize in the sandbox against native".
const BUDGET: Budget = Budget::at_most(1.8, 1.4, "x");

/// The network, its file among the test data, and the side of its pictures.
const GOOGLENET: (&str, u32) = ("models/bvlc_googlenet.onnx", 224);
/// A photograph of 14 megapixels.
const PHOTOGRAPH: &str = "images/new_airplane.jpg";
/// A photograph of 400 x 300, a typical size in a stream.
const SMALL: &str = "images/trained_airplane_2.jpg";

/// Rounds of the large photograph, which takes a tenth of a second.
const ROUNDS: usize = 15;
/// Times that each side is started, for graphs.
const STARTS: usize = 5;
/// Seconds for which ONNX Runtime is measured at each start.
const SECONDS: f64 = 2.0;

/// All rows. `data` is the folder of the large test data, `python` one with ONNX Runtime.
///
/// # Errors
/// If a stage fails or a graph cannot be used.
pub fn rows(bench: &Bench, data: Option<&Path>, python: Option<&Path>) -> Result<Vec<Row>> {
    let Some(data) = data else {
        let why = "give --data FOLDER, or set SANDBAR_TEST_DATA: docs/test-data.md";
        return Ok(vec![Row::absent("pictures", why)]);
    };
    let mut rows = vec![
        decoding(bench, data, PHOTOGRAPH, ROUNDS)?,
        decoding(bench, data, SMALL, bench.rounds)?,
        whole(bench, data)?,
    ];
    for batch in [1, 8] {
        rows.push(computing(bench, data, python, batch)?);
    }
    rows.push(loading(data)?);
    Ok(rows)
}

/// A model folder of GoogLeNet, deleted on drop.
fn googlenet(data: &Path) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let bytes = std::fs::read(data.join(GOOGLENET.0))
        .with_context(|| format!("{} is not in {}", GOOGLENET.0, data.display()))?;
    let text = format!(
        "name = \"googlenet\"\nversion = 1\nkind = \"onnx\"\nfile = \"model.onnx\"\n\
         sha256 = \"{}\"\nlicence = \"none\"\ndescription = \"GoogLeNet.\"\n[preprocessing]\n\
         width = 224\nheight = 224\nchannels = \"bgr\"\nmean = [104, 117, 123]\n",
        Sha256::of(&bytes)
    );
    std::fs::write(folder.path().join("model.onnx"), bytes)?;
    std::fs::write(folder.path().join("model.toml"), text)?;
    Ok(folder)
}

/// `pipelines/images.toml` with another model.
fn manifest(bench: &Bench, model: &Path) -> Result<Manifest> {
    let path = bench.project.join("pipelines/images.toml");
    let text = std::fs::read_to_string(&path)?;
    let text = text.replace("../models/digits", &model.display().to_string());
    Ok(Manifest::parse(&text, &path)?)
}

fn batch(picture: &[u8], records: usize) -> Batch {
    let mut batch = Batch::new("images".into(), 0, records);
    for offset in 0..records {
        let headers = std::iter::empty::<(&str, _)>();
        batch.push(offset as i64, Some(0), None, Some(picture), headers);
    }
    batch
}

/// From a JPEG file to the tensor: CPU time in the sandbox against native code.
fn decoding(bench: &Bench, data: &Path, picture: &str, rounds: usize) -> Result<Row> {
    let model = googlenet(data)?;
    let manifest = manifest(bench, model.path())?;
    let operator = stages::operator(&manifest, "features", &stages::sandbox()?)?;
    let mut extractor = sandbar::sandbox::Extractor::new(operator)?;
    let path = data.join(picture);
    let batch = batch(&std::fs::read(&path)?, 1);
    let config = serde_json::json!({
        "width": 224, "height": 224, "channels": "bgr", "mean": [104, 117, 123],
    });
    let path = path.to_str().context("the path is not UTF-8")?;
    let mut native = Native::start(&bench.native, &["image", path, &config.to_string()])?;
    let mut pass = || -> Result<Duration> {
        let start = thread_cpu()?;
        let extracted = extractor.extract(&batch)?;
        ensure!(extracted.table.rows == 1, "cannot extract {picture}: {:?}", extracted.failures);
        Ok(thread_cpu()? - start)
    };
    pass()?;
    native.pass()?;
    let [mut ratio, mut inside, mut outside] = [(); 3].map(|()| Samples::default());
    for _ in 0..rounds {
        let (ours, natively) = (pass()?, native.pass()?.extract);
        ratio.push(ours.as_secs_f64() / natively.as_secs_f64());
        inside.push(1e3 * ours.as_secs_f64());
        outside.push(1e3 * natively.as_secs_f64());
    }
    let (low, high) = ratio.quartiles();
    let notes = vec![
        format!(
            "sandbox {:.2} ms, native {:.2} ms, of CPU time; fastest against fastest {:.2}",
            inside.median(),
            outside.median(),
            inside.lowest() / outside.lowest()
        ),
        format!("median of {rounds} alternating rounds, half of them {low:.2} to {high:.2}"),
    ];
    let what = format!("{picture}: decode, resize: sandbox / native");
    Ok(Row::new(what, ratio.median(), BUDGET, notes))
}

/// The whole pipeline, from the file's bytes to JSON, against the graph alone.
fn whole(bench: &Bench, data: &Path) -> Result<Row> {
    let model = googlenet(data)?;
    let manifest = manifest(bench, model.path())?;
    let mut chain = Plan::new(&manifest.into(), &stages::sandbox()?)?.chain()?;
    let mut outcome = Outcome::default();
    let batch = batch(&std::fs::read(data.join(SMALL))?, 16);
    let mut alone = Alone::new(data, 1)?;
    let mut pass = || -> Result<f64> {
        let start = process_cpu()?;
        chain.process(&batch, &mut outcome)?;
        ensure!(outcome.failures.is_empty(), "cannot score a picture: {:?}", outcome.failures);
        Ok(batch.len() as f64 / (process_cpu()? - start).as_secs_f64())
    };
    pass()?;
    let [mut ratio, mut ours, mut graph] = [(); 3].map(|()| Samples::default());
    for _ in 0..ROUNDS {
        let (through, computed) = (pass()?, alone.images_per_second(16)?);
        ratio.push(through / computed);
        ours.push(through);
        graph.push(computed);
    }
    let (low, high) = ratio.quartiles();
    let notes = vec![format!(
        "{:.1} images per second of CPU time, the graph alone {:.1}; {SMALL}, median of {ROUNDS} \
         alternating rounds of 16, half of them {low:.2} to {high:.2}",
        ours.median(),
        graph.median()
    )];
    Ok(Row::plain("GoogLeNet: pipeline / graph alone, images/s", ratio.median(), "x", notes))
}

/// The graph in this thread, without guests.
struct Alone {
    graph: std::sync::Arc<Graph>,
    states: States,
    input: [(String, Tensor); 1],
    batch: usize,
}

impl Alone {
    fn new(data: &Path, batch: usize) -> Result<Self> {
        let bytes = std::fs::read(data.join(GOOGLENET.0))?;
        let graph = Graph::load("googlenet".into(), GraphSource::Bytes(Kind::Onnx, bytes.into()))?;
        let side = GOOGLENET.1;
        let numbers = (0..3 * side * side * batch as u32)
            .flat_map(|n| ((n.wrapping_mul(2_654_435_761) >> 24) as f32 - 117.0).to_le_bytes());
        let tensor = Tensor {
            dimensions: vec![batch as u32, 3, side, side],
            ty: ElementType::Fp32,
            data: numbers.collect(),
        };
        let mut alone =
            Alone { graph, states: States::default(), input: [("0".into(), tensor)], batch };
        alone.images_per_second(1)?;
        Ok(alone)
    }

    /// Images per second of CPU time.
    fn images_per_second(&mut self, rounds: usize) -> Result<f64> {
        let start = thread_cpu()?;
        for _ in 0..rounds {
            self.graph.compute(&self.input, &mut self.states, &AtomicBool::new(false))?;
        }
        Ok((rounds * self.batch) as f64 / (thread_cpu()? - start).as_secs_f64())
    }
}

/// The figures of ONNX Runtime: milliseconds, resident KB before and after, images/s.
fn onnx_runtime(bench: &Bench, python: &Path, data: &Path, batch: usize) -> Result<[f64; 4]> {
    let (file, side) = GOOGLENET;
    let output = Command::new(python)
        .arg(bench.project.join("bench/graph-speed.py"))
        .arg(data.join(file))
        .args([side.to_string(), batch.to_string(), SECONDS.to_string()])
        .output()
        .with_context(|| format!("cannot start {}", python.display()))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    numbers.try_into().map_err(|_| anyhow::anyhow!("expected four numbers, got: {text}"))
}

fn computing(bench: &Bench, data: &Path, python: Option<&Path>, batch: usize) -> Result<Row> {
    let what = format!("GoogLeNet, batch {batch}: tract / ONNX Runtime, images/s");
    let Some(python) = python else {
        let why = "give --onnxruntime PYTHON, one that has the package onnxruntime";
        return Ok(Row::absent(what, why));
    };
    let mut alone = Alone::new(data, batch)?;
    let [mut ratio, mut ours, mut theirs, mut load, mut memory] =
        [(); 5].map(|()| Samples::default());
    for _ in 0..STARTS {
        let [milliseconds, before, after, per_second] = onnx_runtime(bench, python, data, batch)?;
        let mine = alone.images_per_second(32 / batch)?;
        ratio.push(mine / per_second);
        ours.push(mine);
        theirs.push(per_second);
        load.push(milliseconds);
        memory.push((after - before) / 1000.0);
    }
    let (low, high) = ratio.quartiles();
    let notes = vec![
        format!(
            "tract {:.1}, ONNX Runtime {:.1} images per second of CPU time, one thread; it loads in \
             {:.0} ms and takes {:.0} MB",
            ours.median(),
            theirs.median(),
            load.median(),
            memory.median()
        ),
        format!("median of {STARTS} starts, half of them {low:.2} to {high:.2}"),
    ];
    Ok(Row::plain(what, ratio.median(), "x", notes))
}

/// Loading GoogLeNet, in a process of its own.
#[derive(Args)]
pub struct LoadGraph {
    /// The graph's file.
    file: PathBuf,
}

impl LoadGraph {
    /// Prints milliseconds, resident bytes before and after, and the most there were.
    ///
    /// # Errors
    /// If the graph cannot be used.
    pub fn run(&self) -> Result<()> {
        let bytes: std::sync::Arc<[u8]> = std::fs::read(&self.file)?.into();
        let (start, before) = (Instant::now(), resident_bytes().unwrap_or(0));
        let source = GraphSource::Bytes(Kind::Onnx, bytes);
        let graph = Graph::load("graph".into(), source)?;
        let took = start.elapsed();
        let after = resident_bytes().unwrap_or(0);
        drop(graph);
        let status = std::fs::read_to_string("/proc/self/status")?;
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let most = most.and_then(|rest| rest.split_whitespace().next()).unwrap_or("0");
        println!("{:.1} {before} {after} {most}", 1e3 * took.as_secs_f64());
        Ok(())
    }
}

fn loading(data: &Path) -> Result<Row> {
    let [mut time, mut memory, mut most] = [(); 3].map(|()| Samples::default());
    for _ in 0..STARTS {
        let output = Command::new(std::env::current_exe()?)
            .arg("load-graph")
            .arg(data.join(GOOGLENET.0))
            .output()
            .context("cannot start this program again")?;
        if !output.status.success() {
            bail!("the graph cannot be loaded: {}", String::from_utf8_lossy(&output.stderr));
        }
        let text = String::from_utf8(output.stdout)?;
        let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [milliseconds, before, after, peak] = numbers[..] else {
            bail!("expected four numbers, got: {text}")
        };
        time.push(milliseconds);
        memory.push((after - before) / 1e6);
        most.push(peak / 1e3);
    }
    let notes = vec![format!(
        "wall clock, a new process each, median of {STARTS}; afterwards {:.0} MB more in memory, at \
         most {:.0} MB in the process, the file's 28 MB among them",
        memory.median(),
        most.median()
    )];
    Ok(Row::plain("GoogLeNet: read and optimised", time.median(), " ms", notes))
}
