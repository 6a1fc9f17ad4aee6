//! Slow stages, and a sink that is away: the group keeps the runner, which says that it
//! holds back, and whose memory stays within bounds.

use sandbar_tests::random::Random;
use sandbar_tests::served::Served;
use sandbar_tests::{Broker, Sent, cluster, component};
use xtask::kafka::Options;

const MIB: u64 = 1 << 20;
/// MiB that a runner may take with records of 10 MB: docs/guarantees.md, "Memory".
const MOST: u64 = 400;

/// A stage that takes longer than the group waits for a poll keeps its partitions, and
/// what the runner holds back meanwhile shows.
#[test]
fn slow_stages_keep_their_partitions() {
    let Some(broker) = Broker::apache() else { return };
    let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 2));
    let manifest = format!(
        "name = \"{source}\"\nsink = {{ topic = \"{sink}\" }}\ndead-letter = {{ topic = \"{dead}\" }}\n\
         [source]\ntopics = [\"{source}\"]\n\
         properties = {{ \"max.poll.interval.ms\" = 5000, \"session.timeout.ms\" = 5000, \"heartbeat.interval.ms\" = 500, \"statistics.interval.ms\" = 100 }}\n\
         [[stages]]\nname = \"extract\"\ncomponent = \"{}\"\n[stages.limits]\ndeadline = \"8s\"\n\
         [[stages]]\nname = \"score\"\ncomponent = \"{}\"\n\
         [runner]\nworkers = 1\nbatch-bytes = \"4 KiB\"\nin-flight = \"16 KiB\"\ncommit-interval = \"50ms\"\n",
        component("mischief-extractor").display(),
        component("mischief-scorer").display(),
    );
    // One call that does not end before its deadline, and much behind it.
    let record =
        |number: i32| Sent { partition: Some(number % 2), ..Sent::keyed(number, "x".repeat(400)) };
    let mut records: Vec<Sent> = (0..400).map(record).collect();
    records.insert(100, Sent::value("loop"));
    broker.send(&source, &records);
    let runner = Served::start(&broker, &manifest);
    runner.await_metrics("it is held back, and says so", |runner| {
        runner.metric("sandbar_paused_partitions") == 2
            && runner.metric("sandbar_in_flight_bytes") > 16 << 10
            && runner.metric("sandbar_lag_records") > 100
    });
    let outputs = broker.receive(&sink, 400);
    let letters = broker.receive(&dead, 1);
    assert_eq!((outputs.len(), letters.len()), (400, 1), "each once");
    assert_eq!(letters[0].header("sandbar-code"), "deadline");
    assert_eq!(runner.metric("sandbar_rebalances_total"), 1, "{}", runner.process.said());
    runner.await_metrics("it is idle again", |runner| {
        runner.metric("sandbar_paused_partitions") == 0
            && runner.metric("sandbar_in_flight_bytes") == 0
            && runner.metric("sandbar_lag_records") == 0
    });
    runner.process.stop();
    for partition in 0..2 {
        let due = if partition == 0 { 201 } else { 200 };
        assert_eq!(broker.committed(&source, &source, partition), Some(due));
    }
}

/// Records of 10 MB of text in two partitions, of which compression makes little less.
fn large(count: u64) -> Vec<Sent> {
    let mut random = Random::new();
    let mut record = |number: u64| {
        let letters = |word: u64| (0..8).map(move |place| b'0' + (word >> (8 * place)) as u8 % 64);
        let value = (0..1_250_000).flat_map(|_| letters(random.below(u64::MAX))).collect();
        let partition = Some((number % 2) as i32);
        Sent { value: Some(value), partition, ..Sent::keyed(number, "") }
    };
    (0..count).map(&mut record).collect()
}

/// A pipeline for large records.
fn pipeline(stages: &str, [source, sink, dead]: &[String; 3]) -> String {
    format!(
        "name = \"{source}\"\nsink = {{ topic = \"{sink}\" }}\ndead-letter = {{ topic = \"{dead}\" }}\n\
         [source]\ntopics = [\"{source}\"]\n{stages}\
         [limits]\nmemory = \"128 MiB\"\ndeadline = \"3s\"\n[runner]\nworkers = 2\n"
    )
}

/// Starts a runner for 300 MB in large records, which it is to hold back.
fn held_back(broker: &Broker, source: &str, manifest: &str) -> Served {
    for _ in 0..3 {
        broker.send(source, &large(10));
    }
    let runner = Served::start(broker, manifest);
    runner
        .await_metrics("it is held back", |runner| runner.metric("sandbar_paused_partitions") == 2);
    runner
}

/// Waits until all have come out, and looks at the memory that it took.
fn came_out(runner: Served) {
    runner.await_metrics("all is through", |runner| {
        runner.metric("sandbar_outputs_total") == 30
            && runner.metric("sandbar_in_flight_bytes") == 0
    });
    let peak = runner.process.peak_memory() / MIB;
    println!("{peak} MiB at the most");
    assert!(peak < MOST, "{peak} MiB");
    runner.process.stop();
}

/// What a runner takes does not depend on what waits behind a slow stage: here, a record on
/// which it spends its whole deadline, in each partition.
#[test]
fn a_slow_stage_does_not_cost_memory() {
    let Some(broker) = Broker::apache() else { return };
    let topics = ["source", "sink", "dead"].map(|name| broker.topic(name, 2));
    let stages = format!(
        "[[stages]]\nname = \"extract\"\ncomponent = \"{}\"\n\
         [[stages]]\nname = \"score\"\ncomponent = \"{}\"\n",
        component("mischief-extractor").display(),
        component("mischief-scorer").display(),
    );
    let stuck = |partition| Sent { partition: Some(partition), ..Sent::value("loop") };
    broker.send(&topics[0], &[stuck(0), stuck(1)]);
    let runner = held_back(&broker, &topics[0], &pipeline(&stages, &topics));
    came_out(runner);
    assert_eq!(broker.receive(&topics[2], 2).len(), 2);
}

/// Nor on what waits for the sink: here, topics on a broker that is away, which are to take
/// the records themselves from a stage that only passes them on.
#[test]
fn a_slow_sink_does_not_cost_memory() {
    let Some(mut cluster) = cluster("slow-sink", 2, Options::default()) else { return };
    let broker = Broker::Apache(cluster.bootstrap().to_owned());
    let topics = [("source", 1), ("sink", 2), ("dead", 2)]
        .map(|(name, node)| broker.topic_on(name, 2, node));
    let route = component("route-transformer");
    let stages = format!("[[stages]]\nname = \"route\"\ncomponent = {route:?}\n");
    cluster.kill_broker(1);
    let runner = held_back(&broker, &topics[0], &pipeline(&stages, &topics));
    // All that has come in is still here, and nothing more comes.
    assert!(runner.metric("sandbar_outputs_total") < 30);
    cluster.restart_broker(1).unwrap();
    came_out(runner);
    assert_eq!(broker.receive(&topics[1], 30).len(), 30);
}
