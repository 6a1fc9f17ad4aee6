//! A fleet: a registry, a control topic, a pipeline, and runners of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flight_records::Flights;
use sandbar::registry::draft::{Draft, Notes};
use sandbar::registry::{ArtifactKind, Registry};
use sandbar_tests::broker::PATIENCE;
use sandbar_tests::flights::{assert_golden, golden, pipeline};
use sandbar_tests::process::Process;
use sandbar_tests::runner::sandbox;
use sandbar_tests::{Broker, End, Received, Sent, component, project, sandbar};
use serde_json::Value;

/// The flights of which H2O's answers are known.
const KNOWN: usize = 20_000;
/// Flights a second, where `SANDBAR_TEST_RATE` says nothing else: not more than a small machine
/// takes with several runners.
const RATE: usize = 4000;
/// Between two times that flights are sent.
const PACE: Duration = Duration::from_millis(100);
/// Partitions of each topic.
const PARTITIONS: i32 = 6;

/// What the versions of `flights` in the registry are: 3 fits no extractor of flights, 4 is no
/// model that this scorer reads.
pub const MODELS: [&str; 4] = ["flights-gbm", "flights-dl", "digits", "airports"];

/// A fleet under test.
pub struct Fixture {
    pub folder: tempfile::TempDir,
    pub broker: Broker,
    /// Flights, predictions, dead letters.
    pub topics: [String; 3],
    pub control: String,
    delivery: &'static str,
}

/// A runner of it.
pub struct Runner {
    pub process: Process,
    /// Where it can be asked.
    pub address: String,
}

impl Fixture {
    pub fn new(broker: Broker, delivery: &'static str) -> Self {
        let topic = |name: &str| broker.topic(name, PARTITIONS);
        let topics = ["flights", "predictions", "dead"].map(topic);
        let control = broker.topic_with("control", 1, &[("cleanup.policy", "compact")]);
        let folder = tempfile::tempdir().unwrap();
        let fixture = Fixture { folder, broker, topics, control, delivery };
        let registry = fixture.registry();
        let notes = || Notes { by: "ada".to_owned(), ..Notes::default() };
        for model in MODELS {
            let folder = project().join("models").join(model);
            let draft = Draft::model(&folder, Some("flights"), notes()).unwrap();
            registry.add(draft, true).unwrap();
        }
        for name in ["flight-features", "tabular-score"] {
            let draft =
                Draft::operator(&component(name), Some("features"), notes(), &sandbox()).unwrap();
            registry.add(draft, true).unwrap();
        }
        fixture
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn registry(&self) -> Registry {
        let location = self.path("registry");
        Registry::create(location.to_str().unwrap(), &BTreeMap::new(), Path::new("")).unwrap()
    }

    /// The files of a version of `flights`, below the folder of a registry.
    pub fn blobs(&self, number: u32) -> Vec<PathBuf> {
        let version = self.registry().version(ArtifactKind::Model, "flights", number).unwrap();
        let large = version.files.iter().filter(|file| file.size > 10_000);
        large
            .map(|file| {
                let digest = file.sha256.to_string();
                Path::new("blobs/sha256").join(&digest[..2]).join(&digest[2..])
            })
            .collect()
    }

    /// The manifest, with a registry at a place of its own.
    pub fn manifest(&self, registry: &Path) -> String {
        let text = pipeline(&self.topics, "flights-gbm", "")
            .replace("\"{project}/models/flights-gbm\"", "{ registry = \"flights@1\" }");
        let features = "\"{project}/operators/target/wasm32-wasip2/release/flight_features.wasm\"";
        assert!(text.contains(features), "{text}");
        let text = text.replace(features, "{ registry = \"features@1\" }");
        let text = text.replace("\"../", "\"{project}/");
        let text = text.replace("{project}", project().to_str().unwrap());
        let (control, delivery) = (&self.control, self.delivery);
        let transactions = match delivery {
            // The transaction of a runner that is killed hides what comes behind it.
            "exactly-once" => "[sink.properties]\n\"transaction.timeout.ms\" = 3000\n",
            _ => "",
        };
        let session = "[source.properties]\n\"session.timeout.ms\" = 1500\n\
                       \"heartbeat.interval.ms\" = 300\n";
        format!(
            "delivery = \"{delivery}\"\n{text}\n{session}{transactions}\
             [runner]\nworkers = 1\n[fleet]\ntopic = \"{control}\"\n[registry]\nlocation = {registry:?}\n"
        )
    }

    /// Starts a runner, and waits until it can be asked.
    pub fn runner(&self, name: &str) -> Runner {
        let process = self.start(name, &self.path("registry"), None);
        Runner::of(process)
    }

    /// Starts a runner.
    pub fn start(&self, name: &str, registry: &Path, cache: Option<&Path>) -> Process {
        let manifest = self.path(&format!("{name}.toml"));
        std::fs::write(&manifest, self.manifest(registry)).unwrap();
        let mut command = sandbar();
        command.arg("run").arg(&manifest).args(["--brokers", &self.broker.address()]);
        command.args(["--admin", "127.0.0.1:0", "--runner-id", name]);
        if let Some(cache) = cache {
            command.arg("--cache").arg(cache);
        }
        Process::start(&mut command)
    }

    /// Feeds flights while `changing` runs, and looks at every prediction that came of them:
    /// whether it is the one that H2O makes with the version that it names, and whether each
    /// flight was answered as often as is promised. Returns what served how many, and the
    /// runners that `changing` leaves to answer the last of them.
    pub fn under_load<T>(&self, changing: impl FnOnce() -> T) -> (BTreeMap<String, usize>, T) {
        let done = AtomicBool::new(false);
        let (fed, left) = std::thread::scope(|scope| {
            // A mock broker cannot be shared; an address can.
            let (address, topic) = (self.broker.address(), self.topics[0].as_str());
            let feeder = scope.spawn(|| feed(address, topic, &done));
            let end = End(&done);
            let left = changing();
            drop(end);
            (feeder.join().unwrap(), left)
        });
        (self.look(fed), left)
    }

    fn look(&self, fed: usize) -> BTreeMap<String, usize> {
        let answers = [golden("flights-gbm"), golden("flights-dl")];
        let sink = &self.topics[1];
        let received = match self.delivery {
            "exactly-once" => self.broker.receive(sink, fed),
            _ => {
                self.broker.receive_keys(sink, fed);
                self.broker.receive(sink, fed)
            }
        };
        let mut times = vec![0_u32; fed];
        let mut served = BTreeMap::new();
        for record in &received {
            let number = number(record);
            let model = record.header("sandbar-model");
            let version: usize = model.strip_prefix("flights@").unwrap().parse().unwrap();
            assert_golden(record, &answers[version - 1][number % KNOWN], 1e-5);
            times[number] += 1;
            *served.entry(model).or_default() += 1;
        }
        let missing: Vec<usize> = (0..fed).filter(|number| times[*number] == 0).take(5).collect();
        assert!(missing.is_empty(), "flights without an answer: {missing:?}");
        if self.delivery == "exactly-once" {
            assert!(times.iter().all(|times| *times == 1) && received.len() == fed);
        }
        eprintln!("{fed} flights, {} predictions: {served:?}", received.len());
        served
    }
}

/// Feeds flights until `done`. Returns how many.
fn feed(address: String, topic: &str, done: &AtomicBool) -> usize {
    let broker = Broker::Apache(address);
    let flights: Vec<String> = Flights::new(1).take(KNOWN).collect();
    let rate = std::env::var("SANDBAR_TEST_RATE").map_or(RATE, |rate| rate.parse().unwrap());
    let chunk = rate / 10;
    let (mut fed, begun) = (0, Instant::now());
    while !done.load(Ordering::Relaxed) {
        let record = |n: usize| Sent {
            partition: Some(n as i32 % PARTITIONS),
            ..Sent::keyed(n, flights[n % KNOWN].as_str())
        };
        broker.send(topic, &(fed..fed + chunk).map(record).collect::<Vec<_>>());
        fed += chunk;
        // Whoever is late catches up.
        let due = PACE * (fed / chunk) as u32;
        std::thread::park_timeout(due.saturating_sub(begun.elapsed()));
    }
    let rate = fed as f64 / begun.elapsed().as_secs_f64();
    eprintln!("{fed} flights were fed, {rate:.0} a second");
    fed
}

fn number(record: &Received) -> usize {
    let key = record.key.as_deref().unwrap();
    std::str::from_utf8(key).unwrap().parse().unwrap()
}

impl Runner {
    pub fn of(mut process: Process) -> Self {
        let address = process.admin_address();
        let mut runner = Runner { process, address };
        runner.await_ready();
        runner
    }

    fn await_ready(&mut self) {
        let end = Instant::now() + PATIENCE;
        while self.status()["ready"] != true {
            assert!(Instant::now() < end, "it is not ready: {}", self.process.said());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// `sandbar ... --admin` of this runner.
    pub fn ask(&self, words: &[&str]) -> (bool, String) {
        let mut command = sandbar();
        command.args(words).args(["--admin", &self.address]).env("SANDBAR_BY", "ada");
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    /// The same, which must succeed.
    pub fn says(&self, words: &[&str]) -> String {
        let (done, said) = self.ask(words);
        assert!(done, "{words:?}: {said}\n{}", self.process.said());
        said
    }

    /// The same, which must fail.
    pub fn refuses(&self, words: &[&str]) -> String {
        let (done, said) = self.ask(words);
        assert!(!done, "{words:?}: {said}");
        said
    }

    pub fn status(&self) -> Value {
        serde_json::from_str(&self.says(&["status", "--json"])).unwrap()
    }

    /// Waits until a version serves here and has answered something.
    pub fn await_model(&self, model: &str) {
        let end = Instant::now() + PATIENCE;
        let mut before = None;
        loop {
            let status = self.status();
            let outputs = status["outputs"].as_u64().unwrap();
            if status["model"] == model && outputs > *before.get_or_insert(outputs) {
                return;
            }
            if status["model"] != model {
                before = None;
            }
            assert!(Instant::now() < end, "{model} does not serve: {status:#}");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Whether it serves a version.
    pub fn serves(&self, model: &str) -> bool {
        self.status()["model"] == model
    }

    /// What it knows of a runner of the fleet.
    pub fn knows(&self, runner: &str) -> Value {
        let status = self.status();
        let runners = status["fleet"]["runners"].as_array().unwrap();
        runners.iter().find(|it| it["id"] == runner).cloned().unwrap_or_default()
    }

    /// Waits until what it knows of a runner is as it should be.
    pub fn await_known(&self, runner: &str, what: &str, due: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let known = self.knows(runner);
            if due(&known) {
                return known;
            }
            assert!(Instant::now() < end, "{runner}, {what}: {known:#}");
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }

    /// The newest revision of the fleet that it knows; 0: none.
    pub fn revision(&self) -> u64 {
        self.status()["fleet"]["desired"]["revision"].as_u64().unwrap_or(0)
    }
}

/// A copy of a folder.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
