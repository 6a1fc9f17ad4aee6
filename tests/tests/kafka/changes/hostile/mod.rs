//! Components and models that are made to harm, in the place of others while flights flow: each is
//! refused with its cause, no flight is lost, late by more than a batch, or answered otherwise, and
//! the process that serves has no more memory than before.

mod components;
mod folders;
mod graphs;
mod told;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use flight_records::Flights;
use sandbar_tests::flights::{assert_golden, golden, pipeline, topics};
use sandbar_tests::process::Process;
use sandbar_tests::{Broker, Sent, project, sandbar};
use tempfile::TempDir;

/// Time that preparing may take, and memory.
const LIMITS: &str = "[limits]\nload-deadline = \"5s\"\nload-memory = \"256 MiB\"\n";
/// What a refusal may take besides: starting processes on a machine that does much else.
const SLACK: Duration = Duration::from_secs(15);
/// Bytes that the process that serves may take more for all that was tried: threads, what was
/// allocated and freed, the answers of its admin server.
const MEMORY: u64 = 24 << 20;
/// Flights that are sent together, and how often.
const CHUNK: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// A runner through which flights flow.
struct Live {
    process: Process,
    admin: String,
    broker: Broker,
    topics: [String; 3],
    folder: TempDir,
    done: Arc<AtomicBool>,
    feeder: JoinHandle<usize>,
    /// The memory that it had at most before anything was tried.
    memory: u64,
}

impl Live {
    fn start() -> Self {
        Live::within(LIMITS)
    }

    /// With limits for what is prepared.
    fn within(limits: &str) -> Self {
        let (broker, folder) = (Broker::mock(), tempfile::tempdir().unwrap());
        let topics = topics(&broker);
        let manifest = pipeline(&topics, "flights-gbm", "");
        let manifest = manifest.replace("\"../", "\"{project}/");
        let manifest = manifest.replace("{project}", &project().display().to_string());
        let path = folder.path().join("flights.toml");
        // What is honest is compiled before, however busy the machine is.
        std::fs::write(&path, &manifest).unwrap();
        let checked = sandbar().arg("check").arg(&path).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        std::fs::write(&path, manifest + limits).unwrap();
        let mut command = sandbar();
        command.arg("run").arg(&path).args(["--brokers", &broker.address()]);
        let mut process = Process::start(command.args(["--admin", "127.0.0.1:0"]));
        let admin = process.admin_address();
        process.await_said("running");
        let done = Arc::new(AtomicBool::new(false));
        let feeder = {
            let (address, topic, done) = (broker.address(), topics[0].clone(), done.clone());
            std::thread::spawn(move || feed(&Broker::Apache(address), &topic, &done))
        };
        broker.receive(&topics[1], 10 * CHUNK);
        let mut live = Live { process, admin, broker, topics, folder, done, feeder, memory: 0 };
        // What any change takes that is prepared and refused is no harm.
        live.refuses_component("nothing", &[0; 4096], "not a WebAssembly component");
        live.memory = live.process.peak_memory();
        live
    }

    fn place(&self) -> &Path {
        self.folder.path()
    }

    /// What is swapped in is refused, in time, with words that say why.
    fn refused(&self, change: &[&str], due: &str) {
        let begin = Instant::now();
        let mut swap = sandbar();
        let output = swap.arg("swap").args(change).args(["--admin", &self.admin]).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!output.status.success(), "{change:?}: {said}");
        assert!(said.contains(due), "{change:?}: '{due}' is not in {said}");
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(5) + SLACK, "{change:?}: {took:?}");
        println!("{took:.1?}: {}", said.trim());
    }

    fn refuses_model(&self, folder: &Path, due: &str) {
        self.refused(&["--model", &format!("flights={}", folder.display())], due);
    }

    fn refuses_component(&self, name: &str, wasm: &[u8], due: &str) {
        let path = self.place().join(name);
        std::fs::write(&path, wasm).unwrap();
        self.refused(&["--component", &format!("score={}", path.display())], due);
    }

    /// Nothing has happened: every flight that was sent has the answer of the model that was there
    /// from the beginning, in order, once.
    fn end(self) {
        self.done.store(true, Ordering::Relaxed);
        let fed = self.feeder.join().unwrap();
        let golden = golden("flights-gbm");
        let received = self.broker.receive(&self.topics[1], fed);
        assert_eq!(received.len(), fed);
        for (number, record) in received.iter().enumerate() {
            assert_eq!(record.key.as_deref(), Some(number.to_string().as_bytes()));
            assert_golden(record, &golden[number % golden.len()], 1e-6);
            assert_eq!(record.header("sandbar-model"), "flights-gbm@1");
        }
        let more = self.process.peak_memory() - self.memory;
        println!("{fed} flights, {} MiB, and {} KiB more", self.memory >> 20, more >> 10);
        assert!(more < MEMORY, "{more} bytes more than {}", self.memory);
        let said = self.process.stop();
        assert!(said.contains(&format!("outputs={fed}")) && said.contains("failed=0"), "{said}");
    }
}

/// Sends flights until it is `done`; returns how many.
fn feed(broker: &Broker, topic: &str, done: &AtomicBool) -> usize {
    let known = golden("flights-gbm").len();
    let flights: Vec<String> = Flights::new(1).take(known).collect();
    let mut fed = 0;
    while !done.load(Ordering::Relaxed) {
        let record = |n: usize| Sent::keyed(n, flights[n % known].as_str());
        broker.send(topic, &(fed..fed + CHUNK).map(record).collect::<Vec<_>>());
        fed += CHUNK;
        std::thread::sleep(PAUSE);
    }
    fed
}
