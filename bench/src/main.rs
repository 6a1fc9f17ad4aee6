//! Sandbar's budgets, measured side by side in one run: `cargo xtask bench`.
//!
//! What is compared runs in alternating rounds, and a figure is the median of the
//! rounds' ratios: other work on the machine affects both sides. docs/benchmarks.md
//! says what each row means.
//!
//! - [`flights`]: the sandbox against native code; [`interface`]: its boundary alone.
//! - [`chains`]: what a chain costs besides its stages.
//! - [`images`]: decoding and inference, against native code and ONNX Runtime.
//! - [`java`]: against H2O's own scorer.
//! - [`runner`]: `sandbar run` from topic to topic on a [`broker`], against [`copy`].
//! - [`preparation`]: what a hostile component costs the records that flow meanwhile.
//! - [`start`]: from a component's file to its first record.
//! - [`bench`], [`stages`], [`native`], [`process`], [`workload`], [`clock`], [`report`]:
//!   shared parts.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "for those who develop Sandbar, whose terminal stays"
)]

mod bench;
mod broker;
mod chains;
mod clock;
mod copy;
mod flights;
mod images;
mod interface;
mod java;
mod native;
mod preparation;
mod process;
mod report;
mod runner;
mod stages;
mod start;
mod workload;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};

use bench::Bench;
use clock::Pinned;
use report::Row;

/// Measures Sandbar's budgets; run it as `cargo xtask bench`.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Arguments {
    /// Only these.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Figure>,
    /// Rounds of which the median is taken.
    #[arg(long, default_value_t = 201, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// h2o.jar, for the comparison with H2O's Java scorer.
    #[arg(long, value_name = "PATH")]
    h2o_jar: Option<PathBuf>,
    /// Seconds for which the Java scorer warms up, and then is measured.
    #[arg(long, default_value_t = 5.0)]
    java_seconds: f64,
    /// The folder of large test data (docs/test-data.md), for pictures.
    #[arg(long, value_name = "FOLDER", env = "SANDBAR_TEST_DATA")]
    data: Option<PathBuf>,
    /// A Python that has onnxruntime, for the comparison with ONNX Runtime.
    #[arg(long, value_name = "PYTHON")]
    onnxruntime: Option<PathBuf>,
    /// An Apache Kafka (`cargo xtask kafka start` prints one), for memory and speed
    /// from topic to topic.
    #[arg(long, value_name = "HOST:PORT")]
    brokers: Option<String>,
    /// Flights that go from topic to topic.
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u32).range(1000..))]
    broker_records: u32,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Figure {
    /// Sandbox against native code, both models.
    Native,
    /// Sandbox against H2O's Java scorer, both models.
    Java,
    /// The sandbox's boundary.
    Interface,
    /// Chains of several stages.
    Chains,
    /// Pictures and graphs.
    Images,
    /// From file to first record.
    Start,
    /// The runner from topic to topic, against a plain copy.
    Broker,
    /// The runner's resident memory.
    Memory,
    /// The latency of records while something hostile is prepared.
    Preparation,
}

/// What this program starts as separate processes.
#[derive(Subcommand)]
enum Part {
    #[command(hide = true)]
    FirstRecord(start::FirstRecord),
    #[command(hide = true)]
    LoadGraph(images::LoadGraph),
    #[command(hide = true)]
    Copy(copy::Copy),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.part {
        Some(Part::FirstRecord(start)) => start.run(),
        Some(Part::LoadGraph(load)) => load.run(),
        Some(Part::Copy(copy)) => copy.run(),
        None => measure(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<()> {
    let project =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no folder above bench")?;
    let bench = Bench {
        project: project.to_owned(),
        native: project.join("operators/target/release/sandbar-bench-native"),
        rounds: arguments.rounds.into(),
    };
    let wanted = |figure| arguments.only.is_empty() || arguments.only.contains(&figure);
    println!("{}\n", machine()?);

    let pinned = Pinned::to_one_core()?;
    if wanted(Figure::Native) {
        show(&[flights::against_native(&bench, "flights-gbm", 5_120)?]);
        show(&[flights::against_native(&bench, "flights-dl", 2_560)?]);
    }
    if wanted(Figure::Java) {
        let jar = arguments.h2o_jar.as_deref();
        show(&java::against_java(&bench, jar, arguments.java_seconds)?);
    }
    if wanted(Figure::Interface) {
        show(&interface::cost(&bench, 5_120)?);
    }
    if wanted(Figure::Chains) {
        show(&chains::rows(&bench, 2_560)?);
    }
    if wanted(Figure::Images) {
        let (data, python) = (arguments.data.as_deref(), arguments.onnxruntime.as_deref());
        show(&images::rows(&bench, data.filter(|data| !data.as_os_str().is_empty()), python)?);
    }
    drop(pinned);
    if wanted(Figure::Start) {
        show(&start::first_record(&bench)?);
    }
    let records = arguments.broker_records as usize;
    let of_brokers =
        [Figure::Broker, Figure::Memory, Figure::Preparation].map(wanted).contains(&true);
    match &arguments.brokers {
        Some(brokers) => {
            if wanted(Figure::Broker) {
                show(&[runner::speed(&bench, brokers, records)?]);
            }
            if wanted(Figure::Memory) {
                show(&[runner::memory(&bench, brokers, records)?]);
            }
            if wanted(Figure::Preparation) {
                show(&[preparation::latency(&bench, brokers)?]);
            }
        }
        None if of_brokers => show(&[Row::absent(
            "from topic to topic: speed, memory, and latency while something is prepared",
            "give --brokers HOST:PORT of an Apache Kafka: `cargo xtask kafka start` prints one",
        )]),
        None => {}
    }
    println!("\n{}", machine()?);
    Ok(())
}

fn show(rows: &[Row]) {
    rows.iter().for_each(|row| println!("{row}"));
}

/// The processor, and the machine's load.
fn machine() -> Result<String> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let load = std::fs::read_to_string("/proc/loadavg")?;
    Ok(format!(
        "{}, {} cores, load {}",
        model.map_or("unknown processor", |(_, model)| model.trim()),
        std::thread::available_parallelism()?,
        load.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
    ))
}
