//! `cargo xtask demo`: flights in, predictions out, before your eyes.
//!
//! Everything is as in production but the broker: the pipeline is
//! `pipelines/flights.toml` as it stands, the components are the built ones, and
//! records go through Kafka's protocol over TCP. The broker is the practice broker
//! of this process, unless `--brokers` names a real one.

mod broker;
mod feed;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use sandbar::manifest::Manifest;
use sandbar::observe::{self, LogFormat, Stats};
use sandbar::pipeline::{self, Plan, Shutdown};
use sandbar::sandbox::{Sandbox, cache};

/// Run the flights pipeline on a stream of flights and show what it predicts.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask demo")]
struct Demo {
    /// Stop after this many flights. [default: go on until Ctrl-C]
    #[arg(long)]
    records: Option<u64>,
    /// A Kafka to use instead of the practice broker, "host:port,...".
    #[arg(long, value_name = "HOST:PORT,...")]
    brokers: Option<String>,
    /// The seed of the flights.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One record in this many is garbage, to show where it goes; 0 for none.
    #[arg(long, default_value_t = 1000)]
    garbage: u64,
    /// The pipeline.
    #[arg(long, value_name = "PIPELINE")]
    pipeline: Option<PathBuf>,
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
        observe::init(LogFormat::Text, &self.log)?;
        let path = self.pipeline.clone().unwrap_or_else(|| {
            PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../pipelines/flights.toml"))
        });
        let manifest = Manifest::load(&path)?;
        let broker = broker::Broker::start(self.brokers.as_deref(), &manifest)?;
        let sandbox = Sandbox::new(cache::default_folder())?;
        let mut plan = Plan::new(&manifest, Some(broker.address()), &sandbox)?;
        plan.connection.consumer.extend(broker.consumer_properties());
        println!("broker    {}", broker.describe());
        println!("pipeline  {plan}\n");

        // The feed and the screen stop at Ctrl-C; the runner afterwards, so that all
        // that was fed is shown.
        let (stop_feeding, stop_running) = (Shutdown::default(), Shutdown::default());
        let asked = stop_feeding.clone();
        ctrlc::set_handler(move || asked.request()).context("signals cannot be handled")?;

        let stats = Arc::new(Stats::default());
        let answered = Arc::new(AtomicU64::new(0));
        let runner = {
            let (stats, shutdown, failed) =
                (stats.clone(), stop_running.clone(), stop_feeding.clone());
            std::thread::spawn(move || {
                let result = pipeline::run(&plan, &shutdown, &stats);
                failed.request();
                result
            })
        };
        let watch = watch::Watch {
            brokers: broker.address().to_owned(),
            properties: broker.consumer_properties(),
            topics: [manifest.sink.topic.clone(), manifest.dead_letter.topic.clone()],
            answered: answered.clone(),
        };
        // Before the first answer can come.
        let consumer = watch.consumer()?;
        let feed = feed::Feed {
            brokers: broker.address().to_owned(),
            topic: manifest.source.topics[0].clone(),
            seed: self.seed,
            garbage: self.garbage,
            records: self.records,
            answered,
        };
        let feeder = {
            let shutdown = stop_feeding.clone();
            std::thread::spawn(move || feed.run(&shutdown))
        };
        let seen = watch.run(&consumer, feeder, &stop_feeding, &stats);
        stop_running.request();
        runner.join().map_err(|_| anyhow::anyhow!("the runner panicked"))??;
        let seen = seen?;
        let end = stats.snapshot();
        println!(
            "\n{} flights fed; {} predictions and {} dead letters came back",
            seen.fed, seen.predictions, seen.dead_letters
        );
        ensure!(
            seen.fed == seen.predictions + seen.dead_letters,
            "some did not come back: {end:?}"
        );
        Ok(())
    }
}
