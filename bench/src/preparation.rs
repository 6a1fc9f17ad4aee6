//! The latency of records, from topic to topic, while a component is prepared that takes all the
//! time that it may, against the same while nothing is.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use wasm_encoder::{
    BlockType, CodeSection, Component, Function, FunctionSection, Module, ModuleSection,
    TypeSection, ValType,
};

use crate::Bench;
use crate::broker::{Broker, PARTITIONS, send};
use crate::clock::Samples;
use crate::report::{Budget, Row};
use crate::runner::Pipeline;
use crate::workload::flights;

/// "No record late beyond 10 % of p99".
const LATENCY: Budget = Budget::at_most(1.1, 1.05, "x");
/// Records each second: few enough that they never wait for each other.
const RATE: u32 = 1000;
/// How long one side is measured before it is the other's turn: a component that never ends is
/// prepared for 5 s.
const TURN: Duration = Duration::from_secs(6);
/// Turns of each side.
const TURNS: usize = 9;

/// The 99th percentile of the latency while something is prepared, against that while nothing is.
///
/// # Errors
/// If the broker does not answer, or the component is not refused.
pub fn latency(bench: &Bench, brokers: &str) -> Result<Row> {
    let mut broker = Broker::connect(brokers)?;
    let topic = broker.create_topic("flights-live")?;
    let admin = format!("127.0.0.1:{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
    let pipeline = Pipeline::start(bench, &mut broker, &topic, "live", &["--admin", &admin])?;
    let folder = tempfile::tempdir()?;
    let component = folder.path().join("endless.wasm");
    std::fs::write(&component, endless(1500))?;

    let done = AtomicBool::new(false);
    let begin = Instant::now();
    let (turns, arrived, memory) = std::thread::scope(|scope| {
        let feeder = scope.spawn(|| feed(brokers, &topic, begin, &done));
        let watcher = scope.spawn(|| watch(brokers, &pipeline.sink, begin, &done));
        // The group is joined, and everything is warm.
        std::thread::sleep(3 * TURN);
        let turns = take_turns(&pipeline, &admin, &component, begin);
        done.store(true, Ordering::Relaxed);
        feeder.join().map_err(|_| anyhow::anyhow!("the feeder panicked"))??;
        let arrived = watcher.join().map_err(|_| anyhow::anyhow!("the watcher panicked"))??;
        let (turns, memory) = turns?;
        anyhow::Ok((turns, arrived, memory))
    })?;
    pipeline.process.stop()?;

    let within = |turn: &Turn| {
        let sent = turn.begin..turn.end;
        arrived.iter().filter(move |(at, _)| sent.contains(at)).map(|(_, took)| *took)
    };
    let mut ratio = Samples::default();
    let [mut quiet, mut busy] = [Vec::new(), Vec::new()];
    for pair in turns.chunks_exact(2) {
        let [before, during] = [&pair[0], &pair[1]].map(|turn| Latencies::of(within(turn)));
        ratio.push(during.percentile(99).as_secs_f64() / before.percentile(99).as_secs_f64());
        quiet.extend(before.0);
        busy.extend(during.0);
    }
    let [quiet, busy] = [quiet, busy].map(Latencies::of);
    let (low, high) = ratio.quartiles();
    let [before, after] = memory;
    let notes = vec![
        format!("nothing is prepared: {quiet}"),
        format!("a component that the compiler does not finish: {busy}"),
        format!(
            "{RATE} records/s, median of {TURNS} pairs of {} s, {low:.2} to {high:.2}; highest memory of the runner \
             {before:.1} MB before, {after:.1} MB after",
            TURN.as_secs()
        ),
    ];
    let what = "latency p99 while something hostile is prepared";
    Ok(Row::new(what, ratio.median(), LATENCY, notes))
}

/// A while, in which something was prepared or not, in turn.
struct Turn {
    begin: Duration,
    end: Duration,
}

fn take_turns(
    pipeline: &Pipeline,
    admin: &str,
    component: &Path,
    begin: Instant,
) -> Result<(Vec<Turn>, [f64; 2])> {
    let before = pipeline.process.memory("VmHWM")?;
    let mut turns = Vec::new();
    for prepares in [false, true].repeat(TURNS) {
        let turn = begin.elapsed();
        if prepares {
            refused(admin, component)?;
        } else {
            std::thread::sleep(TURN);
        }
        turns.push(Turn { begin: turn, end: begin.elapsed() });
        // What came of a turn is not counted for the next.
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok((turns, [before, pipeline.process.memory("VmHWM")?]))
}

/// Swaps the component in, which must not succeed.
fn refused(admin: &str, component: &Path) -> Result<()> {
    let mut swap = Command::new(std::env::current_exe()?.with_file_name("sandbar"));
    swap.arg("swap").arg("--component").arg(format!("score={}", component.display()));
    let output = swap.args(["--admin", admin]).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(said.contains("cannot be prepared within 5s"), "the swap says: {said}");
    Ok(())
}

/// Sends flights at a rate, each with the time in its key.
fn feed(brokers: &str, topic: &str, begin: Instant, done: &AtomicBool) -> Result<()> {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", brokers).set("linger.ms", "0").create()?;
    let flights: Vec<_> = flights(10_000).collect();
    for (number, flight) in (0..).zip(flights.iter().cycle()) {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let due = Duration::from_secs(1) * number / RATE;
        std::thread::sleep(due.saturating_sub(begin.elapsed()));
        let key = begin.elapsed().as_micros().to_string();
        send(&producer, BaseRecord::to(topic).key(&key).payload(&flight.line))?;
        producer.poll(Duration::ZERO);
    }
    Ok(producer.flush(Duration::from_secs(10))?)
}

/// When each record was sent, and how long its prediction took.
fn watch(
    brokers: &str,
    topic: &str,
    begin: Instant,
    done: &AtomicBool,
) -> Result<Vec<(Duration, Duration)>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "sandbar-bench-watch")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "5")
        .create()?;
    let mut partitions = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        partitions.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&partitions)?;
    let mut arrived = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let Some(message) = consumer.poll(Duration::from_millis(20)) else { continue };
        let message = message.context("cannot consume predictions")?;
        let sent = std::str::from_utf8(message.key().unwrap_or_default())?.parse()?;
        let sent = Duration::from_micros(sent);
        arrived.push((sent, begin.elapsed().saturating_sub(sent)));
    }
    Ok(arrived)
}

/// Latencies in order.
struct Latencies(Vec<Duration>);

impl Latencies {
    fn of(all: impl IntoIterator<Item = Duration>) -> Self {
        let mut all = Vec::from_iter(all);
        all.sort_unstable();
        Latencies(all)
    }

    fn percentile(&self, percent: usize) -> Duration {
        self.0.get(self.0.len() * percent / 100).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [half, most] = [50, 99].map(|percent| self.percentile(percent));
        let last = self.0.last().copied().unwrap_or_default();
        write!(f, "p50 {half:.1?}, p99 {most:.1?}, highest {last:.1?} of {}", self.0.len())
    }
}

/// A component with a function of blocks in blocks, from each of which it may jump out of any
/// other: the compiler takes a minute for 1,500.
fn endless(blocks: u32) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut function = Function::new([(blocks, ValType::I32)]);
    let mut body = function.instructions();
    for _ in 0..blocks {
        body.block(BlockType::Empty);
    }
    for block in 0..blocks {
        body.local_get(0).local_get(block + 1).i32_add().local_set((block + 7) % blocks);
        body.local_get(block).br_table(0..blocks - block, 0).end();
    }
    body.local_get(0).end();
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    component.finish()
}
