//! `sandbar run` on the flights pipeline, from topic to topic: its memory, and its
//! speed against a plain copy.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::Bench;
use crate::broker::Broker;
use crate::clock::{Pinned, Samples};
use crate::process::Process;
use crate::report::{Budget, Row};

/// DESIGN.md §6: "broker to broker, flights, one core, against a plain librdkafka
/// copy loop".
const SPEED: Budget = Budget::at_least(0.5, 0.8, "x");

/// DESIGN.md §6: "resident memory of the flights runner".
const MEMORY: Budget = Budget::at_most(80.0, 40.0, " MB");

/// Runs of the pipeline and of the copy, in turn.
const RUNS: usize = 3;

/// Resident memory after a backlog of `records` flights, on all cores.
///
/// # Errors
/// If the broker does not answer, or records do not arrive.
pub fn memory(bench: &Bench, brokers: &str, records: usize) -> Result<Row> {
    let mut broker = Broker::connect(brokers)?;
    let flights = broker.create_topic("flights")?;
    broker.feed(&flights, records)?;
    let pipeline = Pipeline::start(bench, &mut broker, &flights, "0", &[])?;
    let before = pipeline.await_start()?;
    let (_, process) = pipeline.through(&broker, records)?;
    let (now, peak) = (process.memory("VmRSS")?, process.memory("VmHWM")?);
    process.stop()?;
    let note = format!(
        "VmRSS of `sandbar run` after a backlog of {records} flights, {} workers; at the start, \
         before the first batch, {before:.1} MB; highest (VmHWM) {peak:.1} MB",
        std::thread::available_parallelism()?
    );
    Ok(Row::new("resident memory of the flights runner", now, MEMORY, vec![note]))
}

/// CPU time from topic to topic against a plain copy.
///
/// # Errors
/// As [`memory`].
pub fn speed(bench: &Bench, brokers: &str, records: usize) -> Result<Row> {
    let mut broker = Broker::connect(brokers)?;
    let flights = broker.create_topic("flights")?;
    broker.feed(&flights, records)?;
    let mut ratio = Samples::default();
    let [mut ours, mut theirs] = [(); 2].map(|()| [(); 2].map(|()| Samples::default()));
    let pinned = Pinned::to_one_core()?;
    for run in 1..=RUNS {
        let copied = broker.create_topic(&format!("copied-{run}"))?;
        let mut copy = Process::spawn(
            Command::new(std::env::current_exe()?).args(["copy", brokers, &flights, &copied]),
        )?;
        let copy_rate = broker.await_records(&copied, records as i64, || copy.alive())?;
        let copy_cpu = copy.cpu()? / records as f64;
        drop(copy);
        let (rate, process) = Pipeline::start(bench, &mut broker, &flights, &run.to_string(), &[])?
            .through(&broker, records)?;
        let cpu = process.cpu()? / records as f64;
        process.stop()?;
        ratio.push(copy_cpu / cpu);
        ours.iter_mut().zip([rate, cpu * 1e6]).for_each(|(samples, it)| samples.push(it));
        theirs.iter_mut().zip([copy_rate, copy_cpu * 1e6]).for_each(|(all, it)| all.push(it));
    }
    drop(pinned);
    let (low, high) = ratio.quartiles();
    let [rate, cpu] = ours.each_ref().map(Samples::median);
    let [copy_rate, copy_cpu] = theirs.each_ref().map(Samples::median);
    let notes = vec![
        format!(
            "runner {cpu:.2} us of CPU a record, copy {copy_cpu:.2} us, with all of librdkafka's \
             threads; {rate:.0} and {copy_rate:.0} records/s by the clock, in which the broker \
             has a share"
        ),
        format!(
            "backlog of {records} flights, each program pinned to one core, the broker is not; \
             median of {RUNS} pairs, {low:.2} to {high:.2}"
        ),
    ];
    Ok(Row::new(
        "broker to broker: records per CPU second, runner / copy",
        ratio.median(),
        SPEED,
        notes,
    ))
}

/// A flights pipeline with topics of its own.
pub struct Pipeline {
    /// `sandbar run`.
    pub process: Process,
    /// The topic of its predictions.
    pub sink: String,
    // The manifest, which the runner reads at its start.
    _folder: tempfile::TempDir,
}

impl Pipeline {
    /// Starts one that reads a topic; `name` tells it from others, `more` are arguments.
    ///
    /// # Errors
    /// If the broker refuses a topic, or the command is missing.
    pub fn start(
        bench: &Bench,
        broker: &mut Broker,
        flights: &str,
        name: &str,
        more: &[&str],
    ) -> Result<Pipeline> {
        let sink = broker.create_topic(&format!("predictions-{name}"))?;
        let dead = broker.create_topic(&format!("dead-{name}"))?;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("flights.toml");
        // As pipelines/flights.toml, with other topics: those in the file
        // may contain real flights.
        let text = format!(
            "name = \"{sink}\"\n\
             source = {{ topics = [\"{flights}\"] }}\n\
             sink = {{ topic = \"{sink}\" }}\n\
             dead-letter = {{ topic = \"{dead}\" }}\n\
             models = {{ flights = {model:?} }}\n\
             limits = {{ load-deadline = \"5s\" }}\n\
             [[stages]]\nname = \"features\"\ncomponent = {features:?}\n\
             [[stages]]\nname = \"score\"\ncomponent = {score:?}\nmodels = [\"flights\"]\n\
             config = {{ unknown_category = \"missing\" }}\n",
            model = bench.project.join("models/flights-gbm"),
            features = bench.components().join("flight_features.wasm"),
            score = bench.components().join("tabular_score.wasm"),
        );
        std::fs::write(&path, text)?;
        let runner = std::env::current_exe()?.with_file_name("sandbar");
        let process = Process::spawn(
            Command::new(runner)
                .args(["--log", "warn", "run"])
                .arg(&path)
                .args(["--brokers", &broker.address])
                .args(more),
        )?;
        Ok(Pipeline { process, sink, _folder: folder })
    }

    /// Waits until its memory is stable, with stages set up and the consumer group not yet
    /// joined: memory in MB.
    fn await_start(&self) -> Result<f64> {
        let mut before = 0.0;
        loop {
            std::thread::sleep(Duration::from_millis(40));
            let now = self.process.memory("VmRSS")?;
            if now > 10.0 && now - before < 0.1 {
                return Ok(now);
            }
            before = now;
        }
    }

    /// Waits until all flights have arrived; the rate per second, and the process,
    /// which still runs.
    fn through(self, broker: &Broker, records: usize) -> Result<(f64, Process)> {
        let Pipeline { mut process, sink, _folder } = self;
        let rate = broker.await_records(&sink, records as i64, || process.alive())?;
        Ok((rate, process))
    }
}
