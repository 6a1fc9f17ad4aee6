//! A runner whose memory comes to an end: it holds back, refuses, and ends in order.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sandbar_tests::process::Process;
use sandbar_tests::served::{Served, weights, write_model};
use sandbar_tests::{Broker, End, Sent, component, graphs, on_each_broker, project};
use tempfile::TempDir;

const MIB: u64 = 1 << 20;
/// `[runner] memory` of these runners.
const LIMIT: u64 = 500 * MIB;
/// The exit status of a runner that ends for want of memory.
const OUT_OF_MEMORY: i32 = 75;
/// A record of which a digit is computed.
const DIGIT: &str = "named digits image 1x1x8x8 fp32 1";

/// A pipeline that computes a digit for each record, and keeps memory for some.
struct Pipeline<'a> {
    broker: &'a Broker,
    topics: [String; 3],
    delivery: &'static str,
    folder: TempDir,
}

impl<'a> Pipeline<'a> {
    fn new(broker: &'a Broker, delivery: &'static str) -> Self {
        let topics = ["source", "sink", "dead"].map(|name| broker.topic(name, 2));
        let folder = tempfile::tempdir().unwrap();
        weights(&folder.path().join("small"), 1);
        weights(&folder.path().join("large"), LIMIT);
        write_model(&folder.path().join("spread"), "onnx", &graphs::spread(4096));
        Pipeline { broker, topics, delivery, folder }
    }

    fn run(&self) -> Served {
        let [source, sink, dead] = &self.topics;
        let manifest = format!(
            "name = \"{source}\"\ndelivery = \"{}\"\n\
             sink = {{ topic = \"{sink}\", properties = {{ {} }} }}\n\
             dead-letter = {{ topic = \"{dead}\" }}\n[source]\ntopics = [\"{source}\"]\n\
             properties = {{ \"session.timeout.ms\" = 6000 }}\n\
             [models]\ndigits = \"{}\"\nspread = \"{}\"\nweights = \"{}\"\n\
             [[stages]]\nname = \"extract\"\ncomponent = \"{}\"\nlimits = {{ memory = \"480 MiB\" }}\n\
             [[stages]]\nname = \"score\"\ncomponent = \"{}\"\nmodels = [\"digits\", \"spread\"]\n\
             [limits]\nmemory = \"16 MiB\"\ndeadline = \"20s\"\n\
             [runner]\nmemory = {LIMIT}\nbatch-records = 4\n\
             batch-bytes = \"1 MiB\"\nin-flight = \"2 MiB\"\n",
            self.delivery,
            // What a runner leaves open when it ends keeps readers waiting for so long.
            match self.delivery {
                "exactly-once" => "\"transaction.timeout.ms\" = 10000",
                _ => "",
            },
            project().join("models/digits").display(),
            self.folder.path().join("spread").display(),
            self.folder.path().join("small").display(),
            component("mischief-extractor").display(),
            component("plain-nn-scorer").display(),
        );
        Served::start(self.broker, &manifest)
    }

    /// Sends a record to each worker for which so much is kept that so many hundredths of the
    /// limit are used. As nothing comes of them besides, they become dead letters. Beside others
    /// in a batch such a record is extracted twice, and keeps twice as much: the instance may.
    fn fill(&self, runner: &Served, hundredths: u64) {
        let more = LIMIT * hundredths / 100 - runner.metric("sandbar_memory_used_bytes");
        let value = format!("hoard {}", more / MIB / 2);
        let hoard =
            |partition| Sent { partition: Some(partition), ..Sent::keyed("hoard", &*value) };
        self.broker.send(&self.topics[0], &[0, 1].map(hoard));
    }

    /// Sends records of these keys, in both partitions.
    fn send(&self, keys: Range<i32>) {
        send(self.broker, &self.topics[0], keys);
    }

    /// How many records the group has behind it.
    fn committed(&self) -> i64 {
        let source = &self.topics[0];
        let of = |partition| self.broker.committed(source, source, partition).unwrap_or_default();
        of(0) + of(1)
    }
}

fn send(broker: &Broker, topic: &str, keys: Range<i32>) {
    let record = |key: i32| Sent { partition: Some(key % 2), ..Sent::keyed(key, DIGIT) };
    broker.send(topic, &keys.map(record).collect::<Vec<_>>());
}

fn shortage(runner: &Served) -> u64 {
    runner.metric("sandbar_memory_shortage")
}

/// It has ended as a supervisor is told to start it again. Returns what it said.
fn ended_for_memory(process: Process) -> String {
    let (status, said) = process.join();
    assert_eq!(status.code(), Some(OUT_OF_MEMORY), "{said}");
    assert!(said.contains("error: [runner] memory: "), "{said}");
    said
}

on_each_broker! {
    /// Where memory is tight records go through one batch after the other, until there is more;
    /// what would make it short is refused.
    fn tight_memory_slows_down_until_there_is_more(broker: &Broker) {
        let pipeline = Pipeline::new(broker, "at-least-once");
        let runner = pipeline.run();
        pipeline.fill(&runner, 83);
        runner.await_metrics("memory is tight", |runner| shortage(runner) == 1);
        let (_, status) = runner.told(&["status"]);
        assert!(status.contains("of 500.0 MiB used, tight"), "{status}");
        pipeline.send(0..200);
        broker.receive(&pipeline.topics[1], 200);
        assert_eq!(shortage(&runner), 1);
        let large = format!("weights={}", pipeline.folder.path().join("large").display());
        let (swapped, said) = runner.told(&["swap", "--model", &large]);
        assert!(!swapped && said.contains("memory is short, 4"), "{said}");
        assert_eq!(runner.get("/readyz").0, 200);

        // The instances end, and what they have.
        let trap = |partition| Sent { partition: Some(partition), ..Sent::value("trap") };
        broker.send(&pipeline.topics[0], &[0, 1].map(trap));
        runner.await_metrics("memory has fallen", |runner| shortage(runner) == 0);
        pipeline.send(200..300);
        assert_eq!(broker.receive(&pipeline.topics[1], 300).len(), 300);
        let said = runner.process.stop();
        for event in ["memory is tight, fetching waits", "there is enough memory again"] {
            assert!(said.contains(event), "{event}: {said}");
        }
        assert_eq!(pipeline.committed(), 304);
    }

    /// A record whose computation alone takes more than there is fails by itself; the others do not
    /// even wait for it.
    fn what_needs_too_much_alone_is_to_blame(broker: &Broker) {
        let pipeline = Pipeline::new(broker, "at-least-once");
        let runner = pipeline.run();
        pipeline.send(0..10);
        let value = "named spread x 40000x1 fp32 1";
        broker.send(&pipeline.topics[0], &[Sent::keyed("large", value)]);
        pipeline.send(10..100);
        assert_eq!(broker.receive(&pipeline.topics[1], 100).len(), 100);
        let dead = broker.receive(&pipeline.topics[2], 1);
        let why = dead[0].header("sandbar-message");
        assert!(why.contains("takes more memory than the runner has"), "{why}");
        assert_eq!(dead[0].text(), value);
        let said = runner.process.stop();
        assert!(!said.contains("memory limit exceeded"), "it was not even begun: {said}");
        assert_eq!(pipeline.committed(), 101);
    }

    /// Where it is short nothing more is begun. If that does not change the runner ends, and the
    /// next one finds everything that was not delivered.
    fn short_memory_refuses_what_is_new_and_ends(broker: &Broker) {
        let pipeline = Pipeline::new(broker, "at-least-once");
        let runner = pipeline.run();
        pipeline.send(0..10);
        broker.receive(&pipeline.topics[1], 10);
        pipeline.fill(&runner, 93);
        runner.await_metrics("memory is short", |runner| shortage(runner) == 2);
        broker.receive(&pipeline.topics[2], 2);
        let (status, body) = runner.get("/readyz");
        assert_eq!((status, body.as_str()), (503, "short of memory\n"));
        let small = format!("weights={}", pipeline.folder.path().join("small").display());
        let (swapped, said) = runner.told(&["swap", "--model", &small]);
        assert!(!swapped && said.contains("memory is short, 4"), "{said}");
        runner.await_metrics("nothing is fetched", |runner| {
            runner.metric("sandbar_paused_partitions") == 2
        });
        pipeline.send(10..200);
        let said = ended_for_memory(runner.process);
        assert!(said.contains("though nothing is computed"), "{said}");
        assert_eq!(pipeline.committed(), 12, "{said}");

        let runner = pipeline.run();
        assert_eq!(broker.receive(&pipeline.topics[1], 200).len(), 200, "none twice");
        runner.process.stop();
        assert_eq!(pipeline.committed(), 202);
    }

    /// Above the limit it ends at once, with what is delivered committed.
    fn above_the_limit_it_ends(broker: &Broker) {
        let pipeline = Pipeline::new(broker, "at-least-once");
        let runner = pipeline.run();
        pipeline.send(0..10);
        broker.receive(&pipeline.topics[1], 10);
        pipeline.fill(&runner, 102);
        pipeline.send(10..500);
        let said = ended_for_memory(runner.process);
        assert!(said.contains("memory limit exceeded, computations stop"), "{said}");
        assert!(said.contains("and they do not become less"), "{said}");
        let [there, dead] = [1, 2].map(|topic| broker.receive(&pipeline.topics[topic], 1).len());
        assert_eq!(pipeline.committed(), (there + dead) as i64, "what is delivered is committed");

        let runner = pipeline.run();
        assert_eq!(broker.receive(&pipeline.topics[1], 500).len(), 500, "none twice");
        runner.process.stop();
        assert_eq!(pipeline.committed(), 502);
    }
}

/// With exactly-once delivery, records that come all the time are written once each, though two
/// runners end for want of memory.
#[test]
fn what_ends_for_memory_has_written_everything_once() {
    let Some(broker) = Broker::apache() else { return };
    let pipeline = Pipeline::new(&broker, "exactly-once");
    let over = AtomicBool::new(false);
    let sent = std::thread::scope(|scope| {
        let (over, address, topic) = (&over, broker.address(), pipeline.topics[0].clone());
        let feed = scope.spawn(move || {
            let (beside, mut sent) = (Broker::Apache(address), 0);
            while !over.load(Ordering::Relaxed) {
                send(&beside, &topic, sent..sent + 20);
                sent += 20;
                std::thread::park_timeout(Duration::from_millis(10));
            }
            sent
        });
        let _over = End(over);
        for _ in 0..2 {
            let runner = pipeline.run();
            let before = broker.receive(&pipeline.topics[1], 0).len();
            broker.receive(&pipeline.topics[1], before + 50);
            pipeline.fill(&runner, 102);
            ended_for_memory(runner.process);
        }
        over.store(true, Ordering::Relaxed);
        feed.join().unwrap()
    });
    let runner = pipeline.run();
    let outputs = broker.receive(&pipeline.topics[1], sent as usize);
    assert_eq!(outputs.len(), sent as usize, "none twice");
    let keys: BTreeSet<_> = outputs.iter().map(|it| &it.key).collect();
    assert_eq!(keys.len(), sent as usize, "none lost");
    assert_eq!(broker.receive(&pipeline.topics[2], 4).len(), 4, "nobody else is to blame");
    runner.process.stop();
    assert_eq!(pipeline.committed(), i64::from(sent) + 4);
}
