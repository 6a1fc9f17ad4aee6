//! `cargo xtask demo`: flights and pictures in, predictions out, live.
//!
//! Everything is as in production but the broker: the pipelines are
//! `pipelines/flights.toml` and `pipelines/images.toml` as they stand, the components
//! are the built ones, and records go through Kafka's protocol over TCP. The broker is
//! the mock broker of this process, unless `--brokers` names a real one.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "for those who develop Sandbar, whose terminal stays"
)]

mod broker;
mod digits;
mod feed;
mod flights;
mod show;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use sandbar::record::Shutdown;
use sandbar::sandbox::{Sandbox, cache};
use sandbar::telemetry;
use sandbar::telemetry::LogFormat;

use broker::Broker;
use show::Show;

/// The repository.
const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// The interval between two pictures: the flights show the speed.
const BETWEEN_PICTURES: Duration = Duration::from_millis(10);
/// Pictures to show at least, however soon the flights end.
const PICTURES: u64 = 50;

/// Run the pipelines of flights and pictures and show what they predict.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask demo")]
struct Demo {
    /// Stop after this many flights. [default: go on until Ctrl-C]
    #[arg(long)]
    records: Option<u64>,
    /// A Kafka to use instead of the mock broker, "host:port,...".
    #[arg(long, value_name = "HOST:PORT,...")]
    brokers: Option<String>,
    /// The seed of the flights.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One flight in this many is garbage, to show where it goes; 0 for none.
    #[arg(long, default_value_t = 1000)]
    garbage: u64,
    /// The pipeline of flights. [default: pipelines/flights.toml]
    #[arg(long, value_name = "PIPELINE")]
    pipeline: Option<PathBuf>,
    /// The pipeline of pictures. [default: pipelines/images.toml]
    #[arg(long, value_name = "PIPELINE")]
    images: Option<PathBuf>,
    /// What is logged to standard error: "info" shows the runner's events.
    #[arg(long, default_value = "warn")]
    log: String,
}

fn main() -> ExitCode {
    match Demo::parse().execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Demo {
    fn execute(self) -> Result<()> {
        telemetry::init(LogFormat::Text, &self.log)?;
        let broker = Broker::start(self.brokers.as_deref())?;
        println!("broker    {}", broker.describe());
        let sandbox = Sandbox::new(cache::default_folder())?;
        let path = |given: Option<PathBuf>, name| given.unwrap_or(Path::new(PROJECT).join(name));

        let pipeline = path(self.pipeline, "pipelines/flights.toml");
        let records = flights::records(self.seed, self.garbage);
        let mut flights = Show::new("flights", &pipeline, &broker, &sandbox, records)?;
        flights.remarks = flights::remarks();
        flights.limit = self.records;

        let pipeline = path(self.images, "pipelines/images.toml");
        let records = digits::records(&Path::new(PROJECT).join("models/digits/samples"))?;
        let mut pictures = Show::new("pictures", &pipeline, &broker, &sandbox, records)?;
        pictures.pause = BETWEEN_PICTURES;
        pictures.least = PICTURES;
        println!();

        let stop = Shutdown::default();
        let asked = stop.clone();
        ctrlc::set_handler(move || asked.request()).context("cannot handle signals")?;
        std::thread::scope(|scope| {
            let pictures = scope.spawn(|| {
                let result = pictures.run(&stop);
                stop.request();
                result
            });
            let flights = flights.run(&stop);
            stop.request();
            let pictures = pictures.join().map_err(|_| anyhow::anyhow!("the demo panicked"))?;
            flights.and(pictures)
        })
    }
}
