//! `sandbar run` on the flights pipeline, from topic to topic: its memory, and its
//! speed against a plain copy.

use std::process::Command;

use anyhow::Result;

use crate::Bench;
use crate::broker::Broker;
use crate::clock::{Pinned, Samples};
use crate::process::Process;
use crate::report::{Budget, Row};

/// DESIGN.md §6: "broker to broker, flights, one core".
const SPEED: Budget = Budget::at_least(0.5, 0.8, "x");

/// DESIGN.md §6: "resident memory of the flights runner".
const MEMORY: Budget = Budget::at_most(80.0, 40.0, " MB");

/// Runs of the pipeline and of the copy, in turn.
const RUNS: usize = 3;

/// Memory after `records` flights on all cores; then speed on one core.
///
/// # Errors
/// Where the broker does not answer, or records do not come through.
pub fn topic_to_topic(bench: &Bench, brokers: &str, records: usize) -> Result<Vec<Row>> {
    let mut broker = Broker::connect(brokers)?;
    let flights = broker.create_topic("flights")?;
    broker.feed(&flights, records)?;

    let (memory, peak) = {
        let run = Pipeline::start(bench, &mut broker, &flights, 0)?;
        let (_, process) = run.through(&broker, records)?;
        let memory = (process.memory("VmRSS")?, process.memory("VmHWM")?);
        process.stop()?;
        memory
    };
    let memory = Row::new(
        "resident memory of the flights runner",
        memory,
        MEMORY,
        vec![format!(
            "VmRSS of `sandbar run` after a backlog of {records} flights, {} workers; highest (VmHWM) \
         {peak:.1} MB",
            std::thread::available_parallelism()?
        )],
    );

    let [mut ratio, mut ours, mut theirs, mut our_cpu, mut their_cpu] =
        [(); 5].map(|()| Samples::default());
    let pinned = Pinned::to_one_core()?;
    for run in 1..=RUNS {
        let copied = broker.create_topic(&format!("copied-{run}"))?;
        let mut copy = Process::spawn(
            Command::new(std::env::current_exe()?).args(["copy", brokers, &flights, &copied]),
        )?;
        let copy_rate = broker.await_records(&copied, records as i64, || copy.alive())?;
        their_cpu.push(copy.cpu()? / records as f64);
        drop(copy);
        let (rate, process) =
            Pipeline::start(bench, &mut broker, &flights, run)?.through(&broker, records)?;
        our_cpu.push(process.cpu()? / records as f64);
        process.stop()?;
        ratio.push(rate / copy_rate);
        ours.push(rate);
        theirs.push(copy_rate);
    }
    drop(pinned);
    let (low, high) = ratio.quartiles();
    let speed = Row::new(
        "broker to broker on one core: runner / plain copy",
        ratio.median(),
        SPEED,
        vec![
            format!(
                "runner {:.0} records/s and {:.2} us of CPU each, copy {:.0} and {:.2} us",
                ours.median(),
                our_cpu.median() * 1e6,
                theirs.median(),
                their_cpu.median() * 1e6
            ),
            format!(
                "wall clock over a backlog of {records} flights, first to last output; each pinned to \
             one core, the broker is not; median of {RUNS} pairs, {low:.2} to {high:.2}"
            ),
        ],
    );
    Ok(vec![speed, memory])
}

/// A flights pipeline with topics of its own.
struct Pipeline {
    process: Process,
    sink: String,
    // The manifest, which the runner has open at its start.
    _folder: tempfile::TempDir,
}

impl Pipeline {
    fn start(bench: &Bench, broker: &mut Broker, flights: &str, run: usize) -> Result<Pipeline> {
        let sink = broker.create_topic(&format!("predictions-{run}"))?;
        let dead = broker.create_topic(&format!("dead-{run}"))?;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("flights.toml");
        // What pipelines/flights.toml says, but for the topics: those that it names
        // may hold somebody's flights.
        let text = format!(
            "name = \"{sink}\"\n\
             source = {{ topics = [\"{flights}\"] }}\n\
             sink = {{ topic = \"{sink}\" }}\n\
             dead-letter = {{ topic = \"{dead}\" }}\n\
             models = {{ flights = {model:?} }}\n\
             [[stages]]\nname = \"features\"\ncomponent = {features:?}\n\
             [[stages]]\nname = \"score\"\ncomponent = {score:?}\nmodels = [\"flights\"]\n\
             config = {{ unknown_category = \"missing\" }}\n",
            model = bench.project.join("models/flights-gbm"),
            features = bench.components().join("flight_features.wasm"),
            score = bench.components().join("h2o_score.wasm"),
        );
        std::fs::write(&path, text)?;
        let runner = std::env::current_exe()?.with_file_name("sandbar");
        let process = Process::spawn(
            Command::new(runner)
                .args(["--log", "warn", "run"])
                .arg(&path)
                .args(["--brokers", &broker.address]),
        )?;
        Ok(Pipeline { process, sink, _folder: folder })
    }

    /// Waits until all flights are through; the rate per second, and the process,
    /// which still runs.
    fn through(self, broker: &Broker, records: usize) -> Result<(f64, Process)> {
        let Pipeline { mut process, sink, _folder } = self;
        let rate = broker.await_records(&sink, records as i64, || process.alive())?;
        Ok((rate, process))
    }
}
